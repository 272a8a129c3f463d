"""Twilio's calls about calls: who picked up, or that nobody did."""

from __future__ import annotations

from recobra.messaging.channels import codes, webhooks
from recobra.messaging.channels.adapter import Event, ReceiptEvent, WebhookRequest
from recobra.messaging.channels.twilio.account import ERRORS

_PEOPLE = frozenset({"", "human", "unknown"})
_NOBODY = frozenset({"busy", "no-answer", "canceled"})


def read(call: WebhookRequest) -> list[Event]:
    """Return what a call says. Raises ValueError."""
    fields = dict(webhooks.form(call))
    reference, status = fields.get("CallSid", ""), fields.get("CallStatus", "")
    meant = _meaning(fields, status)
    if not reference or meant is None:
        return []
    kind, permanent, unusable = meant
    shown = {
        "status": status,
        "answered_by": fields.get("AnsweredBy", ""),
        "code": fields.get("ErrorCode", ""),
        "seconds": fields.get("CallDuration", ""),
    }
    return [
        ReceiptEvent(
            kind=kind,
            at=call.received_at,
            event_key=f"twilio:{reference}:{status}",
            provider_reference=reference,
            public_id=webhooks.public_id(webhooks.query(call).get("contact")),
            permanent=permanent,
            unusable=unusable,
            detail={name: text for name, text in shown.items() if text},
        )
    ]


def _meaning(fields: dict[str, str], status: str) -> tuple[str, bool | None, bool] | None:
    if status == "completed":
        person = fields.get("AnsweredBy", "") in _PEOPLE
        return ("ANSWERED" if person else "NOT_ANSWERED"), None, False
    if status in _NOBODY:
        return "NOT_ANSWERED", None, False
    if status == "failed":
        return codes.receipt(codes.meanings(ERRORS).get(fields.get("ErrorCode", "")))
    return None
