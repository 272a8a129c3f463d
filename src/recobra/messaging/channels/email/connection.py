"""SMTP connection, kept open from message to message, that knows at every moment what the server may have.

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

from recobra.kit import outgoing_rule
from recobra.messaging import reasons
from recobra.messaging.channels.base import Bounce, Outcome, OutcomeKind
from recobra.messaging.channels.email.server import Server, ServerUnsuitable
from recobra.messaging.channels.email.smtp_dialogue import Disconnected, SmtpProtocol

TIMEOUT_SECONDS = 30.0
_HARD_CODES = {550, 551, 553}


class _Refused(Exception):
    """The server refuses a command; `stage` names the command."""

    def __init__(self, stage: str, code: int, text: str) -> None:
        super().__init__(f"{stage}: {code} {' '.join(text.split())}"[:500])
        self.stage = stage
        self.code = code
        self.text = text


class Connection:
    """A connection to a server, made when first needed, and made again after anything went wrong."""

    def __init__(self, server: Server, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._server, self._timeout = server, timeout
        self._protocol: SmtpProtocol | None = None
        self._extensions: frozenset[str] = frozenset()

    async def check(self) -> str:
        """Connect, and sign in where there is a user; return the server's code.

        Raises Disconnected, and ServerUnsuitable with the code of a refusal.
        """
        try:
            protocol = await self._connect()
            code, _text = await self._run_command(protocol, b"NOOP")
        except _Refused as refused:
            raise ServerUnsuitable(f"{refused.stage}: {refused.code or refused.text}") from refused
        except OSError as error:
            raise Disconnected(_describe_error(error)) from error
        finally:
            await self.close()
        return str(code)

    async def deliver(self, message: bytes, *, sender: str, recipient: str) -> Outcome:
        """Hand over one message and return the outcome."""
        try:
            return await self._try_deliver(message, sender=sender, recipient=recipient)
        except BaseException:
            # Broken off in the middle: the replies still to come, and the recipient already named, belong to this
            # message and would be taken for the next one's.
            self._disconnect()
            raise

    async def _try_deliver(self, message: bytes, *, sender: str, recipient: str) -> Outcome:
        """Hand over one message; on a kept connection that turns out to be closed, once more on a new one."""
        is_reused = self._protocol is not None
        try:
            protocol = await self._connect()
        except (_Refused, Disconnected, OSError) as error:
            self._disconnect()
            return _retry_outcome(f"connect: {_describe_error(error)}", unreachable=True)
        try:
            await self._send_envelope(protocol, sender, recipient)
        except _Refused as refused:
            await self._reset(refused.code)
            return _refused_outcome(refused)
        except Disconnected as error:
            self._disconnect()
            if is_reused:
                # A server may close a connection that was idle too long; nothing of this message has left yet.
                return await self._try_deliver(message, sender=sender, recipient=recipient)
            return _retry_outcome(f"before the content: {_describe_error(error)}")
        return await self._send_content(protocol, message)

    async def close(self) -> None:
        """Close the connection, with QUIT where the server still listens."""
        if self._protocol is not None:
            with contextlib.suppress(Disconnected):
                await self._run_command(self._protocol, b"QUIT")
        self._disconnect()
        await asyncio.sleep(0)  # the loop closes sockets in its next round

    def _disconnect(self) -> None:
        protocol = self._protocol
        self._protocol = None
        if protocol is not None:
            protocol.close()

    async def _connect(self) -> SmtpProtocol:
        """Return the open connection, or a new one, signed in. Raises _Refused, Disconnected, OSError."""
        if self._protocol is not None:
            return self._protocol
        server = self._server
        protocol = await asyncio.wait_for(self._open(), self._timeout)
        self._protocol = protocol
        _expect("greeting", (220,), await protocol.read_reply(self._timeout))
        await self._greet(protocol)
        if not server.implicit_tls and "STARTTLS" in self._extensions:
            _expect("starttls", (220,), await self._run_command(protocol, b"STARTTLS"))
            await asyncio.wait_for(protocol.start_tls(_tls_context(server), server.host), self._timeout)
            await self._greet(protocol)
        elif not server.implicit_tls and (server.tls_required or (server.user and not server.is_loopback)):
            # Otherwise an attacker who strips STARTTLS from the answer would get the password in plain text.
            raise _Refused("starttls", 0, "the server offers no TLS, and RECOBRA_SMTP_URL or its password requires it")
        if server.user:
            await self._sign_in(protocol)
        return protocol

    async def _open(self) -> SmtpProtocol:
        """Connect to the first address of the server that may be called and answers. Raises OSError."""
        server = self._server
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
        except UnicodeError as error:
            raise OSError("The host has a name that no name server knows.") from error
        # Connected to is what was judged: looked up again, the name might lead elsewhere.
        addresses = dict.fromkeys(str(socket_address[0]) for *_kind, socket_address in found)
        failure = OSError("The address may not be called.")
        for address in addresses:
            if not outgoing_rule.may_connect(address, server.host, server.port):
                continue
            try:
                _transport, protocol = await loop.create_connection(
                    SmtpProtocol,
                    address,
                    server.port,
                    ssl=_tls_context(server) if server.implicit_tls else None,
                    server_hostname=server.host if server.implicit_tls else None,
                )
            except OSError as error:
                failure = error
            else:
                return protocol
        raise failure

    async def _greet(self, protocol: SmtpProtocol) -> None:
        """Send EHLO and keep the extensions that the server offers; a server that refuses EHLO gets HELO."""
        host = socket.gethostname()
        # EHLO takes a full name or an address (RFC 5321, 4.1.3).
        is_full_name = "." in host and host.isascii()
        name = host.encode() if is_full_name else b"[127.0.0.1]"
        protocol.write(b"EHLO " + name + b"\r\n")
        code, text = await protocol.read_reply(self._timeout)
        if code == 250:
            self._extensions = frozenset(text.upper().replace("=", " ").split())
        else:
            self._extensions = frozenset()
            _expect("helo", (250,), await self._run_command(protocol, b"HELO " + name))

    async def _sign_in(self, protocol: SmtpProtocol) -> None:
        """Sign in by AUTH PLAIN, or by AUTH LOGIN where the server offers only that. Raises _Refused."""
        user = self._server.user.encode()
        password = self._server.password.encode()
        if "PLAIN" in self._extensions or "LOGIN" not in self._extensions:
            secret = base64.b64encode(b"\0" + user + b"\0" + password)
            _expect("auth", (235,), await self._run_command(protocol, b"AUTH PLAIN " + secret))
            return
        _expect("auth", (334,), await self._run_command(protocol, b"AUTH LOGIN"))
        _expect("auth", (334,), await self._run_command(protocol, base64.b64encode(user)))
        _expect("auth", (235,), await self._run_command(protocol, base64.b64encode(password)))

    async def _send_envelope(self, protocol: SmtpProtocol, sender: str, recipient: str) -> None:
        """Send MAIL, RCPT and DATA. Raises _Refused, Disconnected."""
        is_international = not (sender + recipient).isascii()
        if is_international and "SMTPUTF8" not in self._extensions:
            raise _Refused("rcpt", 553, "5.6.7 the server takes no addresses outside ASCII")
        mail = f"MAIL FROM:<{sender}>{' SMTPUTF8' if is_international else ''}\r\n".encode()
        steps = (
            ("mail", (250,), mail),
            ("rcpt", (250, 251), f"RCPT TO:<{recipient}>\r\n".encode()),
            ("data", (354,), b"DATA\r\n"),
        )
        if "PIPELINING" in self._extensions:
            await self._send_pipelined(protocol, steps)
            return
        for stage, expected_codes, command in steps:
            protocol.write(command)
            _expect(stage, expected_codes, await protocol.read_reply(self._timeout))

    async def _send_pipelined(
        self, protocol: SmtpProtocol, steps: tuple[tuple[str, tuple[int, ...], bytes], ...]
    ) -> None:
        """Send the whole envelope at once (RFC 2920), and read all replies before anything else is sent."""
        protocol.write(b"".join(command for _stage, _codes, command in steps))
        refused: _Refused | None = None
        for stage, expected_codes, _command in steps:
            code, text = await protocol.read_reply(self._timeout)
            if refused is None and code not in expected_codes:
                refused = _Refused(stage, code, text)
            elif refused is not None and stage == "data" and code == 354:
                # The server waits for a content that has no recipient: closing makes sure that it takes none.
                self._disconnect()
        if refused is not None:
            raise refused

    async def _send_content(self, protocol: SmtpProtocol, message: bytes) -> Outcome:
        """Send the content; from its first byte on only the server's reply tells whether it has the message."""
        content = re.sub(rb"(?m)^\.", b"..", message)
        try:
            protocol.write(content + b".\r\n")
            code, text = await protocol.read_reply(self._timeout)
        except Disconnected as error:
            self._disconnect()
            return Outcome(kind=OutcomeKind.UNCERTAIN, reason=reasons.LOST, answer=_describe_error(error))
        if code == 250:
            return Outcome(kind=OutcomeKind.SENT, answer=f"{code} {text}"[:500])
        refused = _Refused("content", code, text)
        await self._reset(code)
        if not 400 <= code <= 599:
            return Outcome(kind=OutcomeKind.UNCERTAIN, reason=reasons.LOST, answer=str(refused))
        return _refused_outcome(refused)

    async def _reset(self, code: int) -> None:
        """Make the connection ready for the next message after a refusal with this code."""
        if self._protocol is None:
            return
        is_ready = False
        # 421: the server is closing the connection.
        if code != 421:
            with contextlib.suppress(Disconnected):
                reset_code, _text = await self._run_command(self._protocol, b"RSET")
                is_ready = reset_code == 250
        if not is_ready:
            self._disconnect()

    async def _run_command(self, protocol: SmtpProtocol, command: bytes) -> tuple[int, str]:
        """Send one command and return the code and text of the reply. Raises Disconnected."""
        protocol.write(command + b"\r\n")
        return await protocol.read_reply(self._timeout)


