"""Adapter of printed letters: a letter is handed over when it is stored for the next print batch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from recobra.kit.sync_db import DatabaseThread
from recobra.messaging import reasons
from recobra.messaging.channels.adapter import Check, Config, Setting
from recobra.messaging.channels.base import Message, Outcome, OutcomeKind
from recobra.messaging.channels.letter.content import build_letter, letter_to_json
from recobra.messaging.channels.letter.pdf import LetterUnsuitable
from recobra.messaging.channels.one_way import OneWay
from recobra.messaging.models import Contact, Letter


class LetterSender:
    """Stores letters for the next print batch."""

    def __init__(self, database: DatabaseThread, config: Config) -> None:
        self._database, self._config = database, config

    async def send(self, message: Message) -> Outcome:
        """Store one letter; a contact that is sent again finds its letter there."""
        return await self._database.run(_store_letter, message, self._config.settings.get("return_address", ""))


class LetterAdapter(OneWay):
    """Letters by the company's own printer and courier."""

    kind = "letters"
    channel = "letter"
    label = _("Printed letters")
    settings = (
        Setting(
            name="return_address",
            label=_("Address for undelivered letters"),
            required=False,
            help=_("Lines separated by semicolons; empty: that of the agency or the creditor."),
        ),
        Setting(name="courier", label=_("Courier"), required=False),
    )

    @asynccontextmanager
    async def open_sender(self, config: Config) -> AsyncIterator[LetterSender]:
        """Open a database thread for a run of letters."""
        async with DatabaseThread.open("letters") as database:
            yield LetterSender(database, config)

    async def was_received(self, public_id: UUID, reference: str, config: Config) -> bool | None:
        """Return whether the letter is stored."""
        del reference, config
        async with DatabaseThread.open("letters") as database:
            return await database.run(Letter.objects.filter(contact__public_id=public_id).exists)

    async def check_settings(self, config: Config) -> Check:
        """Return that all is well: nothing outside is needed."""
        return Check(ok=True, answer=f"{config.code}: letters wait for the next print batch")


ADAPTER = LetterAdapter()


def _store_letter(message: Message, return_address: str) -> Outcome:
    """Store the letter of a message for the next print batch, and return the outcome."""
    contact = Contact.objects.select_related("debtor__creditor", "portfolio").get(public_id=message.public_id)
    day = contact.local_date or message.date.date()
    try:
        letter = build_letter(
            contact,
            subject=message.subject,
            text=message.text,
            address=message.address,
            day=day,
            return_address=return_address,
        )
    except LetterUnsuitable as error:
        return Outcome(kind=OutcomeKind.FAILED, reason=reasons.REFUSED, answer=str(error), unusable=True)
    Letter.objects.get_or_create(
        contact=contact,
        defaults={"reference": letter.reference, "content": letter_to_json(letter), "changed_at": message.date},
    )
    return Outcome(kind=OutcomeKind.SENT, answer="in the tray", provider_reference=letter.reference)
