"""The two sides of an SMTP connection as they are heard and said, line by line (RFC 5321, 4.2)."""

from __future__ import annotations

import asyncio
import ssl


class Disconnected(Exception):
    """The connection broke, or no answer came in time."""


class SmtpProtocol(asyncio.Protocol):
    """Keeps what the server says until it is asked for. A plain protocol: streams cost twice as much per line."""

    def __init__(self) -> None:
        self._heard = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._gone: str = ""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the way to write (asyncio calls this)."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Note what was said (asyncio calls this)."""
        self._heard += data
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that nobody is there any more (asyncio calls this)."""
        self._gone = f"{type(exc).__name__}: {exc}" if exc else "the server closed the connection"
        self._wake()

    def say(self, data: bytes) -> None:
        """Send bytes. Raises Disconnected where nobody listens: then none of them left."""
        if self._gone or self._transport is None or self._transport.is_closing():
            raise Disconnected(self._gone or "not connected")
        self._transport.write(data)

    async def reply(self, seconds: float) -> tuple[int, str]:
        """Return the code and the words of the server's next answer. Raises Disconnected."""
        words: list[str] = []
        while True:
            line = await self._line(seconds)
            if len(line) < 3 or not line[:3].isdigit():
                raise Disconnected(f"not an answer: {line[:80]!r}")
            words.append(line[4:].decode("utf-8", "replace").strip())
            if line[3:4] != b"-":
                return int(line[:3]), " ".join(words)

    async def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Go on under TLS; what was said in the clear after the server's consent is nobody's word.

        Raises Disconnected, and OSError where TLS cannot be agreed on.
        """
        if self._transport is None or self._heard:
            raise Disconnected("words in the clear after the consent to TLS")
        loop = asyncio.get_running_loop()
        self._transport = await loop.start_tls(self._transport, self, context, server_hostname=host)

    def close(self) -> None:
        """Leave at once."""
        if self._transport is not None:
            self._transport.abort()

    async def _line(self, seconds: float) -> bytes:
        while (end := self._heard.find(b"\n")) < 0:
            if len(self._heard) > _LONGEST:
                raise Disconnected("an answer without end")
            if self._gone:
                raise Disconnected(self._gone)
            await self._more(seconds)
        line = bytes(self._heard[:end]).rstrip(b"\r")
        del self._heard[: end + 1]
        return line

    async def _more(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        late = loop.call_later(seconds, self._late, seconds)
        try:
            await self._waiter
        finally:
            late.cancel()
            self._waiter = None

    def _late(self, seconds: float) -> None:
        self._gone = f"no answer in {seconds:g} seconds"
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


_LONGEST = 65_536
