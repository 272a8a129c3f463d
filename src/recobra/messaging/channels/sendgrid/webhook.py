"""SendGrid's signed event calls (https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from recobra.messaging.channels import webhooks
from recobra.messaging.channels.adapter import Config, Event, ForgedCall, ReceiptEvent, WebhookRequest
from recobra.messaging.channels.sendgrid.client import ARGUMENT

_SIGNATURE = "x-twilio-email-event-webhook-signature"
_TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
# SendGrid repeats a call that got no answer for 24 hours and does not say whether it signs it anew; a repeat within
# that time changes nothing, since each event has an id.
TOLERANCE: Final = timedelta(hours=25)
_KINDS: Final = {
    "processed": "ACCEPTED",
    "delivered": "DELIVERED",
    "open": "READ",
    "click": "CLICKED",
    "spamreport": "COMPLAINED",
    "unsubscribe": "OPTED_OUT",
    "group_unsubscribe": "OPTED_OUT",
}
_DROPPED: Final = (
    ("unsubscribed", "OPTED_OUT", None),
    ("spam report", "COMPLAINED", None),
    ("bounced", "BOUNCED", True),
    ("invalid", "BOUNCED", True),
)
"""A word in SendGrid's reason for a message that it did not even try, the kind of receipt, and whether permanent."""


def verify(call: WebhookRequest, config: Config) -> None:
    """Check that a call is signed with SendGrid's key and not too old. Raises ForgedCall."""
    timestamp = call.headers.get(_TIMESTAMP, "")
    key = load_public_key(config.settings.get("webhook_key", ""))
    try:
        signature = base64.b64decode(call.headers.get(_SIGNATURE, ""), validate=True)
        if key is None:
            raise ForgedCall("No key to check the call with is set.")
        key.verify(signature, timestamp.encode() + call.body, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError) as error:  # ValueError: the header is no base64, or not even ASCII
        raise ForgedCall("The call is not signed with the account's key.") from error
    at = webhooks.parse_unix_time(timestamp)
    if at is None or abs(call.received_at - at) > TOLERANCE:
        raise ForgedCall("The call was signed too long ago.")


def load_public_key(text: str) -> ec.EllipticCurvePublicKey | None:
    """Return the verification key from the text that SendGrid shows, None where it is none."""
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, ec.EllipticCurvePublicKey) else None


def read_events(call: WebhookRequest) -> list[Event]:
    """Return the events of a call. Raises ValueError."""
    content = webhooks.parse_json(call.body)
    items = content if isinstance(content, list) else [content]
    events: list[Event] = []
    for item in items:
        receipt = _read_receipt(item, call) if isinstance(item, Mapping) else None
        events.append(receipt or webhooks.name_unused("event", item.get("event") if isinstance(item, Mapping) else ""))
    return events


def _read_receipt(item: Mapping[str, Any], call: WebhookRequest) -> ReceiptEvent | None:
    """Return the receipt in one event, None for an event of no interest or one that names no message of ours."""
    meaning = _read_meaning(item)
    # SendGrid appends a part of its own, after a dot, to the id that it returned when it took the message.
    reference, _dot, _recipient = str(item.get("sg_message_id", "")).partition(".")
    public_id = webhooks.parse_public_id(item.get(ARGUMENT))
    if meaning is None or not (reference or public_id):
        return None
    kind, permanent = meaning
    event_id = item.get("sg_event_id")
    key = str(event_id or webhooks.hash_key(reference, str(item.get("event")), str(item.get("timestamp"))))
    return ReceiptEvent(
        kind=kind,
        permanent=permanent,
        at=webhooks.parse_unix_time(item.get("timestamp")) or call.received_at,
        event_key=f"sendgrid:{key}",
        provider_reference=reference,
        public_id=public_id,
        # Codes only: the debtor's address, the link and the machine that opened it are not stored.
        detail=webhooks.plain_values({name: item[name] for name in ("event", "type", "status") if name in item}),
    )


def _read_meaning(item: Mapping[str, Any]) -> tuple[str, bool | None] | None:
    """Return the kind of receipt that an event is, and whether it is permanent; None for an event of no interest.

    Permanent is None where the event says nothing about the address itself.
    """
    event = str(item.get("event"))
    if event == "bounce":
        return "BOUNCED", item.get("type") != "blocked"
    if event == "dropped":
        reason = str(item.get("reason", "")).lower()
        for word, kind, permanent in _DROPPED:
            if word in reason:
                return kind, permanent
        return "FAILED", None
    if event == "open" and item.get("sg_machine_open"):
        return None  # a mail program that fetches pictures in advance is no reader
    return (_KINDS[event], None) if event in _KINDS else None
