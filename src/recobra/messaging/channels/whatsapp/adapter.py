"""Adapter of WhatsApp by Meta's Cloud API."""

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
from recobra.messaging.channels.whatsapp import media as media_files
from recobra.messaging.channels.whatsapp import webhook
from recobra.messaging.channels.whatsapp.client import API, WhatsappSender, auth_headers, resource_url


class Whatsapp:
    """WhatsApp, both ways."""

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

    def find_problems(self, config: Config) -> dict[str, str]:
        """Return what is wrong with the settings, by field."""
        problems = {
            name: _("Digits are expected.")
            for name in ("phone_number_id", "account_id")
            if not config.settings.get(name, "").isdecimal()
        }
        try:
            resource_url(config, "")
        except Unsuitable as error:
            problems["base_url"] = str(error)
        return problems

    @asynccontextmanager
    async def open_sender(self, config: Config) -> AsyncIterator[WhatsappSender]:
        """Open connections to Meta. Raises Unsuitable."""
        for problem in self.find_problems(config).values():
            raise Unsuitable(problem)
        async with http.open_session() as session:
            yield WhatsappSender(config, session)

    def message_id(self, public_id: UUID, config: Config) -> str:
        """Return '': Meta assigns the ids."""
        del public_id, config
        return ""

    async def was_received(self, public_id: UUID, reference: str, config: Config) -> bool | None:
        """Return None: the Cloud API cannot be asked about a message, and its status calls tell."""
        del public_id, reference, config
        return None

    async def check_settings(self, config: Config) -> Check:
        """Fetch the business number itself, which reaches nobody."""
        try:
            async with http.open_session(total_seconds=http.CHECK_SECONDS) as session:
                url = resource_url(config, config.settings.get("phone_number_id", ""))
                headers = {**auth_headers(config), "Accept": "application/json"}
                reply = await http.call(session, "GET", url, headers=headers)
        except (Unsuitable, http.RequestUnsent, http.ReplyLost, http.ReplyTooLarge) as error:
            return Check(ok=False, answer=http.describe_check_error(error))
        return Check(ok=reply.status == 200, answer=http.describe_check(reply))

    def verify_call(self, call: WebhookRequest, config: Config) -> None:
        """Check that a call is Meta's. Raises ForgedCall."""
        webhook.verify(call, config)

    def answer_challenge(self, call: WebhookRequest, config: Config) -> str | None:
        """Return the answer to Meta's verification of our address; None where the call lacks the agreed token."""
        return webhook.answer_challenge(call, config)

    def read_events(self, call: WebhookRequest, config: Config) -> Sequence[Event]:
        """Return the events of a call. Raises ValueError."""
        del config
        return webhook.read_events(call)

    async def fetch_media(self, media: Media, config: Config, *, max_bytes: int) -> bytes:
        """Return the content of a received file. Raises Unsuitable."""
        return await media_files.fetch_media(media, config, max_bytes=max_bytes)


ADAPTER: Final[Adapter] = Whatsapp()
