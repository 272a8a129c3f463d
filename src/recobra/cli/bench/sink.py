"""Sink of the bench: a mail server and an SMS gateway that accept everything.

They run in a process of their own, print their ports, and print on request what they were given.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections import Counter
from typing import Any

_CONTACT = re.compile(rb"^X-Recobra-Contact: *([0-9a-f-]{36})\r?$", re.MULTILINE | re.IGNORECASE)
_LENGTH = re.compile(rb"^content-length: *(\d+)\r?$", re.MULTILINE | re.IGNORECASE)
_HELLO = b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
HEADER_BYTES = 5_000  # the headers of a message are within its first bytes


class SinkProcess:
    """The process that takes the messages; `ports` are its ports by channel."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "recobra.cli.bench.sink"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.ports: dict[str, int] = self._read_line()

    def take_figures(self) -> dict[str, Any]:
        """Return what arrived since the last call, as `Arrivals.take_figures`."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        figures: dict[str, Any] = self._read_line()
        return figures

    def close(self) -> None:
        """End the process."""
        self.process.communicate()

    def _read_line(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())


class Arrivals:
    """Count of the messages that arrived, by the contact's id."""

    def __init__(self) -> None:
        self.by_contact: Counter[bytes] = Counter()
        self.octets = 0
        self.last_at = 0.0

    def count(self, contact: bytes, octets: int) -> None:
        """Count a message that has just arrived."""
        self.by_contact[contact] += 1
        self.octets += octets
        self.last_at = time.monotonic()

    def take_figures(self) -> dict[str, float]:
        """Return messages, octets, duplicates and when the last one came (monotonic clock), and begin anew."""
        figures = {
            "messages": self.by_contact.total(),
            "octets": self.octets,
            "duplicates": self.by_contact.total() - len(self.by_contact),
            "last_at": self.last_at,
        }
        self.by_contact.clear()
        self.octets = 0
        return figures


class _Connection(asyncio.Protocol):
    """One connection of either server; `_buffer` holds what has come in and was not answered yet."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport


class MailSink(_Connection):
    """The server's side of SMTP, with everything accepted."""

    _content = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        super().connection_made(transport)
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer every whole command and content."""
        self._buffer += data
        answers = b"".join(self._answers())
        if answers:
            self._transport.write(answers)

    def _answers(self) -> list[bytes]:
        """Return the answer to every whole command or content in the buffer, and take them out of it."""
        answers: list[bytes] = []
        while True:
            end = b"\r\n.\r\n" if self._content else b"\r\n"
            part, separator, rest = self._buffer.partition(end)
            if not separator:
                return answers
            self._buffer = rest
            if self._content:
                answers.append(self._answer_content(part))
            else:
                verb = part[:4].upper()
                answers.append(self._answer_command(verb))

    def _answer_content(self, content: bytes) -> bytes:
        """Count a message by the contact that its headers name."""
        self._content = False
        match = _CONTACT.search(content, 0, HEADER_BYTES)
        self._arrivals.count(match.group(1) if match else b"", len(content))
        return b"250 2.0.0 taken\r\n"

    def _answer_command(self, verb: bytes) -> bytes:
        """Answer a command by its verb; after DATA the content follows."""
        if verb == b"DATA":
            self._content = True
            return b"354 go on\r\n"
        if verb == b"EHLO":
            return _HELLO
        if verb == b"QUIT":
            return b"221 bye\r\n"
        return b"250 fine\r\n"


class GatewaySink(_Connection):
    """The server's side of an SMS gateway over HTTP, with everything accepted."""

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            body_start = end + len(b"\r\n\r\n")
            length = _LENGTH.search(self._buffer, 0, end)
            request_length = body_start + (int(length.group(1)) if length else 0)
            if len(self._buffer) < request_length:
                return
            body = self._buffer[body_start:request_length]
            self._buffer = self._buffer[request_length:]
            contact = str(json.loads(body).get("reference", "")).encode()
            self._arrivals.count(contact, len(body))
            answer = b'{"id":"' + contact + b'"}'
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
            self._transport.write(head + str(len(answer)).encode() + b"\r\n\r\n" + answer)


async def main() -> None:
    """Listen until standard input ends; answer each of its lines with what arrived since the one before."""
    loop = asyncio.get_running_loop()
    arrivals = Arrivals()
    mail = await loop.create_server(lambda: MailSink(arrivals), "127.0.0.1", 0, backlog=512)
    gateway = await loop.create_server(lambda: GatewaySink(arrivals), "127.0.0.1", 0, backlog=512)
    # Ports that the system has chosen.
    _host, mail_port = mail.sockets[0].getsockname()
    _host, gateway_port = gateway.sockets[0].getsockname()
    sys.stdout.write(json.dumps({"email": mail_port, "sms": gateway_port}) + "\n")
    sys.stdout.flush()
    while await loop.run_in_executor(None, sys.stdin.readline):
        sys.stdout.write(json.dumps(arrivals.take_figures()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
