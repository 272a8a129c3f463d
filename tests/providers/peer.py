"""A provider on loopback with scripted answers: replies, resets, hangs, half replies; it records its requests."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

RESET, HANG, HALF, BREAK_HEAD = "reset", "hang", "half", "break head"


@dataclass
class PeerRequest:
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))


@dataclass
class Peer:
    """Gives its answers in order; the last one stays. A function is asked for the answer to a request."""

    answers: list[Any] = field(default_factory=list)
    requests: list[PeerRequest] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._serve_request(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    async def _serve_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        first, _, rest = head.partition(b"\r\n")
        method, target, _ = first.decode().split(" ", 2)
        headers = {k.lower(): v for k, v in BytesParser().parsebytes(rest).items()}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.requests.append(PeerRequest(method, target, headers, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = answer(self.requests[-1])
        return await self._write_answer(answer, writer)

    async def _write_answer(self, answer: Any, writer: asyncio.StreamWriter) -> bool:
        if answer == HANG:
            await asyncio.sleep(60)
        if answer == RESET:
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        if answer in (RESET, HANG):
            return False
        if answer == BREAK_HEAD:
            writer.write(b"HTTP/1.1 200 O")
            await writer.drain()
            return False
        is_half = answer == HALF
        status, content, headers = (200, {"half": "an answer"}, {}) if is_half else (*answer, {})[:3]
        raw_body = content if isinstance(content, bytes) else json.dumps(content).encode()
        lines = {"Content-Type": "application/json", "Content-Length": str(len(raw_body)), **headers}
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        writer.write(f"HTTP/1.1 {status} X\r\n{text}\r\n".encode() + (raw_body[:5] if is_half else raw_body))
        await writer.drain()
        return not is_half


@contextmanager
def open_in_thread(*answers: Any):
    """Listen in a thread of its own, for code that runs its own event loop."""
    ready, stop, peers = threading.Event(), threading.Event(), []

    async def run():
        async with open_peer(*answers) as peer:
            peers.append(peer)
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    ready.wait()
    try:
        yield peers[0]
    finally:
        stop.set()
        thread.join()


@asynccontextmanager
async def open_peer(*answers: Any, host: str = "127.0.0.1"):
    """Listen on a free port until the block ends."""
    peer = Peer(list(answers))
    tasks: set[asyncio.Task[None]] = set()

    async def serve_connection(reader, writer):
        task = asyncio.current_task()
        tasks.add(task)
        await peer.serve(reader, writer)
        tasks.discard(task)

    server = await asyncio.start_server(serve_connection, host, 0)
    peer.url = f"http://{host}:{server.sockets[0].getsockname()[1]}"
    try:
        yield peer
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def closed_port() -> str:
    """Return an address where nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"
