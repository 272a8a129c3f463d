"""The built-in mailbox: a real SMTP server on loopback that keeps whatever it gets, also what comes twice."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from email.policy import default as policy
from typing import Any
from uuid import UUID

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from django.db import connections

from recobra.kit import clock
from recobra.messaging.models import MailboxMessage

HOST = "127.0.0.1"


class Mailbox:
    """An SMTP server of this process; what it accepts with 250 is committed."""

    def __init__(self, *, port: int = 0) -> None:
        self._port = port
        self._controller: Controller | None = None
        # One thread of its own, and so one database connection of its own, whatever its owner's transaction does.
        self._thread: ThreadPoolExecutor | None = None

    def start(self) -> str:
        """Start listening and return the server's URL."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mailbox")
        self._controller = Controller(_Handler(self._thread), hostname=HOST, port=self._port or _find_free_port())
        self._controller.start()
        return f"smtp://{HOST}:{self._controller.port}"

    def stop(self) -> None:
        """Stop listening; what was accepted stays."""
        if self._controller is not None:
            self._controller.stop()
        if self._thread is not None:
            self._thread.submit(connections.close_all).result()
            self._thread.shutdown()
        self._controller = self._thread = None


async def has_received(public_id: UUID) -> bool:
    """Return whether the mailbox received a contact's message; asked on a connection of its own."""

    def is_in_mailbox() -> bool:
        try:
            return MailboxMessage.objects.filter(contact_public_id=str(public_id)).exists()
        finally:
            connections.close_all()

    # Django's connections belong to their thread, and inside an event loop it refuses to use one at all.
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="mailbox") as thread:
        return await asyncio.get_running_loop().run_in_executor(thread, is_in_mailbox)


class _Handler:
    """Takes messages from aiosmtpd; the 250 goes out only after the message is committed."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self._thread = thread

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        content = envelope.original_content or b""
        await asyncio.get_running_loop().run_in_executor(self._thread, _save_message, envelope, content)
        return "250 kept in the mailbox"


def _save_message(envelope: Envelope, content: bytes) -> None:
    """Store a message as it was received; runs in the mailbox's own thread."""
    message = message_from_bytes(content, policy=policy)
    MailboxMessage.objects.create(
        received_at=clock.now(),
        contact_public_id=str(message.get("X-Recobra-Contact", "")),
        sender=envelope.mail_from or "",
        recipients=", ".join(envelope.rcpt_tos),
        subject=str(message["Subject"] or ""),
        raw=content,
    )


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
