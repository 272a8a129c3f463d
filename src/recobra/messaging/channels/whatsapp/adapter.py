"""The adapter of WhatsApp by Meta's Cloud API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.messaging.channels import http
from recobra.messaging.channels.adapter import Adapter, Check, Config, Event, Media, Setting, Unsuitable, WebhookRequest
from recobra.messaging.channels.whatsapp import media as files
from recobra.messaging.channels.whatsapp import webhook
from recobra.messaging.channels.whatsapp.client import API, WhatsappSender, address, headers


class Whatsapp:
    """WhatsApp, there and back."""

    kind = "whatsapp"
    channel = "whatsapp"
    label: str | Promise = gettext_lazy("WhatsApp by Meta's Cloud API")
    two_way = True
    settings: tuple[Setting, ...] = (
        Setting(
            name="phone_number_id",
            label=gettext_lazy("Id of the business number"),
            help=gettext_lazy("Digits, not the number."),
        ),
        Setting(
            name="account_id",
            label=gettext_lazy("Id of the WhatsApp Business account"),
            help=gettext_lazy("Digits; its templates belong to it."),
        ),
        Setting(
            name="token", label=gettext_lazy("Access token"), kind="secret", help=gettext_lazy("Of a system user.")
        ),
        Setting(
            name="app_secret",
            label=gettext_lazy("App secret"),
            kind="secret",
            help=gettext_lazy("What Meta's calls are signed with."),
        ),
        Setting(
            name="verify_token",
            label=gettext_lazy("Verification word"),
            kind="secret",
            help=gettext_lazy("A word of your choice, told to Meta with the address of our webhook."),
        ),
        Setting(name="base_url", label=gettext_lazy("Address of the API"), kind="url", required=False, default=API),
    )

    def problems(self, config: Config) -> dict[str, str]:
        """Return what is wrong with the settings, by field."""
        problems = {
            name: _("Digits are expected.")
            for name in ("phone_number_id", "account_id")
            if not config.settings.get(name, "").isdecimal()
        }
        try:
            address(config, "")
        except Unsuitable as error:
            problems["base_url"] = str(error)
        return problems

    @asynccontextmanager
    async def opened(self, config: Config) -> AsyncIterator[WhatsappSender]:
        """Open connections to Meta. Raises Unsuitable."""
        for problem in self.problems(config).values():
            raise Unsuitable(problem)
        async with http.session() as session:
            yield WhatsappSender(config, session)

    def message_id(self, public_id: UUID, config: Config) -> str:
        """Meta gives ids of its own."""
        del public_id, config
        return ""

    async def was_received(self, public_id: UUID, reference: str, config: Config) -> bool | None:
        """The Cloud API answers no question about a message; its statuses name the contact."""
        del public_id, reference, config
        return None

    async def check(self, config: Config) -> Check:
        """Ask for the business number itself; reaches nobody."""
        try:
            async with http.session() as session:
                there = address(config, config.settings.get("phone_number_id", ""))
                asking = {**headers(config), "Accept": "application/json"}
                reply = await http.call(session, "GET", there, headers=asking)
        except (Unsuitable, http.Unsent, http.Lost, http.TooLarge) as error:
            return Check(ok=False, answer=str(error))
        return Check(ok=reply.status == 200, answer=reply.said)

    def verify(self, call: WebhookRequest, config: Config) -> None:
        """Refuse a call that is not Meta's. Raises ForgedCall."""
        webhook.verify(call, config)

    def challenge(self, call: WebhookRequest, config: Config) -> str | None:
        """Return what Meta wants to hear when it asks whether the address is ours, None where it is not Meta."""
        return webhook.challenge(call, config)

    def read(self, call: WebhookRequest, config: Config) -> Sequence[Event]:
        """Return what a call says. Raises ValueError."""
        del config
        return webhook.read(call)

    async def fetch(self, media: Media, config: Config, *, most_bytes: int) -> bytes:
        """Fetch a file that came in. Raises Unsuitable."""
        return await files.fetch(media, config, most_bytes=most_bytes)


ADAPTER: Final[Adapter] = Whatsapp()
