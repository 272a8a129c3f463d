"""Meta's calls: statuses of our messages, messages of debtors, decisions about templates."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from recobra.messaging.channels import codes, webhooks
from recobra.messaging.channels.adapter import (
    Config,
    Event,
    ForgedCall,
    InboundEvent,
    Media,
    ReceiptEvent,
    TemplateEvent,
    WebhookRequest,
)
from recobra.messaging.channels.whatsapp.client import ERRORS

_HEADER = "x-hub-signature-256"
_KINDS: Final = {"sent": "ACCEPTED", "delivered": "DELIVERED", "read": "READ", "played": "READ"}
_FILE_TYPES: Final = ("image", "video", "audio", "document", "sticker")
# Sent by a person and not read by us: it is a message all the same, for a person to look at.
_UNREAD_TYPES: Final = ("contacts", "order", "unsupported", "unknown")
_MESSAGE_TYPES: Final = frozenset(
    {"text", "button", "interactive", "reaction", "location", *_FILE_TYPES, *_UNREAD_TYPES}
)


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
    for entry in _get_list(content, "entry"):
        for change in _get_list(entry, "changes"):
            value = change.get("value") if isinstance(change, Mapping) else None
            if isinstance(value, Mapping):
                events.extend(_read_change(value, str(change.get("field")), call))
    return events


def _read_change(value: Mapping[str, Any], field: str, call: WebhookRequest) -> Iterator[Event]:
    """Yield the events of one change: a decision about a template, receipts, or messages of debtors."""
    if field == "message_template_status_update":
        yield _read_decision(value, call)
    if field != "messages":
        return
    metadata = value.get("metadata")
    our_number = str(metadata.get("display_phone_number", "")) if isinstance(metadata, Mapping) else ""
    for status in _get_list(value, "statuses"):
        receipt = _read_receipt(status, call)
        if receipt is not None:
            yield receipt
    for message in _get_list(value, "messages"):
        inbound = _read_inbound(message, webhooks.format_phone(our_number), call)
        if inbound is not None:
            yield inbound


def _read_receipt(status: Any, call: WebhookRequest) -> ReceiptEvent | None:
    """Return the receipt in one status, None for groups and for statuses that are not known."""
    if not isinstance(status, Mapping) or not status.get("id") or status.get("recipient_type") == "group":
        return None
    word = str(status.get("status"))
    detail = {"status": word}
    if word == "failed":
        code = _first_error_code(status)
        meaning = codes.receipt_by_meaning(codes.load_meanings(ERRORS).get(code))
        detail["code"] = code
    elif word in _KINDS:
        meaning = codes.ReceiptMeaning(_KINDS[word])
    else:
        return None
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
    for error in _get_list(status, "errors"):
        if isinstance(error, Mapping):
            return str(error.get("code"))
    return ""


def _read_inbound(message: Any, to: str, call: WebhookRequest) -> InboundEvent | None:
    """Return a debtor's message to our number `to`, None for what no person sent or what came in a group."""
    # Messages in groups are left out: several people would read the answer.
    if not isinstance(message, Mapping) or not message.get("id") or not message.get("from") or "group_id" in message:
        return None
    content = _read_content(message)
    if content is None:
        return None
    context = message.get("context")
    answers = str(context.get("id") or "") if isinstance(context, Mapping) else ""
    return InboundEvent(
        address=webhooks.format_phone(message["from"]),
        to=to,
        text=content.text,
        button=content.button,
        media=_read_media(message),
        at=webhooks.parse_unix_time(message.get("timestamp")) or call.received_at,
        event_key=f"whatsapp:{message['id']}",
        provider_reference=str(message["id"]),
        context_reference=content.reaction_to or answers,
    )


class _Content(NamedTuple):
    """The words of a message, the code of the button pressed, and Meta's id of the message reacted to."""

    text: str
    button: str = ""
    reaction_to: str = ""


def _read_content(message: Mapping[str, Any]) -> _Content | None:
    """Return the content of a message, None for what no person sent and for a reaction that was taken back."""
    kind = str(message.get("type"))
    if kind not in _MESSAGE_TYPES:
        return None
    part = message.get(kind)
    body: Mapping[str, Any] = part if isinstance(part, Mapping) else {}
    if kind == "button":
        return _Content(str(body.get("text") or ""), button=str(body.get("payload") or ""))
    chosen = body.get("button_reply") or body.get("list_reply")
    if isinstance(chosen, Mapping):
        return _Content(str(chosen.get("title") or ""), button=str(chosen.get("id") or ""))
    if kind == "reaction":
        emoji = str(body.get("emoji") or "")
        return _Content(emoji, reaction_to=str(body.get("message_id") or "")) if emoji else None
    if kind == "location":
        place = [str(body[name]) for name in ("name", "address") if body.get(name)]
        return _Content(", ".join([f"{body.get('latitude')}, {body.get('longitude')}", *place]))
    # Of a file only its caption; what we do not read is a message without words.
    words = body.get("body") if kind == "text" else body.get("caption")
    return _Content(str(words or ""))


def _read_media(message: Mapping[str, Any]) -> tuple[Media, ...]:
    """Return the file of a message, at most one; () where it has none."""
    part = message.get(str(message.get("type")))
    if message.get("type") not in _FILE_TYPES or not isinstance(part, Mapping) or not part.get("id"):
        return ()
    media_type, _semicolon, _parameters = str(part.get("mime_type") or "").partition(";")
    file = Media(media_id=str(part["id"]), media_type=media_type.strip(), name=str(part.get("filename") or ""))
    return (file,)


def _read_decision(value: Mapping[str, Any], call: WebhookRequest) -> TemplateEvent:
    """Return Meta's decision about a template."""
    name = str(value.get("message_template_name") or "")
    language = str(value.get("message_template_language") or "")
    status = str(value.get("event") or "")
    reason = str(value.get("reason") or "")
    key = webhooks.hash_key(name, language, status, call.body.decode("utf-8", "replace"))
    return TemplateEvent(
        name=name,
        language=language,
        status=status,
        at=call.received_at,
        reason="" if reason == "NONE" else reason,
        event_key=f"whatsapp:template:{key}",
    )


def _get_list(holder: Any, name: str) -> list[Any]:
    """Return the list under a name, [] where the holder is no mapping or has no list there."""
    value = holder.get(name) if isinstance(holder, Mapping) else None
    return value if isinstance(value, list) else []
