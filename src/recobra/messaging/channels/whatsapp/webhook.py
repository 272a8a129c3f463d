"""Meta's calls: statuses of our messages, messages of debtors, decisions about templates."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

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
    """Return the answer to Meta's verification of our address; None where the call has not the agreed word."""
    query = webhooks.parse_query(call)
    is_meta = webhooks.is_same_secret(query.get("hub.verify_token", ""), config.secrets.get("verify_token", ""))
    return query.get("hub.challenge", "") if is_meta and query.get("hub.mode") == "subscribe" else None


def read_events(call: WebhookRequest) -> list[Event]:
    """Return the events of a call, for all numbers of the app: they share one address. Raises ValueError."""
    content = json.loads(call.body)
    return [
        event
        for entry in _get_list(content, "entry")
        for change in _get_list(entry, "changes")
        if isinstance(change, Mapping) and isinstance(value := change.get("value"), Mapping)
        for event in _read_change(value, str(change.get("field")), call)
    ]


def _read_change(value: Mapping[str, Any], field: str, call: WebhookRequest) -> Iterator[Event]:
    """Yield the events of one change: a decision about a template, receipts, or messages of debtors."""
    if field == "message_template_status_update":
        yield _read_decision(value, call)
    if field != "messages":
        return
    metadata = value.get("metadata")
    our_number = str(metadata.get("display_phone_number", "")) if isinstance(metadata, Mapping) else ""
    for status in _get_list(value, "statuses"):
        if (receipt := _read_receipt(status, call)) is not None:
            yield receipt
    for message in _get_list(value, "messages"):
        if (inbound := _read_inbound(message, webhooks.format_phone(our_number), call)) is not None:
            yield inbound


def _read_receipt(status: Any, call: WebhookRequest) -> ReceiptEvent | None:
    """Return the receipt in one status, None for groups and for statuses that are not known."""
    if not isinstance(status, Mapping) or not status.get("id") or status.get("recipient_type") == "group":
        return None
    word = str(status.get("status"))
    detail = {"status": word}
    if word == "failed":
        code = next((str(error.get("code")) for error in _get_list(status, "errors") if isinstance(error, Mapping)), "")
        kind, permanent, unusable = codes.receipt_by_meaning(codes.load_meanings(ERRORS).get(code))
        detail["code"] = code
    elif word in _KINDS:
        kind, permanent, unusable = _KINDS[word], None, False
    else:
        return None
    return ReceiptEvent(
        kind=kind,
        at=webhooks.parse_unix_time(status.get("timestamp")) or call.received_at,
        event_key=f"whatsapp:{status['id']}:{word}",
        provider_reference=str(status["id"]),
        permanent=permanent,
        unusable=unusable,
        public_id=webhooks.parse_public_id(status.get("biz_opaque_callback_data")),
        detail=detail,
    )


def _read_inbound(message: Any, to: str, call: WebhookRequest) -> InboundEvent | None:
    """Return a debtor's message to our number `to`, None for what no person sent or what came in a group."""
    # Messages in groups are left out: several people would read the answer.
    if not isinstance(message, Mapping) or not message.get("id") or not message.get("from") or "group_id" in message:
        return None
    content = _read_content(message)
    if content is None:
        return None
    text, button, reaction_to = content
    context = message.get("context")
    return InboundEvent(
        address=webhooks.format_phone(message["from"]),
        to=to,
        text=text,
        button=button,
        media=_read_media(message),
        at=webhooks.parse_unix_time(message.get("timestamp")) or call.received_at,
        event_key=f"whatsapp:{message['id']}",
        provider_reference=str(message["id"]),
        context_reference=reaction_to or (str(context.get("id") or "") if isinstance(context, Mapping) else ""),
    )


def _read_content(message: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Return text, code of the button and id of the message reacted to; None for what no person sent."""
    kind = str(message.get("type"))
    part = message.get(kind)
    body: Mapping[str, Any] = part if isinstance(part, Mapping) else {}
    if kind == "text":
        content = (str(body.get("body") or ""), "", "")
    elif kind == "button":
        content = (str(body.get("text") or ""), str(body.get("payload") or ""), "")
    elif isinstance(chosen := body.get("button_reply") or body.get("list_reply"), Mapping):
        content = (str(chosen.get("title") or ""), str(chosen.get("id") or ""), "")
    elif kind == "reaction":
        content = (str(body.get("emoji") or ""), "", str(body.get("message_id") or ""))
    elif kind == "location":
        place = [str(body[name]) for name in ("name", "address") if body.get(name)]
        content = (", ".join([f"{body.get('latitude')}, {body.get('longitude')}", *place]), "", "")
    else:
        content = (str(body.get("caption") or ""), "", "")
    is_removed_reaction = kind == "reaction" and not content[0]
    return content if kind in _MESSAGE_TYPES and not is_removed_reaction else None


def _read_media(message: Mapping[str, Any]) -> tuple[Media, ...]:
    """Return the file of a message, at most one; () where it has none."""
    part = message.get(str(message.get("type")))
    if message.get("type") not in _FILE_TYPES or not isinstance(part, Mapping) or not part.get("id"):
        return ()
    kind = str(part.get("mime_type") or "").partition(";")[0].strip()
    return (Media(media_id=str(part["id"]), media_type=kind, name=str(part.get("filename") or "")),)


def _read_decision(value: Mapping[str, Any], call: WebhookRequest) -> TemplateEvent:
    """Return Meta's decision about a template."""
    name, language = str(value.get("message_template_name") or ""), str(value.get("message_template_language") or "")
    status, reason = str(value.get("event") or ""), str(value.get("reason") or "")
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
