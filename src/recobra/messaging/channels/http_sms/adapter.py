"""Adapter of SMS gateways that a document describes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.kit.language import screen_language
from recobra.messaging.channels import http
from recobra.messaging.channels.adapter import Adapter, Check, Config, Event, Media, Setting, Unsuitable, WebhookRequest
from recobra.messaging.channels.http_sms import webhook
from recobra.messaging.channels.http_sms.client import GatewaySender
from recobra.messaging.channels.http_sms.document import SECRETS, Gateway, read_gateway
from recobra_core.documents import DocumentError


class HttpSms:
    """SMS by a gateway that a document describes."""

    kind = "http_sms"
    channel = "sms"
    label: str | Promise = gettext_lazy("SMS by an HTTP gateway")
    two_way = True
    settings: tuple[Setting, ...] = (
        Setting(
            name="document",
            label=gettext_lazy("Gateway document"),
            kind="document",
            help=gettext_lazy("How the gateway is called and how it answers, in YAML."),
        ),
        Setting(
            name="sender",
            label=gettext_lazy("Sender"),
            required=False,
            help=gettext_lazy("The number or name that debtors see."),
        ),
        Setting(name="user", label=gettext_lazy("User"), kind="secret", required=False),
        Setting(name="password", label=gettext_lazy("Password"), kind="secret", required=False),
        Setting(name="token", label=gettext_lazy("Token or key"), kind="secret", required=False),
        Setting(
            name="webhook_secret",
            label=gettext_lazy("Secret of its calls"),
            kind="secret",
            required=False,
            help=gettext_lazy("What the gateway's calls carry or are signed with."),
        ),
    )

    def find_problems(self, config: Config) -> dict[str, str]:
        """Return what is wrong with the settings, by field."""
        try:
            gateway = read_gateway(config.settings.get("document", ""))
        except DocumentError as error:
            return {"document": "\n".join(error.messages(screen_language()))}
        # A secret is needed where a placeholder of the document uses it. Fields may nest, so their text is searched.
        request = gateway.request
        used = set(re.findall(r"\{(\w+)\}", repr((request.headers, request.fields))))
        if "basic" in used:
            used |= {"user", "password"}
        values = {**config.settings, **config.secrets}
        missing = {name for name in (*SECRETS, "sender") if name in used and not values.get(name)}
        if gateway.calls is not None and not config.secrets.get("webhook_secret"):
            missing.add("webhook_secret")
        return {name: _("The gateway's document uses it: it is needed.") for name in sorted(missing)}

    @asynccontextmanager
    async def open_sender(self, config: Config) -> AsyncIterator[GatewaySender]:
        """Open connections to the gateway. Raises Unsuitable."""
        gateway = _load_gateway(config)
        http.validate_base_url(gateway.request.url)
        async with http.open_session() as session:
            yield GatewaySender(gateway, config, session)

    def message_id(self, public_id: UUID, config: Config) -> str:
        """Return '': gateways assign the ids."""
        del public_id, config
        return ""

    async def was_received(self, public_id: UUID, reference: str, config: Config) -> bool | None:
        """Return None: a document describes no status query, and receipts tell."""
        del public_id, reference, config
        return None

    async def check_settings(self, config: Config) -> Check:
        """Read the document and connect to the gateway."""
        try:
            gateway = _load_gateway(config)
            url = http.validate_base_url(gateway.request.url)
            # HEAD only: a message would reach somebody and cost money.
            async with http.open_session(total_seconds=http.CHECK_SECONDS) as session:
                reply = await http.call(session, "HEAD", url)
        except (Unsuitable, http.RequestUnsent, http.ReplyLost, http.ReplyTooLarge) as error:
            return Check(ok=False, answer=http.describe_check_error(error))
        return Check(
            ok=True, answer=_("The gateway answers (%(status)d); nothing was sent.") % {"status": reply.status}
        )

    def verify_call(self, call: WebhookRequest, config: Config) -> None:
        """Check that a call is the gateway's. Raises ForgedCall."""
        webhook.verify(call, config, _load_gateway(config))

    def read_events(self, call: WebhookRequest, config: Config) -> Sequence[Event]:
        """Return the events of a call. Raises ValueError."""
        return webhook.read_events(call, config, _load_gateway(config))

    def build_response(self, call: WebhookRequest, config: Config) -> tuple[str, bytes]:
        """Return the type and body that the gateway expects after a good call."""
        del call
        calls = _load_gateway(config).calls
        return "text/plain; charset=utf-8", (calls.answer if calls else "").encode()

    async def fetch_media(self, media: Media, config: Config, *, max_bytes: int) -> bytes:
        """Refuse: an SMS brings no files. Raises Unsuitable."""
        del media, config, max_bytes
        raise Unsuitable(_("An SMS brings no files."))


def _load_gateway(config: Config) -> Gateway:
    """Return the gateway of the settings' document. Raises Unsuitable where it has faults."""
    gateway = _read_gateway(config.settings.get("document", ""), demo=settings.DEMO)
    if gateway is None:
        raise Unsuitable(_("The gateway document has faults: save it again to see them."))
    return gateway


@lru_cache(maxsize=32)
def _read_gateway(document: str, *, demo: bool) -> Gateway | None:
    del demo  # part of the cache's key: which addresses may be called depends on it
    try:
        return read_gateway(document)
    except DocumentError:
        return None


ADAPTER: Final[Adapter] = HttpSms()