def _expect(stage: str, expected_codes: tuple[int, ...], reply: tuple[int, str]) -> None:
    """Raise _Refused, naming the stage, unless the code of a reply (code, text) is one of those expected."""
    code, text = reply
    if code not in expected_codes:
        raise _Refused(stage, code, text)


def _refused_outcome(refused: _Refused) -> Outcome:
    """Return the outcome of a refusal by the server: final for 5xx, to be tried again for any other code."""
    if 500 <= refused.code <= 599:
        bounce = None
        if refused.stage == "rcpt":
            # RFC 3463: 5.1.x is about the address itself; without such a code, 550, 551 and 553 are (RFC 5321).
            enhanced = re.match(r"\s*5\.(\d+)\.\d+", refused.text)
            is_hard = enhanced.group(1) == "1" if enhanced else refused.code in _HARD_CODES
            bounce = Bounce.HARD if is_hard else Bounce.SOFT
        return Outcome(kind=OutcomeKind.FAILED, reason=reasons.REFUSED, answer=str(refused), bounce=bounce)
    return _retry_outcome(str(refused))


def _retry_outcome(answer: str, *, unreachable: bool = False) -> Outcome:
    """Return the outcome «try again»; `unreachable` where the server itself is in trouble, not this message."""
    reason = reasons.UNREACHABLE if unreachable else reasons.REFUSED
    return Outcome(kind=OutcomeKind.RETRY, reason=reason, answer=answer, unreachable=unreachable)


def _tls_context(server: Server) -> ssl.SSLContext:
    """Return the TLS settings for a server; its certificate is verified where TLS or a password is required."""
    context = ssl.create_default_context()
    # Opportunistic TLS without verification is no worse than the plain text it replaces; on this machine itself
    # there is nobody in between, and a certificate for 127.0.0.1 hardly exists.
    if server.is_loopback or not (server.implicit_tls or server.tls_required or server.user):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _describe_error(error: Exception) -> str:
    """Return the class and text of an error on one line, short enough to be stored."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]
