"""Adapter of the built-in mailbox, which keeps the messages of a demonstration to be looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from email.message import EmailMessage
from uuid import UUID

from django.conf import settings
from django.db import connections
from django.utils.translation import gettext_lazy as _

from recobra.kit import clock
from recobra.messaging.channels.adapter import Check, Config, Setting, Unsuitable
from recobra.messaging.channels.base import Message, Outcome, OutcomeKind
from recobra.messaging.channels.one_way import OneWay
from recobra.messaging.mailbox import has_received
from recobra.messaging.models import MailboxMessage

_ONLY_IN_DEMONSTRATIONS = "The built-in mailbox is for demonstrations only."


class SandboxSender:
    """Writes messages into the mailbox."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        # One thread has a database connection of its own: a message stays even if the dispatcher rolls back.
        self._thread = thread

    async def send(self, message: Message) -> Outcome:
        """Store a message and return that it was sent."""
        await asyncio.get_running_loop().run_in_executor(self._thread, _store_message, message)
        return Outcome(
            kind=OutcomeKind.SENT, answer="kept in the mailbox", provider_reference=f"sandbox-{message.public_id}"
        )


class SandboxAdapter(OneWay):
    """Every channel, in demonstration mode only."""

    kind = "sandbox"
    channel = ""
    label = _("Built-in mailbox")
    settings: tuple[Setting, ...] = ()

    @asynccontextmanager
    async def open_sender(self, config: Config) -> AsyncIterator[SandboxSender]:
        """Open the mailbox for a run of messages. Raises Unsuitable."""
        del config
        if not settings.DEMO:
            raise Unsuitable(_ONLY_IN_DEMONSTRATIONS)
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox")
        try:
            yield SandboxSender(thread)
        finally:
            await asyncio.get_running_loop().run_in_executor(thread, connections.close_all)
            thread.shutdown()

    async def was_received(self, public_id: UUID, reference: str, config: Config) -> bool | None:
        """Return whether the message is in the mailbox."""
        del reference, config
        return await has_received(public_id)

    async def check_settings(self, config: Config) -> Check:
        """Return whether this is a demonstration."""
        del config
        return Check(ok=settings.DEMO, answer="kept in the mailbox" if settings.DEMO else _ONLY_IN_DEMONSTRATIONS)


ADAPTER = SandboxAdapter()


def _store_message(message: Message) -> None:
    """Write a message of any channel into the mailbox."""
    # As an e-mail, which is what the mailbox's screen reads.
    email = EmailMessage()
    email["To"] = " ".join(message.address.split())
    email["Subject"] = " ".join(message.subject.split())
    email["X-Recobra-Contact"] = str(message.public_id)
    email.set_content(message.text + "".join(f"\n[{button.title}]" for button in message.buttons))
    MailboxMessage.objects.create(
        channel=message.channel,
        received_at=clock.now(),
        contact_public_id=str(message.public_id),
        sender=message.on_behalf_of,
        recipients=message.address,
        subject=message.subject or message.text[:80],
        raw=bytes(email),
    )
