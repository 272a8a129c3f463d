"""Twilio's calls about messages: what became of ours, and what debtors wrote."""

from __future__ import annotations

from recobra.messaging.channels import codes, webhooks
from recobra.messaging.channels.adapter import Event, InboundEvent, Media, ReceiptEvent, WebhookRequest
from recobra.messaging.channels.twilio.account import ERRORS

_KINDS = {
    "accepted": "ACCEPTED",
    "queued": "ACCEPTED",
    "sending": "ACCEPTED",
    "sent": "ACCEPTED",
    "delivered": "DELIVERED",
    "read": "READ",
}
_NOT_DELIVERED = {"undelivered", "failed"}
_MOST_FILES = 10


def read(call: WebhookRequest) -> list[Event]:
    """Return what a call says. Raises ValueError."""
    fields = dict(webhooks.form(call)) if call.method != "GET" else webhooks.query(call)
    reference = fields.get("MessageSid") or fields.get("SmsSid", "")
    if not reference:
        return []
    if fields.get("SmsStatus") == "received" or "Body" in fields:
        return [_inbound(fields, reference, call)]
    status = fields.get("MessageStatus") or fields.get("SmsStatus", "")
    receipt = _receipt(fields, reference, status, call)
    return [receipt] if receipt else []


def _receipt(fields: dict[str, str], reference: str, status: str, call: WebhookRequest) -> ReceiptEvent | None:
    code = fields.get("ErrorCode", "")
    if status in _NOT_DELIVERED:
        kind, permanent, unusable = codes.receipt(codes.meanings(ERRORS).get(code))
    elif status in _KINDS:
        kind, permanent, unusable = _KINDS[status], None, False
    else:
        return None
    return ReceiptEvent(
        kind=kind,
        at=call.received_at,
        event_key=f"twilio:{reference}:{status}",
        provider_reference=reference,
        public_id=webhooks.public_id(webhooks.query(call).get("contact")),
        permanent=permanent,
        unusable=unusable,
        detail={"status": status, **({"code": code} if code else {})},
    )


def _inbound(fields: dict[str, str], reference: str, call: WebhookRequest) -> InboundEvent:
    count = fields.get("NumMedia", "0")
    files = range(min(int(count), _MOST_FILES)) if count.isdecimal() else range(0)
    media = tuple(
        Media(media_id=fields[f"MediaUrl{n}"], media_type=fields.get(f"MediaContentType{n}", ""))
        for n in files
        if f"MediaUrl{n}" in fields
    )
    return InboundEvent(
        address=fields.get("From", ""),
        to=fields.get("To", ""),
        text=fields.get("Body", ""),
        at=call.received_at,
        event_key=f"twilio:{reference}:received",
        provider_reference=reference,
        media=media,
        button=fields.get("OptOutType", ""),
    )
