"""Meta's calls: statuses of our messages, messages of debtors, our account and our templates."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any, Final

from recobra.messaging.channels import codes, webhooks
from recobra.messaging.channels.adapter import (
    Config,
    Event,
    ForgedCall,
    ReceiptEvent,
    TemplateEvent,
    UnusedEvent,
    WebhookRequest,
)
from recobra.messaging.channels.whatsapp import account, inbound
from recobra.messaging.channels.whatsapp.client import ERRORS

_HEADER = "x-hub-signature-256"
_KINDS: Final = {"sent": "ACCEPTED", "delivered": "DELIVERED", "read": "READ", "played": "READ"}


def verify(call: WebhookRequest, config: Config) -> None:
    """Check that a call is signed with the app's secret. Raises ForgedCall."""
    secret = config.secrets.get("app_secret", "")
    expected = "sha256=" + hmac.new(secret.encode(), call.body, hashlib.sha256).hexdigest()
    if not secret or not webhooks.is_same_secret(call.headers.get(_HEADER, ""), expected):
        raise ForgedCall("The call is not signed with the app's secret.")


def answer_challenge(call: WebhookRequest, config: Config) -> str | None:
    """Return the answer to Meta's verification of our address; None where the call lacks the agreed token."""
    query = webhooks.parse_query(call)
    is_meta = webhooks.is_same_secret(query.get("hub.verify_token", ""), config.secrets.get("verify_token", ""))
    if not is_meta or query.get("hub.mode") != "subscribe":
        return None
    return query.get("hub.challenge", "")


def read_events(call: WebhookRequest) -> list[Event]:
    """Return the events of a call, for all numbers of the app: they share one address. Raises ValueError."""
    content = webhooks.parse_json(call.body)
    events: list[Event] = []
    for entry in webhooks.get_list(content, "entry"):
        account_id = str(entry.get("id") or "") if isinstance(entry, Mapping) else ""
        for change in webhooks.get_list(entry, "changes"):
            value = change.get("value") if isinstance(change, Mapping) else None
            if isinstance(value, Mapping):
                events.extend(_read_change(value, str(change.get("field")), account_id, call))
            else:
                events.append(UnusedEvent("no_change"))
    return events


def _read_change(value: Mapping[str, Any], field: str, account_id: str, call: WebhookRequest) -> Iterator[Event]:
    """Yield the events of one change: about our account, our templates, our messages, or messages of debtors."""
    metadata = value.get("metadata")
    our_number = str(metadata.get("display_phone_number", "")) if isinstance(metadata, Mapping) else ""
    to = webhooks.format_phone(our_number)
    if field == "message_template_status_update":
        yield _read_decision(value, account_id, call)
    elif field == "message_template_quality_update":
        yield from account.read_quality(value, account_id, call)
    elif field in account.FIELDS:
        yield account.read_account(field, value, account_id, call)
    elif field == "user_preferences":
        yield from inbound.read_preferences(value, to, call)
    elif field == "messages":
        for status in webhooks.get_list(value, "statuses"):
            yield _read_receipt(status, call)
        # One contact stands beside each message where both have one; a message without a sender is its.
        contacts = webhooks.get_list(value, "contacts")
        for message in webhooks.get_list(value, "messages"):
            yield inbound.read_message(_name_sender(message, contacts), to, call)
        # Old versions of the API told of preferences beside the messages.
        yield from inbound.read_preferences(value, to, call)
    else:
        yield webhooks.name_unused("field", field)


def _name_sender(message: Any, contacts: list[Any]) -> Any:
    """Return a message with the sender that the only contact beside it names, where it names none itself."""
    if not isinstance(message, Mapping) or message.get("from") or message.get("from_user_id") or len(contacts) != 1:
        return message
    (contact,) = contacts
    if not isinstance(contact, Mapping) or message.get("type") == "system":
        return message
    return {**message, "from": contact.get("wa_id"), "from_user_id": contact.get("user_id")}


def _read_receipt(status: Any, call: WebhookRequest) -> ReceiptEvent | UnusedEvent:
    """Return the receipt in one status; those of groups and those that are not known are of no use."""
    if not isinstance(status, Mapping) or not status.get("id"):
        return UnusedEvent("no_status")
    if status.get("recipient_type") == "group":
        return UnusedEvent("group_status")
    word = str(status.get("status"))
    detail = {"status": word}
    if word == "failed":
        code = _first_error_code(status)
        meaning = codes.receipt_by_meaning(codes.load_meanings(ERRORS).get(code))
        detail["code"] = code
    elif word in _KINDS:
        meaning = codes.ReceiptMeaning(_KINDS[word])
    else:
        return webhooks.name_unused("status", word)
    return ReceiptEvent(
        kind=meaning.kind,
        at=webhooks.parse_unix_time(status.get("timestamp")) or call.received_at,
        event_key=f"whatsapp:{status['id']}:{word}",
        provider_reference=str(status["id"]),
        permanent=meaning.permanent,
        unusable=meaning.unusable,
        public_id=webhooks.parse_public_id(status.get("biz_opaque_callback_data")),
        detail=detail,
    )


def _first_error_code(status: Mapping[str, Any]) -> str:
    """Return the code of the first error that a status names, '' where it names none."""
    for error in webhooks.get_list(status, "errors"):
        if isinstance(error, Mapping):
            return str(error.get("code"))
    return ""


def _read_decision(value: Mapping[str, Any], account_id: str, call: WebhookRequest) -> TemplateEvent:
    """Return Meta's decision about a template."""
    name = str(value.get("message_template_name") or "")
    language = str(value.get("message_template_language") or "")
    status = str(value.get("event") or "")
    reason = str(value.get("reason") or "")
    # A rejection may be explained, a pause has its own description.
    advice = ""
    for part, key in (
        ("rejection_info", "recommendation"),
        ("rejection_info", "reason"),
        ("other_info", "description"),
    ):
        holder = value.get(part)
        if not advice and isinstance(holder, Mapping):
            advice = str(holder.get(key) or "")
    key = webhooks.hash_key(name, language, status, call.body.decode("utf-8", "replace"))
    return TemplateEvent(
        name=name,
        language=language,
        status=status,
        at=call.received_at,
        reason="" if reason == "NONE" else reason,
        detail=advice,
        category=str(value.get("message_template_category") or ""),
        event_key=f"whatsapp:template:{key}",
        account_id=account_id,
    )
