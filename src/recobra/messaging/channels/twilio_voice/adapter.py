"""Adapter of automatic calls by Twilio Voice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.messaging.channels import http
from recobra.messaging.channels.adapter import Adapter, Config, Event, Media, Setting, Unsuitable, WebhookRequest
from recobra.messaging.channels.twilio import account
from recobra.messaging.channels.twilio.adapter import TwilioAdapter
from recobra.messaging.channels.twilio_voice import webhook
from recobra.messaging.channels.twilio_voice.client import TwilioCaller


class TwilioVoice(TwilioAdapter):
    """Automatic calls, answered on the keypad."""

    kind = "twilio_voice"
    channel = "ivr"
    label: str | Promise = gettext_lazy("Automatic calls by Twilio")
    resource = "Calls"
    settings: tuple[Setting, ...] = (
        *account.ACCOUNT_SETTINGS,
        Setting(
            name="person_number",
            label=gettext_lazy("Number where people answer"),
            required=False,
            help=gettext_lazy("Who asks for a person is put through to it within office hours."),
        ),
    )

    def find_problems(self, config: Config) -> dict[str, str]:
        """Return what is wrong with the settings, by field."""
        problems = account.find_account_problems(config)
        if not config.settings.get("from_number"):
            problems["from_number"] = _("A call never hides its number: one is needed.")
        return problems | account.find_number_problem(config, "person_number")

    @asynccontextmanager
    async def open_sender(self, config: Config) -> AsyncIterator[TwilioCaller]:
        """Open connections to Twilio. Raises Unsuitable."""
        for problem in self.find_problems(config).values():
            raise Unsuitable(problem)
        async with http.open_session() as session:
            yield TwilioCaller(config, session)

    def read_events(self, call: WebhookRequest, config: Config) -> Sequence[Event]:
        """Return the events of a call. Raises ValueError."""
        del config
        return webhook.read_events(call)

    async def fetch_media(self, media: Media, config: Config, *, max_bytes: int) -> bytes:
        """Refuse: no files come in. Raises Unsuitable."""
        del media, config, max_bytes
        raise Unsuitable(_("No files come in by this channel."))


ADAPTER: Final[Adapter] = TwilioVoice()
