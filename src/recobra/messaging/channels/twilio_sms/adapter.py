"""Adapter of SMS by Twilio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.kit import outgoing_rule
from recobra.messaging.channels import http
from recobra.messaging.channels.adapter import Adapter, Config, Event, Media, Setting, Unsuitable, WebhookRequest
from recobra.messaging.channels.twilio import account
from recobra.messaging.channels.twilio.adapter import TwilioAdapter
from recobra.messaging.channels.twilio_sms import webhook
from recobra.messaging.channels.twilio_sms.client import TwilioSender


class TwilioSms(TwilioAdapter):
    """SMS by Twilio, both ways."""

    kind = "twilio_sms"
    channel = "sms"
    label: str | Promise = gettext_lazy("SMS by Twilio")
    resource = "Messages"
    settings: tuple[Setting, ...] = (
        *account.ACCOUNT_SETTINGS,
        Setting(
            name="messaging_service_sid",
            label=gettext_lazy("Messaging service SID"),
            required=False,
            help=gettext_lazy("Instead of a number; it begins with MG."),
        ),
    )

    def find_problems(self, config: Config) -> dict[str, str]:
        """Return what is wrong with the settings, by field."""
        problems = account.find_account_problems(config)
        service = config.settings.get("messaging_service_sid", "")
        if service and not account.is_sid(service, "MG"):
            problems["messaging_service_sid"] = _("MG and 32 characters from 0 to 9 and a to f are expected.")
        if not service and not config.settings.get("from_number"):
            problems["from_number"] = _("A number or a messaging service is needed.")
        return problems

    @asynccontextmanager
    async def open_sender(self, config: Config) -> AsyncIterator[TwilioSender]:
        """Open connections to Twilio. Raises Unsuitable."""
        for problem in self.find_problems(config).values():
            raise Unsuitable(problem)
        async with http.open_session() as session:
            yield TwilioSender(config, session)

    def read_events(self, call: WebhookRequest, config: Config) -> Sequence[Event]:
        """Return the events of a call. Raises ValueError."""
        del config
        return webhook.read_events(call)

    def build_response(self, call: WebhookRequest, config: Config) -> tuple[str, bytes]:
        """Return an empty document: answers to the debtor go through the outbox."""
        del call, config
        return "text/xml", b'<?xml version="1.0" encoding="UTF-8"?><Response/>'

    async def fetch_media(self, media: Media, config: Config, *, max_bytes: int) -> bytes:
        """Return the content of a received file. Raises Unsuitable."""
        base_url = http.validate_base_url(config.settings.get("base_url") or account.API)
        # The address comes from the call; the account's token must not go anywhere else.
        if outgoing_rule.split_url(media.media_id).netloc != urlsplit(base_url).netloc:
            raise Unsuitable(_("The file is not at the provider's address."))
        return await http.download_file(media.media_id, headers=account.auth_headers(config), max_bytes=max_bytes)


ADAPTER: Final[Adapter] = TwilioSms()
