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
_FILES: Final = ("image", "video", "audio", "document", "sticker")
# What a person sent and we do not read: it is a message all the same, and a person looks at it.
_WORDLESS: Final = ("contacts", "order", "unsupported", "unknown")
_SAID: Final = frozenset({"text", "button", "interactive", "reaction", "location", *_FILES, *_WORDLESS})


def verify(call: WebhookRequest, config: Config) -> None:
    """Refuse a call that is not signed with the app's secret. Raises ForgedCall."""
    secret = config.secrets.get("app_secret", "")
    expected = "sha256=" + hmac.new(secret.encode(), call.body, hashlib.sha256).hexdigest()
    if not secret or not webhooks.same(call.headers.get(_HEADER, ""), expected):
        raise ForgedCall("The call is not signed with the app's secret.")


def challenge(call: WebhookRequest, config: Config) -> str | None:
    """Return what Meta wants to hear when it asks whether the address is ours, None where it is not Meta."""
    asked = webhooks.query(call)
    right = webhooks.same(asked.get("hub.verify_token", ""), config.secrets.get("verify_token", ""))
    return asked.get("hub.challenge", "") if right and asked.get("hub.mode") == "subscribe" else None


def read(call: WebhookRequest) -> list[Event]:
    """Return what a call says. Raises ValueError.

    An app has one address for all its numbers, so what is said of another number of the company's is read too.
    """
    content = json.loads(call.body)
    return [event for value, field in _changes(content) for event in _events(value, field, call)]


def _changes(content: Any) -> Iterator[tuple[Mapping[str, Any], str]]:
    for entry in _list(content, "entry"):
        for change in _list(entry, "changes"):
            value = change.get("value") if isinstance(change, Mapping) else None
            if isinstance(value, Mapping):
                yield value, str(change.get("field"))


def _events(value: Mapping[str, Any], field: str, call: WebhookRequest) -> Iterator[Event]:
    if field == "message_template_status_update":
        yield _decision(value, call)
    metadata = value.get("metadata")
    if field != "messages":
        return
    shown = str(metadata.get("display_phone_number", "")) if isinstance(metadata, Mapping) else ""
    for status in _list(value, "statuses"):
        if (receipt := _receipt(status, call)) is not None:
            yield receipt
    for message in _list(value, "messages"):
        if (inbound := _inbound(message, webhooks.phone(shown), call)) is not None:
            yield inbound


def _receipt(status: Any, call: WebhookRequest) -> ReceiptEvent | None:
    if not isinstance(status, Mapping) or not status.get("id") or status.get("recipient_type") == "group":
        return None
    word, detail = str(status.get("status")), {"status": str(status.get("status"))}
    if word == "failed":
        code = next((str(error.get("code")) for error in _list(status, "errors") if isinstance(error, Mapping)), "")
        kind, permanent, unusable = codes.receipt(codes.meanings(ERRORS).get(code))
        detail["code"] = code
    elif word in _KINDS:
        kind, permanent, unusable = _KINDS[word], None, False
    else:
        return None
    return ReceiptEvent(
        kind=kind,
        at=webhooks.from_unix(status.get("timestamp")) or call.received_at,
        event_key=f"whatsapp:{status['id']}:{word}",
        provider_reference=str(status["id"]),
        permanent=permanent,
        unusable=unusable,
        public_id=webhooks.public_id(status.get("biz_opaque_callback_data")),
        detail=detail,
    )


def _inbound(message: Any, to: str, call: WebhookRequest) -> InboundEvent | None:
    if not isinstance(message, Mapping) or not message.get("id") or not message.get("from") or "group_id" in message:
        return None
    said = _said(message)
    if said is None:
        return None
    text, button, answered = said
    context = message.get("context")
    return InboundEvent(
        address=webhooks.phone(message["from"]),
        to=to,
        text=text,
        button=button,
        media=_media(message),
        at=webhooks.from_unix(message.get("timestamp")) or call.received_at,
        event_key=f"whatsapp:{message['id']}",
        provider_reference=str(message["id"]),
        context_reference=answered or (str(context.get("id") or "") if isinstance(context, Mapping) else ""),
    )


def _said(message: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Return text, code of a button and the message reacted to; None for what no person said."""
    kind = str(message.get("type"))
    part = message.get(kind)
    given: Mapping[str, Any] = part if isinstance(part, Mapping) else {}
    if kind == "text":
        said = (str(given.get("body") or ""), "", "")
    elif kind == "button":
        said = (str(given.get("text") or ""), str(given.get("payload") or ""), "")
    elif isinstance(chosen := given.get("button_reply") or given.get("list_reply"), Mapping):
        said = (str(chosen.get("title") or ""), str(chosen.get("id") or ""), "")
    elif kind == "reaction":
        said = (str(given.get("emoji") or ""), "", str(given.get("message_id") or ""))
    elif kind == "location":
        said = (_place(given), "", "")
    else:
        said = (str(given.get("caption") or ""), "", "")
    taken_back = kind == "reaction" and not said[0]
    return said if kind in _SAID and not taken_back else None


def _place(given: Mapping[str, Any]) -> str:
    named = [str(given[part]) for part in ("name", "address") if given.get(part)]
    return ", ".join([f"{given.get('latitude')}, {given.get('longitude')}", *named])


def _media(message: Mapping[str, Any]) -> tuple[Media, ...]:
    part = message.get(str(message.get("type")))
    if message.get("type") not in _FILES or not isinstance(part, Mapping) or not part.get("id"):
        return ()
    kind = str(part.get("mime_type") or "").partition(";")[0].strip()
    return (Media(media_id=str(part["id"]), media_type=kind, name=str(part.get("filename") or "")),)


def _decision(value: Mapping[str, Any], call: WebhookRequest) -> TemplateEvent:
    name, language = str(value.get("message_template_name") or ""), str(value.get("message_template_language") or "")
    status, reason = str(value.get("event") or ""), str(value.get("reason") or "")
    return TemplateEvent(
        name=name,
        language=language,
        status=status,
        at=call.received_at,
        reason="" if reason == "NONE" else reason,
        event_key=f"whatsapp:template:{webhooks.key(name, language, status, call.body.decode('utf-8', 'replace'))}",
    )


def _list(holder: Any, name: str) -> list[Any]:
    found = holder.get(name) if isinstance(holder, Mapping) else None
    return found if isinstance(found, list) else []
