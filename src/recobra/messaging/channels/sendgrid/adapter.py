"""Adapter of e-mail by SendGrid. Debtors' answers go to the sender's own mailbox, which is read by IMAP."""

from __future__ import annotations

import asyncio
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
from recobra.messaging.channels.email import imap, received
from recobra.messaging.channels.sendgrid import webhook
from recobra.messaging.channels.sendgrid.client import API, SendgridSender, auth_headers, format_sender, mail_url


class Sendgrid:
    """E-mail by SendGrid's API, with its event calls."""

    kind = "sendgrid"
    channel = "email"
    label: str | Promise = gettext_lazy("E-mail by SendGrid")
    two_way = True
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
        *imap.SETTINGS,
    )

    def find_problems(self, config: Config) -> dict[str, str]:
        """Return what is wrong with the settings, by field."""
        return self._find_sending_problems(config) | imap.find_problems(config)

    def _find_sending_problems(self, config: Config) -> dict[str, str]:
        """Return what keeps messages from leaving, by field; they leave also where the mailbox cannot be read."""
        problems = {}
        try:
            mail_url(config)
        except Unsuitable as error:
            problems["base_url"] = str(error)
        mail_from = config.settings.get("mail_from", "")
        if mail_from and "@" not in parseaddr(mail_from)[1]:
            problems["mail_from"] = _("An address such as Cobranzas <avisos@empresa.example> is expected.")
        key = config.settings.get("webhook_key", "")
        if key and webhook.load_public_key(key) is None:
            problems["webhook_key"] = _("This is not a verification key as SendGrid shows it.")
        return problems

    @asynccontextmanager
    async def open_sender(self, config: Config) -> AsyncIterator[SendgridSender]:
        """Open connections to SendGrid. Raises Unsuitable."""
        for problem in self._find_sending_problems(config).values():
            raise Unsuitable(problem)
        async with http.open_session() as session:
            yield SendgridSender(config, session)

    def message_id(self, public_id: UUID, config: Config) -> str:
        """Return '': SendGrid assigns the ids."""
        del public_id, config
        return ""

    async def was_received(self, public_id: UUID, reference: str, config: Config) -> bool | None:
        """Return None: nothing can be asked, and the event calls tell."""
        # Only SendGrid's paid message log could answer.
        del public_id, reference, config
        return None

    async def check_settings(self, config: Config) -> Check:
        """Send a message in SendGrid's sandbox mode, which validates it and never delivers it."""
        trial = {
            "personalizations": [{"to": [{"email": format_sender(config)["email"]}]}],
            "from": format_sender(config),
            "subject": "Recobra",
            "content": [{"type": "text/plain", "value": "Recobra"}],
            "mail_settings": {"sandbox_mode": {"enable": True}},
        }
        try:
            async with http.open_session(total_seconds=http.CHECK_SECONDS) as session:
                reply = await http.call(session, "POST", mail_url(config), headers=auth_headers(config), json=trial)
            mailbox = await asyncio.to_thread(imap.check_mailbox, config)
        except (Unsuitable, http.RequestUnsent, http.ReplyLost, http.ReplyTooLarge) as error:
            return Check(ok=False, answer=http.describe_check_error(error))
        answer = http.describe_check(reply)
        return Check(ok=reply.status in {200, 202}, answer=f"{answer} · {mailbox}" if mailbox else answer)

    def verify_call(self, call: WebhookRequest, config: Config) -> None:
        """Check that a call is SendGrid's. Raises ForgedCall."""
        webhook.verify(call, config)

    def read_events(self, call: WebhookRequest, config: Config) -> Sequence[Event]:
        """Return the events of a call. Raises ValueError."""
        if call.method == received.METHOD:
            return received.read_mail(call, config)
        return webhook.read_events(call)

    async def fetch_media(self, media: Media, config: Config, *, max_bytes: int) -> bytes:
        """Refuse: no files come in. Raises Unsuitable."""
        del media, config, max_bytes
        raise Unsuitable(_("No files come in by this channel."))


ADAPTER: Final[Adapter] = Sendgrid()
