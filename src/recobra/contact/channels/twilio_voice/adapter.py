"""The adapter of automatic calls by Twilio Voice."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.contact.channels import http
from recobra.contact.channels.adapter import Adapter, Check, Config, Event, Incoming, Media, Setting, Unsuitable
from recobra.contact.channels.twilio import account, signature

from . import webhook
from .client import TwilioCaller


class TwilioVoice:
    """Automatic calls, answered on the keypad."""

    kind = "twilio_voice"
    channel = "ivr"
    label: str | Promise = gettext_lazy("Automatic calls by Twilio")
    two_way = True
    settings: tuple[Setting, ...] = (
        *account.ACCOUNT_SETTINGS,
        Setting(name="person_number", label=gettext_lazy("Number where people answer"), required=False,
                help=gettext_lazy("Who asks for a person is put through to it within office hours.")),
    )  # fmt: skip

    def problems(self, config: Config) -> dict[str, str]:
        """Return what is wrong with the settings, by field."""
        problems = account.account_problems(config)
        if not config.settings.get("from_number"):
            problems["from_number"] = _("A call never hides its number: one is needed.")
        person = config.settings.get("person_number", "")
        if person and not re.fullmatch(r"\+[1-9]\d{6,14}", person):
            problems["person_number"] = _("A number in international form is expected, such as +5115550100.")
        return problems

    @asynccontextmanager
    async def opened(self, config: Config) -> AsyncIterator[TwilioCaller]:
        """Open connections to Twilio. Raises Unsuitable."""
        for problem in self.problems(config).values():
            raise Unsuitable(problem)
        async with http.session() as session:
            yield TwilioCaller(config, session)

    def message_id(self, public_id: UUID, config: Config) -> str:
        """Twilio gives ids of its own."""
        del public_id, config
        return ""

    async def was_received(self, public_id: UUID, reference: str, config: Config) -> bool | None:
        """Ask Twilio by its own id; without one it cannot tell whose call was whose."""
        del public_id
        status = await account.status_of(config, f"Calls/{reference}") if reference else None
        return status not in {"failed", "canceled"} if status else None

    async def check(self, config: Config) -> Check:
        """Ask for the account; calls nobody."""
        return await account.check_account(config)

    def verify(self, call: Incoming, config: Config) -> None:
        """Refuse a call that is not Twilio's. Raises Forged."""
        signature.verify(call, config)

    def read(self, call: Incoming, config: Config) -> Sequence[Event]:
        """Return what a call says. Raises ValueError."""
        del config
        return webhook.read(call)

    async def fetch(self, media: Media, config: Config, *, most_bytes: int) -> bytes:
        """No files come in. Raises Unsuitable."""
        del media, config, most_bytes
        raise Unsuitable(_("No files come in by this channel."))


ADAPTER: Final[Adapter] = TwilioVoice()
