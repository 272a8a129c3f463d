"""The adapter of SMS by Twilio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.messaging.channels import http
from recobra.messaging.channels.adapter import Adapter, Config, Event, Media, Setting, Unsuitable, WebhookRequest
from recobra.messaging.channels.twilio import account
from recobra.messaging.channels.twilio.adapter import TwilioAdapter
from recobra.messaging.channels.twilio_sms import webhook
from recobra.messaging.channels.twilio_sms.client import TwilioSender


class TwilioSms(TwilioAdapter):
    """SMS by Twilio, there and back."""

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

    def problems(self, config: Config) -> dict[str, str]:
        """Return what is wrong with the settings, by field."""
        problems = account.account_problems(config)
        service = config.settings.get("messaging_service_sid", "")
        if service and not account.sid(service, "MG"):
            problems["messaging_service_sid"] = _("MG and 32 characters from 0 to 9 and a to f are expected.")
        if not service and not config.settings.get("from_number"):
            problems["from_number"] = _("A number or a messaging service is needed.")
        return problems

    @asynccontextmanager
    async def opened(self, config: Config) -> AsyncIterator[TwilioSender]:
        """Open connections to Twilio. Raises Unsuitable."""
        for problem in self.problems(config).values():
            raise Unsuitable(problem)
        async with http.session() as session:
            yield TwilioSender(config, session)

    def read(self, call: WebhookRequest, config: Config) -> Sequence[Event]:
        """Return what a call says. Raises ValueError."""
        del config
        return webhook.read(call)

    def answer(self, call: WebhookRequest, config: Config) -> tuple[str, bytes]:
        """Return an empty reply: what is answered to the debtor goes through the outbox."""
        del call, config
        return "text/xml", b'<?xml version="1.0" encoding="UTF-8"?><Response/>'

    async def fetch(self, media: Media, config: Config, *, most_bytes: int) -> bytes:
        """Fetch a file that came in. Raises Unsuitable."""
        base = http.base_url(config.settings.get("base_url") or account.API)
        if urlsplit(media.media_id).netloc != urlsplit(base).netloc:
            raise Unsuitable(_("The file is not at the provider's address."))
        return await http.download(media.media_id, headers=account.headers(config), most_bytes=most_bytes)


ADAPTER: Final[Adapter] = TwilioSms()
