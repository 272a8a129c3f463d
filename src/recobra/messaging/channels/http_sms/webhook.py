"""Calls of a gateway: receipts, and messages of debtors."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from recobra.messaging.channels import webhooks
from recobra.messaging.channels.adapter import (
    Config,
    Event,
    ForgedCall,
    InboundEvent,
    ReceiptEvent,
    UnusedEvent,
    WebhookRequest,
)
from recobra.messaging.channels.http_sms.document import Calls, Check, Gateway, text_at, value_at
from recobra_core.documents import Place

_KINDS = {"accepted": "ACCEPTED", "delivered": "DELIVERED", "failed": "FAILED", "permanent": "BOUNCED"}


def verify(call: WebhookRequest, config: Config, gateway: Gateway) -> None:
    """Check that a call carries the gateway's secret. Raises ForgedCall."""
    secret = config.secrets.get("webhook_secret", "")
    if gateway.calls is None or not secret:
        raise ForgedCall("The gateway's document or settings do not say how a call is checked.")
    if not webhooks.is_same_secret(*_received_and_expected(call, gateway.calls.check, secret)):
        raise ForgedCall("The call does not carry the gateway's secret.")


def _received_and_expected(call: WebhookRequest, check: Check, secret: str) -> tuple[str, str]:
    """Return the proof that a call carries and the one it should carry, to be compared in constant time."""
    if check.kind == "query":
        return webhooks.parse_query(call).get(check.name, ""), secret
    received = call.headers.get(check.name, "")
    if check.kind == "basic":
        return received, f"Basic {base64.b64encode(secret.encode()).decode()}"
    if check.kind == "header":
        return received, f"{check.prefix}{secret}"
    if not call.body:
        return "", ""  # a signature over nothing would fit every address
    # The algorithm is one of three that the document's reader lets through.
    digest = hmac.new(secret.encode(), call.body, getattr(hashlib, check.algorithm))
    encoded = base64.b64encode(digest.digest()).decode() if check.encoding == "base64" else digest.hexdigest()
    return received.lower() if check.encoding == "hex" else received, f"{check.prefix}{encoded}"


def read_events(call: WebhookRequest, config: Config, gateway: Gateway) -> list[Event]:
    """Return the events of a call. Raises ValueError where its body is unreadable."""
    if gateway.calls is None:
        return [UnusedEvent("no_calls_described")]
    content: Any
    # A signature covers the body alone, so that beside a body the address is not read.
    if call.method == "GET" and not call.body:
        content = webhooks.parse_query(call)
    elif "urlencoded" in call.headers.get("content-type", "application/json"):
        content = dict(webhooks.parse_form(call))
    else:
        content = webhooks.parse_json(call.body)
    items = value_at(content, gateway.calls.items)
    events: list[Event] = []
    for item in items if isinstance(items, list) else [items]:
        event = _read_receipt(item, call, config, gateway) or _read_inbound(item, call, config, gateway)
        events.append(event or _name_unknown(item, gateway))
    return events


def _name_unknown(item: Any, gateway: Gateway) -> UnusedEvent:
    """Return the event for an item that is neither a receipt of ours nor a message."""
    status = text_at(item, gateway.receipts.status) if gateway.receipts is not None else ""
    return webhooks.name_unused("status" if status else "unknown_item", status)


def _read_receipt(item: Any, call: WebhookRequest, config: Config, gateway: Gateway) -> ReceiptEvent | None:
    """Return the receipt in one item of a call, None where the item is none or names no message of ours."""
    receipts = gateway.receipts
    calls = gateway.calls
    if receipts is None or calls is None:
        return None
    status = text_at(item, receipts.status)
    meaning = receipts.find_meaning(status)
    reference = text_at(item, receipts.reference)
    public_id = webhooks.parse_public_id(text_at(item, receipts.id))
    if meaning is None or not (reference or public_id):
        return None
    error = text_at(item, receipts.error)
    detail = {"status": status}
    if error:
        detail["error"] = error
    return ReceiptEvent(
        kind=_KINDS[meaning],
        at=_occurred_at(item, receipts.at, call, calls),
        provider_reference=reference,
        public_id=public_id,
        permanent=True if meaning == "permanent" else None,
        event_key=webhooks.hash_key(config.code, reference or str(public_id), status, error),
        detail=detail,
    )


def _read_inbound(item: Any, call: WebhookRequest, config: Config, gateway: Gateway) -> InboundEvent | None:
    """Return the debtor's message in one item of a call, None where the item is no message."""
    inbound = gateway.inbound
    calls = gateway.calls
    if inbound is None or calls is None or not isinstance(item, Mapping):
        return None
    sender = text_at(item, inbound.sender)
    text = text_at(item, inbound.text)
    # An empty text is a message, and so is one whose sender is not told; without a text this is another kind of call.
    if value_at(item, inbound.text) is None or not (sender or text):
        return None
    reference = text_at(item, inbound.id) or webhooks.hash_key(sender, text, text_at(item, inbound.at))
    return InboundEvent(
        address=webhooks.format_phone(sender),
        text=text,
        at=_occurred_at(item, inbound.at, call, calls),
        to=webhooks.format_phone(text_at(item, inbound.to)),
        provider_reference=reference,
        event_key=webhooks.hash_key(config.code, "in", reference),
    )


def _occurred_at(item: Any, path: Place, call: WebhookRequest, calls: Calls) -> datetime:
    """Return the gateway's own time, or ours where that is missing, unreadable or in the future."""
    text = text_at(item, path)
    at = None
    if calls.at_format == "iso":
        at = webhooks.parse_iso_time(text, calls.time_zone)
    elif text.isdecimal():
        units_per_second = 1000 if calls.at_format == "unix_ms" else 1
        at = webhooks.parse_unix_time(float(text) / units_per_second)
    return min(at, call.received_at) if at else call.received_at
