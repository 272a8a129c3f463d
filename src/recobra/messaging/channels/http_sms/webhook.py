"""The calls of a gateway: what became of messages, and what debtors wrote."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from recobra.messaging.channels import webhooks
from recobra.messaging.channels.adapter import Config, Event, ForgedCall, InboundEvent, ReceiptEvent, WebhookRequest
from recobra.messaging.channels.http_sms.document import Calls, Check, Gateway, Path, found, word

_KINDS = {"accepted": "ACCEPTED", "delivered": "DELIVERED", "failed": "FAILED", "permanent": "BOUNCED"}


def verify(call: WebhookRequest, config: Config, gateway: Gateway) -> None:
    """Refuse a call that does not carry the gateway's secret. Raises ForgedCall."""
    secret = config.secrets.get("webhook_secret", "")
    if gateway.calls is None or not secret:
        raise ForgedCall("The gateway's document or settings do not say how a call is checked.")
    if not webhooks.same(*_shown_and_expected(call, gateway.calls.check, secret)):
        raise ForgedCall("The call does not carry the gateway's secret.")


def _shown_and_expected(call: WebhookRequest, check: Check, secret: str) -> tuple[str, str]:
    if check.kind == "query":
        return webhooks.query(call).get(check.name, ""), secret
    shown = call.headers.get(check.name, "")
    if check.kind == "basic":
        return shown, f"Basic {base64.b64encode(secret.encode()).decode()}"
    if check.kind == "header":
        return shown, f"{check.prefix}{secret}"
    if not call.body:
        return "", ""  # a signature over nothing would fit every address
    digest = hmac.new(secret.encode(), call.body, getattr(hashlib, check.algorithm))
    coded = base64.b64encode(digest.digest()).decode() if check.encoding == "base64" else digest.hexdigest()
    return shown.lower() if check.encoding == "hex" else shown, f"{check.prefix}{coded}"


def read(call: WebhookRequest, config: Config, gateway: Gateway) -> list[Event]:
    """Return what a call says. Raises ValueError where its body cannot be read."""
    if gateway.calls is None:
        return []
    content = _content(call)
    items = found(content, gateway.calls.items)
    events: list[Event] = []
    for item in items if isinstance(items, list) else [items]:
        event = _receipt(item, call, config, gateway) or _inbound(item, call, config, gateway)
        if event is not None:
            events.append(event)
    return events


def _content(call: WebhookRequest) -> Any:
    if call.method == "GET" and not call.body:  # a signature is over the body alone: then the address says nothing
        return webhooks.query(call)
    kind = call.headers.get("content-type", "application/json")
    return dict(webhooks.form(call)) if "urlencoded" in kind else json.loads(call.body)


def _receipt(item: Any, call: WebhookRequest, config: Config, gateway: Gateway) -> ReceiptEvent | None:
    receipts, calls = gateway.receipts, gateway.calls
    if receipts is None or calls is None:
        return None
    status = word(item, receipts.status)
    meaning = receipts.statuses.get(status)
    reference, public_id = word(item, receipts.reference), webhooks.public_id(word(item, receipts.id))
    if meaning is None or not (reference or public_id):
        return None
    error = word(item, receipts.error)
    return ReceiptEvent(
        kind=_KINDS[meaning],
        at=_at(item, receipts.at, call, calls),
        provider_reference=reference,
        public_id=public_id,
        permanent=True if meaning == "permanent" else None,
        event_key=webhooks.key(config.code, reference or str(public_id), status, error),
        detail={"status": status, **({"error": error} if error else {})},
    )


def _inbound(item: Any, call: WebhookRequest, config: Config, gateway: Gateway) -> InboundEvent | None:
    inbound, calls = gateway.inbound, gateway.calls
    if inbound is None or calls is None or not isinstance(item, Mapping):
        return None
    sender, text = word(item, inbound.sender), word(item, inbound.text)
    if not sender or found(item, inbound.text) is None:
        return None
    reference = word(item, inbound.id) or webhooks.key(sender, text, word(item, inbound.at))
    return InboundEvent(
        address=webhooks.phone(sender),
        text=text,
        at=_at(item, inbound.at, call, calls),
        to=webhooks.phone(word(item, inbound.to)),
        provider_reference=reference,
        event_key=webhooks.key(config.code, "in", reference),
    )


def _at(item: Any, path: Path, call: WebhookRequest, calls: Calls) -> datetime:
    """Return the gateway's own time; one that is missing, unreadable or still to come gives way to ours."""
    given = word(item, path)
    if calls.at_format == "iso":
        at = webhooks.from_iso(given, calls.time_zone)
    else:
        seconds = float(given) / (1000 if calls.at_format == "unix_ms" else 1) if given.isdecimal() else None
        at = webhooks.from_unix(seconds)
    return min(at, call.received_at) if at else call.received_at
