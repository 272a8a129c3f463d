"""The adapter of e-mail by SendGrid. Answers are not read: they go to the sender's own mailbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from email.utils import parseaddr
from typing import Final
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.messaging.channels import http
from recobra.messaging.channels.adapter import Adapter, Check, Config, Event, Media, Setting, Unsuitable, WebhookRequest
from recobra.messaging.channels.sendgrid import webhook
from recobra.messaging.channels.sendgrid.client import API, SendgridSender, address, headers, sender


class Sendgrid:
    """E-mail by SendGrid's API, with its event calls."""

    kind = "sendgrid"
    channel = "email"
    label: str | Promise = gettext_lazy("E-mail by SendGrid")
    two_way = False
    settings: tuple[Setting, ...] = (
        Setting(
            name="api_key",
            label=gettext_lazy("API key"),
            kind="secret",
            help=gettext_lazy("With the right to send mail."),
        ),
        Setting(
            name="mail_from",
            label=gettext_lazy("Sender"),
            required=False,
            help=gettext_lazy("Such as Cobranzas <avisos@empresa.example>; empty: the installation's own."),
        ),
        Setting(
            name="webhook_key",
            label=gettext_lazy("Verification key of its calls"),
            required=False,
            help=gettext_lazy("From «Signed Event Webhook»; without it no receipt is believed."),
        ),
        Setting(
            name="clicks",
            label=gettext_lazy("Count openings and clicks"),
            kind="choice",
            required=False,
            default="no",
            choices=(("no", gettext_lazy("No")), ("yes", gettext_lazy("Yes"))),
            help=gettext_lazy("SendGrid then puts its own address in place of every link."),
        ),
        Setting(name="base_url", label=gettext_lazy("Address of the API"), kind="url", required=False, default=API),
    )

    def problems(self, config: Config) -> dict[str, str]:
        """Return what is wrong with the settings, by field."""
        problems = {}
        try:
            address(config)
        except Unsuitable as error:
            problems["base_url"] = str(error)
        mail_from = config.settings.get("mail_from", "")
        if mail_from and "@" not in parseaddr(mail_from)[1]:
            problems["mail_from"] = _("An address such as Cobranzas <avisos@empresa.example> is expected.")
        key = config.settings.get("webhook_key", "")
        if key and webhook.public_key(key) is None:
            problems["webhook_key"] = _("This is not a verification key as SendGrid shows it.")
        return problems

    @asynccontextmanager
    async def opened(self, config: Config) -> AsyncIterator[SendgridSender]:
        """Open connections to SendGrid. Raises Unsuitable."""
        for problem in self.problems(config).values():
            raise Unsuitable(problem)
        async with http.session() as session:
            yield SendgridSender(config, session)

    def message_id(self, public_id: UUID, config: Config) -> str:
        """SendGrid gives ids of its own."""
        del public_id, config
        return ""

    async def was_received(self, public_id: UUID, reference: str, config: Config) -> bool | None:
        """Only SendGrid's paid message log could tell; its event calls do."""
        del public_id, reference, config
        return None

    async def check(self, config: Config) -> Check:
        """Hand over a message in SendGrid's sandbox mode, in which it is validated and never delivered."""
        trial = {
            "personalizations": [{"to": [{"email": sender(config)["email"]}]}],
            "from": sender(config),
            "subject": "Recobra",
            "content": [{"type": "text/plain", "value": "Recobra"}],
            "mail_settings": {"sandbox_mode": {"enable": True}},
        }
        try:
            async with http.session() as session:
                reply = await http.call(session, "POST", address(config), headers=headers(config), json=trial)
        except (Unsuitable, http.Unsent, http.Lost, http.TooLarge) as error:
            return Check(ok=False, answer=str(error))
        return Check(ok=reply.status in {200, 202}, answer=reply.said)

    def verify(self, call: WebhookRequest, config: Config) -> None:
        """Refuse a call that is not SendGrid's. Raises ForgedCall."""
        webhook.verify(call, config)

    def read(self, call: WebhookRequest, config: Config) -> Sequence[Event]:
        """Return what a call says. Raises ValueError."""
        del config
        return webhook.read(call)

    async def fetch(self, media: Media, config: Config, *, most_bytes: int) -> bytes:
        """No files come in. Raises Unsuitable."""
        del media, config, most_bytes
        raise Unsuitable(_("No files come in by this channel."))


ADAPTER: Final[Adapter] = Sendgrid()
