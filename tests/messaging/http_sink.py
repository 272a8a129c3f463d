"""An SMS gateway that misbehaves: it drops calls anywhere, answers 4xx and 5xx, and remembers what it took."""

from __future__ import annotations

import asyncio
import json

from recobra.messaging.models import Provider
from tests.messaging.smtp_sink import Sink

FAULTS = {
    "connect drop": 0.02,
    "request drop": 0.02,
    "request 429": 0.03,
    "request 400": 0.02,
    "request 500": 0.02,
    "accepted drop": 0.02,
    "accepted 503": 0.02,
    "accepted half": 0.02,
}
DOCUMENT = """
name: Sink
request:
  method: POST
  url: http://127.0.0.1:{port}/messages
  body: json
  fields: {{to: "{{to}}", text: "{{text}}", reference: "{{id}}"}}
answer:
  accepted: [200]
  id: id
"""


class Gateway(Sink):
    """Listens on loopback; `numbers` are those it took a message to, in order."""

    speaks_smtp = False

    def __init__(self, **options) -> None:
        super().__init__(**{"faults": FAULTS, **options})
        self.numbers: list[str] = []

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._fault("connect", writer):
            return
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            body = json.loads(await reader.readexactly(length))
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            if self._fault("request", writer):
                continue
            self.accepted[body["reference"]] += 1
            self.numbers.append(body["to"])
            if not self._fault("accepted", writer):
                answer(writer, 200, json.dumps({"id": f"G-{body['reference']}"}))

    def _refuse(self, what: str, writer: asyncio.StreamWriter) -> None:
        if what == "half":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
            raise ConnectionError(what)
        answer(writer, int(what), "{}")

    def provider(self, *, now, code="sink", **changes) -> Provider:
        """Configure it as a provider of SMS."""
        return Provider.objects.create(
            **{
                "code": code,
                "channel": "sms",
                "kind": "http_sms",
                "name": code,
                "enabled": True,
                "created_at": now,
                "settings": {"document": DOCUMENT.format(port=self.port)},
                "created_by": "ana",
                **changes,
            }
        )


def answer(writer: asyncio.StreamWriter, status: int, body: str) -> None:
    writer.write(
        f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        f"{body}".encode()
    )
