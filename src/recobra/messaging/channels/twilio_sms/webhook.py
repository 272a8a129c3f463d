"""Twilio's calls about messages: receipts, and messages of debtors."""

from __future__ import annotations

from recobra.messaging.channels import codes, webhooks
from recobra.messaging.channels.adapter import (
    Event,
    InboundEvent,
    Media,
    ReceiptEvent,
    UnusedEvent,
    WebhookRequest,
)
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
_MAX_FILES = 10


def read_events(call: WebhookRequest) -> list[Event]:
    """Return the events of a call. Raises ValueError."""
    fields = webhooks.parse_query(call) if call.method == "GET" else dict(webhooks.parse_form(call))
    reference = fields.get("MessageSid") or fields.get("SmsSid", "")
    if fields.get("SmsStatus") == "received" or "Body" in fields:
        # Also one that Twilio forgot to number: it is a person's.
        return [_read_inbound(fields, reference or webhooks.hash_key(*fields, *fields.values()), call)]
    if not reference:
        return [UnusedEvent("no_message")]
    status = fields.get("MessageStatus") or fields.get("SmsStatus", "")
    return [_read_receipt(fields, reference, status, call)]


def _read_receipt(
    fields: dict[str, str], reference: str, status: str, call: WebhookRequest
) -> ReceiptEvent | UnusedEvent:
    """Return the receipt of a status call; a status that is not known is of no use."""
    code = fields.get("ErrorCode", "")
    if status in _NOT_DELIVERED:
        meaning = codes.receipt_by_meaning(codes.load_meanings(ERRORS).get(code))
    elif status in _KINDS:
        meaning = codes.ReceiptMeaning(_KINDS[status])
    else:
        return webhooks.name_unused("status", status)
    detail = {"status": status}
    if code:
        detail["code"] = code
    return ReceiptEvent(
        kind=meaning.kind,
        at=call.received_at,
        event_key=f"twilio:{reference}:{status}",
        provider_reference=reference,
        public_id=webhooks.parse_public_id(webhooks.parse_query(call).get("contact")),
        permanent=meaning.permanent,
        unusable=meaning.unusable,
        detail=detail,
    )


def _read_inbound(fields: dict[str, str], reference: str, call: WebhookRequest) -> InboundEvent:
    """Return a debtor's message with its files."""
    media = []
    # How many there are is seen by the fields: the count beside them may be anything.
    for index in range(_MAX_FILES):
        url = fields.get(f"MediaUrl{index}")
        if url is not None:
            media.append(Media(media_id=url, media_type=fields.get(f"MediaContentType{index}", "")))
    return InboundEvent(
        address=fields.get("From", ""),
        to=fields.get("To", ""),
        text=fields.get("Body", ""),
        at=call.received_at,
        event_key=f"twilio:{reference}:received",
        provider_reference=reference,
        media=tuple(media),
        button=fields.get("OptOutType", ""),
    )
