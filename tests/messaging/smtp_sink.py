"""An SMTP server that misbehaves: it drops connections anywhere and answers 4xx and 5xx, and remembers what it took."""

from __future__ import annotations

import asyncio
import random
import re
import threading
from collections import Counter
from typing import Self

HEADER = re.compile(rb"^X-Recobra-Contact: *([0-9a-f-]{36})\r?$", re.MULTILINE | re.IGNORECASE)

# What may go wrong with one message, and how often. The first word is the stage, the second what happens there.
FAULTS = {
    "greet drop": 0.01,
    "greet 421": 0.01,
    "mail drop": 0.01,
    "mail 451": 0.01,
    "rcpt drop": 0.01,
    "rcpt 450": 0.03,
    "rcpt 550": 0.02,
    "data drop": 0.01,
    "data 451": 0.01,
    "body drop": 0.01,
    "dot drop": 0.01,
    "dot 452": 0.02,
    "dot 554": 0.02,
    "accepted drop": 0.02,
}
TEXTS = {
    "421": "4.3.2 busy",
    "450": "4.2.0 greylisted",
    "451": "4.3.0 try later",
    "452": "4.3.1 no room",
    "550": "5.1.1 no such user",
    "554": "5.7.1 not wanted",
}


class Sink:
    """Listens on loopback in a thread of its own; `accepted` counts messages by contact, answered or not."""

    speaks_smtp = True

    def __init__(
        self,
        *,
        faults: dict[str, float] | None = None,
        seed: int = 7,
        delay_seconds: float = 0.0,
        pipelining: bool = False,
    ) -> None:
        self.pipelining = pipelining
        self.faults = FAULTS if faults is None else faults
        self.delay_seconds = delay_seconds
        self.accepted: Counter[str] = Counter()
        self.injected: Counter[str] = Counter()
        self.contents: list[bytes] = []
        self._chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._talks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._welcome, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._talks.discard(talk)
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._fault("greet", writer):
            return
        _say(writer, "220 sink")
        while line := (await reader.readline()).strip().upper():
            command = line[:4].decode().lower()
            if command in {"mail", "rcpt"}:
                if not self._fault(command, writer):
                    _say(writer, "250 2.1.0 fine")
            elif command == "data":
                await self._take(reader, writer)
            elif command == "ehlo" and self.pipelining:
                writer.write(b"250-sink\r\n250 PIPELINING\r\n")
            else:
                _say(writer, "221 bye" if command == "quit" else "250 sink")

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._fault("data", writer):
            return
        _say(writer, "354 go on")
        self._fault("body", writer)
        content = await reader.readuntil(b"\r\n.\r\n")
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        if not self._fault("dot", writer):
            self._keep(content)
            self._fault("accepted", writer)
            _say(writer, "250 2.0.0 kept")

    def _fault(self, stage: str, writer: asyncio.StreamWriter) -> bool:
        """Answer with a refusal, if chance wants one at this stage; raises ConnectionError to drop."""
        for name, likely in self.faults.items():
            where, what = name.split()
            if where == stage and self._chance.random() < likely:
                self.injected[name] += 1
                if what == "drop":
                    raise ConnectionError(name)
                self._refuse(what, writer)
                return True
        return False

    def _refuse(self, what: str, writer: asyncio.StreamWriter) -> None:
        _say(writer, f"{what} {TEXTS[what]}")

    def _keep(self, content: bytes) -> None:
        found = HEADER.search(content)
        self.accepted[found.group(1).decode() if found else "without header"] += 1
        if len(self.contents) < 100:
            self.contents.append(content)


def _say(writer: asyncio.StreamWriter, text: str) -> None:
    writer.write(text.encode() + b"\r\n")
