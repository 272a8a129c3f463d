"""Protocol of an SMTP connection: writes commands, reads replies line by line (RFC 5321, 4.2)."""

from __future__ import annotations

import asyncio
import ssl


class Disconnected(Exception):
    """The connection broke, or no reply came in time."""


class SmtpProtocol(asyncio.Protocol):
    """Buffers what the server sends until it is read."""

    # A plain protocol and no streams, which cost twice as much per line.

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._closed_reason: str = ""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to write to (asyncio calls this)."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Buffer received bytes (asyncio calls this)."""
        self._buffer += data
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Keep why the connection ended (asyncio calls this)."""
        self._closed_reason = f"{type(exc).__name__}: {exc}" if exc else "the server closed the connection"
        self._wake()

    def write(self, data: bytes) -> None:
        """Send bytes. Raises Disconnected where the connection is closed: then none of them left."""
        if self._closed_reason or self._transport is None or self._transport.is_closing():
            raise Disconnected(self._closed_reason or "not connected")
        self._transport.write(data)

    async def read_reply(self, seconds: float) -> tuple[int, str]:
        """Return the code and the text of the server's next reply. Raises Disconnected."""
        texts: list[str] = []
        while True:
            line = await self._read_line(seconds)
            if len(line) < 3 or not line[:3].isdigit():
                raise Disconnected(f"not an answer: {line[:80]!r}")
            texts.append(line[4:].decode("utf-8", "replace").strip())
            if line[3:4] != b"-":
                return int(line[:3]), " ".join(texts)

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Continue under TLS. Raises Disconnected, and OSError where TLS cannot be negotiated."""
        # Plain bytes after the server's consent may be an attacker's: they must not pass for bytes received under TLS.
        if self._transport is None or self._buffer:
            raise Disconnected("words in the clear after the consent to TLS")
        loop = asyncio.get_running_loop()
        self._transport = await loop.start_tls(self._transport, self, context, server_hostname=host)

    def close(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    async def _read_line(self, seconds: float) -> bytes:
        """Take one line from the buffer, without its line end, waiting for it if need be. Raises Disconnected."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > _MAX_REPLY_BYTES:
                raise Disconnected("an answer without end")
            if self._closed_reason:
                raise Disconnected(self._closed_reason)
            await self._wait_for_data(seconds)
        line = bytes(self._buffer[:end]).rstrip(b"\r")
        del self._buffer[: end + 1]
        return line

    async def _wait_for_data(self, seconds: float) -> None:
        """Wait until bytes arrive or the connection ends; after `seconds` it counts as closed."""
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(seconds, self._time_out, seconds)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _time_out(self, seconds: float) -> None:
        self._closed_reason = f"no answer in {seconds:g} seconds"
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


_MAX_REPLY_BYTES = 65_536
