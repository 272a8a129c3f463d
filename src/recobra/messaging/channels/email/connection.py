"""One SMTP connection, kept open from message to message, that knows at every moment what the server may have.

RFC 5321: a message is the server's responsibility from its 250 to the final dot on (6.1); a 4yz or 5yz to the final
dot means that it was not accepted (4.2.1, 4.2.5). So the only doubt is a connection that breaks after the first byte
of the content and before that answer.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import socket
import ssl
from typing import Any

from recobra.messaging import reasons
from recobra.messaging.channels.base import Bounce, Outcome, OutcomeKind
from recobra.messaging.channels.email.server import Server
from recobra.messaging.channels.email.smtp_dialogue import Disconnected, SmtpProtocol

TIMEOUT_SECONDS = 30.0
_HARD = {550, 551, 553}


class _Refused(Exception):
    """The server's answer to a command is not the one that goes on."""

    def __init__(self, stage: str, code: int, text: str) -> None:
        super().__init__(f"{stage}: {code} {' '.join(text.split())}"[:500])
        self.stage, self.code, self.text = stage, code, text


class Connection:
    """A connection to a server, made when first needed and made again after anything went wrong."""

    def __init__(self, server: Server, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._server, self._timeout = server, timeout
        self._talk: SmtpProtocol | None = None
        self._offers: frozenset[str] = frozenset()

    async def check(self) -> str:
        """Connect, and sign in where a user is given; return the server's words. Raises Disconnected."""
        try:
            talk = await self._connected()
            return (await self._ask(talk, b"NOOP"))[1]
        except (_Refused, OSError) as error:
            raise Disconnected(_words(error)) from error
        finally:
            await self.close()

    async def deliver(self, message: bytes, *, sender: str, recipient: str) -> Outcome:
        """Hand one message over and say what became of it."""
        try:
            return await self._deliver(message, sender=sender, recipient=recipient)
        except BaseException:
            # Broken off in the middle: what the server still answers, and whom it still waits to write to, belong to
            # this message and would be taken for the next one's.
            self._leave()
            raise

    async def _deliver(self, message: bytes, *, sender: str, recipient: str) -> Outcome:
        reused = self._talk is not None
        try:
            talk = await self._connected()
        except (_Refused, Disconnected, OSError) as error:
            self._leave()
            return _put_off(f"connect: {_words(error)}", unreachable=True)
        try:
            await self._envelope(talk, sender, recipient)
        except _Refused as refused:
            await self._reset(refused.code)
            return _refused(refused)
        except Disconnected as error:
            self._leave()
            # A server may leave a connection that waited too long; nothing of this message has gone yet.
            return (
                await self._deliver(message, sender=sender, recipient=recipient)
                if reused
                else _put_off(f"before the content: {_words(error)}")
            )
        return await self._content(talk, message)

    async def close(self) -> None:
        """Leave the server, politely where it still listens."""
        if self._talk is not None:
            with contextlib.suppress(Disconnected):
                await self._ask(self._talk, b"QUIT")
        self._leave()
        await asyncio.sleep(0)  # the loop closes sockets in its next round

    def _leave(self) -> None:
        talk, self._talk = self._talk, None
        if talk is not None:
            talk.close()

    async def _connected(self) -> SmtpProtocol:
        if self._talk is not None:
            return self._talk
        server = self._server
        at_once: dict[str, Any] = {"ssl": _tls(server), "server_hostname": server.host} if server.implicit_tls else {}
        opening = asyncio.get_running_loop().create_connection(SmtpProtocol, server.host, server.port, **at_once)
        _transport, talk = await asyncio.wait_for(opening, self._timeout)
        self._talk = talk
        _expect("greeting", (220,), await talk.reply(self._timeout))
        await self._hello(talk)
        if not server.implicit_tls and "STARTTLS" in self._offers:
            _expect("starttls", (220,), await self._ask(talk, b"STARTTLS"))
            await asyncio.wait_for(talk.secure(_tls(server), server.host), self._timeout)
            await self._hello(talk)
        elif not server.implicit_tls and (server.tls_required or (server.user and not server.is_loopback)):
            # A password in the clear would belong to whoever strips STARTTLS from the answer.
            raise _Refused("starttls", 0, "the server offers no TLS, and RECOBRA_SMTP_URL or its password requires it")
        if server.user:
            await self._sign_in(talk)
        return talk

    async def _hello(self, talk: SmtpProtocol) -> None:
        name = _own_name().encode()
        talk.say(b"EHLO " + name + b"\r\n")
        code, text = await talk.reply(self._timeout)
        if code == 250:
            self._offers = frozenset(text.upper().replace("=", " ").split())
        else:
            self._offers = frozenset()
            _expect("helo", (250,), await self._ask(talk, b"HELO " + name))

    async def _sign_in(self, talk: SmtpProtocol) -> None:
        user, password = self._server.user.encode(), self._server.password.encode()
        if "PLAIN" in self._offers or "LOGIN" not in self._offers:
            secret = base64.b64encode(b"\0" + user + b"\0" + password)
            _expect("auth", (235,), await self._ask(talk, b"AUTH PLAIN " + secret))
            return
        _expect("auth", (334,), await self._ask(talk, b"AUTH LOGIN"))
        _expect("auth", (334,), await self._ask(talk, base64.b64encode(user)))
        _expect("auth", (235,), await self._ask(talk, base64.b64encode(password)))

    async def _envelope(self, talk: SmtpProtocol, sender: str, recipient: str) -> None:
        """Say who writes to whom, and get leave to send the content. Raises _Refused, Disconnected."""
        international = not (sender + recipient).isascii()
        if international and "SMTPUTF8" not in self._offers:
            raise _Refused("rcpt", 553, "5.6.7 the server takes no addresses outside ASCII")
        mail = f"MAIL FROM:<{sender}>{' SMTPUTF8' if international else ''}\r\n".encode()
        steps = (
            ("mail", (250,), mail),
            ("rcpt", (250, 251), f"RCPT TO:<{recipient}>\r\n".encode()),
            ("data", (354,), b"DATA\r\n"),
        )
        if "PIPELINING" in self._offers:
            await self._at_once(talk, steps)
            return
        for stage, wanted, command in steps:
            talk.say(command)
            _expect(stage, wanted, await talk.reply(self._timeout))

    async def _at_once(self, talk: SmtpProtocol, steps: tuple[tuple[str, tuple[int, ...], bytes], ...]) -> None:
        """Say the whole envelope in one breath (RFC 2920) and hear all answers before anything else is said."""
        talk.say(b"".join(command for _stage, _wanted, command in steps))
        refused: _Refused | None = None
        for stage, wanted, _command in steps:
            code, text = await talk.reply(self._timeout)
            if refused is None and code not in wanted:
                refused = _Refused(stage, code, text)
            elif refused is not None and stage == "data" and code == 354:
                # It waits for a content that has no recipient: leaving says more clearly that none was sent.
                self._leave()
        if refused is not None:
            raise refused

    async def _content(self, talk: SmtpProtocol, message: bytes) -> Outcome:
        """Send the content; from its first byte on only the server's own answer removes the doubt."""
        content = re.sub(rb"(?m)^\.", b"..", message)
        try:
            talk.say(content + b".\r\n")
            code, text = await talk.reply(self._timeout)
        except Disconnected as error:
            self._leave()
            return Outcome(kind=OutcomeKind.UNCERTAIN, reason=reasons.LOST, answer=_words(error))
        if code == 250:
            return Outcome(kind=OutcomeKind.SENT, answer=f"{code} {text}"[:500])
        refused = _Refused("content", code, text)
        await self._reset(code)
        if not 400 <= code <= 599:
            return Outcome(kind=OutcomeKind.UNCERTAIN, reason=reasons.LOST, answer=str(refused))
        return _refused(refused)

    async def _reset(self, code: int) -> None:
        """Make the connection fit for the next message after a refusal; 421 says that the server is leaving."""
        try:
            if self._talk is not None and code != 421 and (await self._ask(self._talk, b"RSET"))[0] == 250:
                return
        except Disconnected:
            pass
        self._leave()

    async def _ask(self, talk: SmtpProtocol, command: bytes) -> tuple[int, str]:
        talk.say(command + b"\r\n")
        return await talk.reply(self._timeout)


def _expect(stage: str, wanted: tuple[int, ...], reply: tuple[int, str]) -> None:
    if reply[0] not in wanted:
        raise _Refused(stage, *reply)


def _refused(refused: _Refused) -> Outcome:
    if 500 <= refused.code <= 599:
        bounce = _bounce(refused) if refused.stage == "rcpt" else None
        return Outcome(kind=OutcomeKind.FAILED, reason=reasons.REFUSED, answer=str(refused), bounce=bounce)
    return _put_off(str(refused))


def _bounce(refused: _Refused) -> Bounce:
    """RFC 3463: 5.1.x speaks of the address itself; without it, 550, 551 and 553 do (RFC 5321)."""
    enhanced = re.match(r"\s*5\.(\d+)\.\d+", refused.text)
    hard = enhanced.group(1) == "1" if enhanced else refused.code in _HARD
    return Bounce.HARD if hard else Bounce.SOFT


def _put_off(answer: str, *, unreachable: bool = False) -> Outcome:
    reason = reasons.UNREACHABLE if unreachable else reasons.REFUSED
    return Outcome(kind=OutcomeKind.RETRY, reason=reason, answer=answer, unreachable=unreachable)


def _tls(server: Server) -> ssl.SSLContext:
    context = ssl.create_default_context()
    # Opportunistic TLS without verification is no worse than the plain text it replaces; on this machine itself
    # there is nobody in between, and a certificate for 127.0.0.1 hardly exists.
    if server.is_loopback or not (server.implicit_tls or server.tls_required or server.user):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _own_name() -> str:
    """Return the name of this machine as EHLO wants it, or its address (RFC 5321, 4.1.3)."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def _words(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]
