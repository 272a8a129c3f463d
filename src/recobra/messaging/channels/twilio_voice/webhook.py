"""Twilio's webhook about the status of calls: who picked up, or that nobody did."""

from __future__ import annotations

from recobra.messaging.channels import codes, webhooks
from recobra.messaging.channels.adapter import Event, ReceiptEvent, WebhookRequest
from recobra.messaging.channels.twilio.account import ERRORS

_PEOPLE = frozenset({"", "human", "unknown"})
_NOBODY = frozenset({"busy", "no-answer", "canceled"})


def read_events(call: WebhookRequest) -> list[Event]:
    """Return the events of a call. Raises ValueError."""
    fields = dict(webhooks.parse_form(call))
    reference = fields.get("CallSid", "")
    status = fields.get("CallStatus", "")
    meaning = _read_meaning(fields, status)
    if not reference or meaning is None:
        return [webhooks.name_unused("call_status" if reference else "no_call", status)]
    detail = {
        "status": status,
        "answered_by": fields.get("AnsweredBy", ""),
        "code": fields.get("ErrorCode", ""),
        "seconds": fields.get("CallDuration", ""),
    }
    return [
        ReceiptEvent(
            kind=meaning.kind,
            at=call.received_at,
            event_key=f"twilio:{reference}:{status}",
            provider_reference=reference,
            public_id=webhooks.parse_public_id(webhooks.parse_query(call).get("contact")),
            permanent=meaning.permanent,
            unusable=meaning.unusable,
            detail={name: text for name, text in detail.items() if text},
        )
    ]


def _read_meaning(fields: dict[str, str], status: str) -> codes.ReceiptMeaning | None:
    """Return what the status of a call says, None while the call still goes on."""
    if status == "completed":
        is_person = fields.get("AnsweredBy", "") in _PEOPLE
        return codes.ReceiptMeaning("ANSWERED" if is_person else "NOT_ANSWERED")
    if status in _NOBODY:
        return codes.ReceiptMeaning("NOT_ANSWERED")
    if status == "failed":
        code = fields.get("ErrorCode", "")
        return codes.receipt_by_meaning(codes.load_meanings(ERRORS).get(code))
    return None
