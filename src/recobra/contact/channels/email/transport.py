"""One SMTP connection, kept open from message to message, that knows at every moment what the server may have.

RFC 5321: a message is the server's responsibility from its 250 to the final dot on (6.1); a 4yz or 5yz to the final
dot means that it was not accepted (4.2.1, 4.2.5). So the only doubt is a connection that breaks after the first byte
of the content and before that answer.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import ssl

from recobra.contact import reasons
from recobra.contact.channels.base import Bounce, Kind, Outcome

from .server import Server

TIMEOUT_SECONDS = 30
_BROKEN = (OSError, smtplib.SMTPServerDisconnected)
_HARD = {550, 551, 553}


class _Refused(Exception):
    """The server's answer to a command is not the one that goes on."""

    def __init__(self, stage: str, code: int, text: bytes | str) -> None:
        words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        super().__init__(f"{stage}: {code} {' '.join(words.split())}"[:500])
        self.stage, self.code, self.text = stage, code, words


class Transport:
    """A connection to a server, made when first needed and made again after anything went wrong."""

    def __init__(self, server: Server, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._server, self._timeout = server, timeout
        self._smtp: smtplib.SMTP | None = None

    def deliver(self, message: bytes, *, sender: str, recipient: str) -> Outcome:
        """Hand one message over and say what became of it."""
        reused = self._smtp is not None
        try:
            smtp = self._connected()
        except (_Refused, smtplib.SMTPException, OSError) as error:
            self.close()
            return _put_off(f"connect: {_words(error)}", unreachable=True)
        try:
            self._envelope(smtp, sender, recipient)
        except _Refused as refused:
            self._reset(refused.code)
            return _refused(refused)
        except _BROKEN as error:
            self.close()
            # A server may leave a connection that waited too long; nothing of this message has gone yet.
            return (
                self.deliver(message, sender=sender, recipient=recipient)
                if reused
                else _put_off(f"before the content: {_words(error)}")
            )
        return self._content(smtp, message)

    def close(self) -> None:
        """Leave the server, politely where it still listens."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                smtp.quit()
            smtp.close()

    def _connected(self) -> smtplib.SMTP:
        if self._smtp is not None:
            return self._smtp
        server, context = self._server, _tls(self._server)
        if server.implicit_tls:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=self._timeout, context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=self._timeout)
        self._smtp = smtp
        smtp.ehlo_or_helo_if_needed()
        if not server.implicit_tls and smtp.has_extn("starttls"):
            smtp.starttls(context=context)
            smtp.ehlo()
        elif not server.implicit_tls and (server.tls_required or (server.user and not server.is_loopback)):
            # A password in the clear would belong to whoever strips STARTTLS from the answer.
            raise _Refused("starttls", 0, "the server offers no TLS, and RECOBRA_SMTP_URL or its password requires it")
        if server.user:
            smtp.login(server.user, server.password)
        return smtp

    @staticmethod
    def _envelope(smtp: smtplib.SMTP, sender: str, recipient: str) -> None:
        """Say who writes to whom, and get leave to send the content. Raises _Refused."""
        international = not (sender + recipient).isascii()
        if international and not smtp.has_extn("smtputf8"):
            raise _Refused("rcpt", 553, "5.6.7 the server takes no addresses outside ASCII")
        options = ["SMTPUTF8"] if international else []
        _expect("mail", (250,), smtp.mail(sender, options))
        _expect("rcpt", (250, 251), smtp.rcpt(recipient))
        _expect("data", (354,), smtp.docmd("data"))

    def _content(self, smtp: smtplib.SMTP, message: bytes) -> Outcome:
        """Send the content; from its first byte on only the server's own answer removes the doubt."""
        content = re.sub(rb"(?m)^\.", b"..", message)
        try:
            smtp.send(content + b".\r\n")
            code, text = smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._smtp = None
            smtp.close()
            return Outcome(kind=Kind.UNCERTAIN, reason=reasons.LOST, answer=_words(error))
        if code == 250:
            return Outcome(kind=Kind.SENT, answer=f"{code} {text.decode('utf-8', 'replace')}"[:500])
        refused = _Refused("content", code, text)
        self._reset(code)
        if not 400 <= code <= 599:
            return Outcome(kind=Kind.UNCERTAIN, reason=reasons.LOST, answer=str(refused))
        return _refused(refused)

    def _reset(self, code: int) -> None:
        """Make the connection fit for the next message after a refusal; 421 says that the server is leaving."""
        try:
            if self._smtp is not None and code != 421 and self._smtp.rset()[0] == 250:
                return
        except (smtplib.SMTPException, OSError):
            pass
        self.close()


def _expect(stage: str, wanted: tuple[int, ...], reply: tuple[int, bytes]) -> None:
    if reply[0] not in wanted:
        if reply[0] == -1:
            raise smtplib.SMTPServerDisconnected(f"{stage}: the connection was closed")
        raise _Refused(stage, *reply)


def _refused(refused: _Refused) -> Outcome:
    if 500 <= refused.code <= 599:
        bounce = _bounce(refused) if refused.stage == "rcpt" else None
        return Outcome(kind=Kind.FAILED, reason=reasons.REFUSED, answer=str(refused), bounce=bounce)
    return _put_off(str(refused))


def _bounce(refused: _Refused) -> Bounce:
    """RFC 3463: 5.1.x speaks of the address itself; without it, 550, 551 and 553 do (RFC 5321)."""
    enhanced = re.match(r"\s*5\.(\d+)\.\d+", refused.text)
    hard = enhanced.group(1) == "1" if enhanced else refused.code in _HARD
    return Bounce.HARD if hard else Bounce.SOFT


def _put_off(answer: str, *, unreachable: bool = False) -> Outcome:
    reason = reasons.UNREACHABLE if unreachable else reasons.REFUSED
    return Outcome(kind=Kind.RETRY, reason=reason, answer=answer, unreachable=unreachable)


def _tls(server: Server) -> ssl.SSLContext:
    context = ssl.create_default_context()
    # Opportunistic TLS without verification is no worse than the plain text it replaces; on this machine itself
    # there is nobody in between, and a certificate for 127.0.0.1 hardly exists.
    if server.is_loopback or not (server.implicit_tls or server.tls_required or server.user):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _words(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]
