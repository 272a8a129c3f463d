"""Messages of people in Meta's calls, whatever their type; none is passed over because it is not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from recobra.messaging.channels import webhooks
from recobra.messaging.channels.adapter import (
    Event,
    Form,
    IdentityChangeEvent,
    InboundEvent,
    Media,
    UnusedEvent,
    WebhookRequest,
)

# Whose preference it is, and whether the person stops messages: Meta tells of it in two places.
_STOP: Final = "stop"
_STOP_BUTTON: Final = "optout"
_FILE_TYPES: Final = ("image", "video", "audio", "document", "sticker")
_CHANGES: Final = ("user_changed_number", "user_changed_user_id")
_PREFERENCE: Final = "user_preference_changed"


class _Content(NamedTuple):
    """The words of a message, the code of the button pressed, and Meta's id of the message that it is about."""

    text: str = ""
    button: str = ""
    form: Form = "message"
    replaces: str = ""


def read_message(message: Any, to: str, call: WebhookRequest) -> Event:
    """Return what came to our number `to`: a person's message, of whatever type, or news about the person."""
    if not isinstance(message, Mapping):
        return UnusedEvent("no_message")
    part = message.get("system")
    if message.get("type") == "system" and isinstance(part, Mapping):
        return _read_system(message, part, to, call)
    content = _read_content(message)
    if content is None:
        return UnusedEvent("reaction_taken_back")
    if not _has_substance(message):
        return UnusedEvent("no_message")
    context = message.get("context")
    answers = str(context.get("id") or "") if isinstance(context, Mapping) else ""
    reference = str(message.get("id") or "") or webhooks.hash_key("whatsapp", repr(message))
    return InboundEvent(
        address=webhooks.format_phone(message.get("from")),
        sender_id=str(message.get("from_user_id") or ""),
        to=to,
        text=content.text,
        button=content.button,
        form=content.form,
        replaces=content.replaces,
        media=_read_media(_edited(message)),
        at=webhooks.parse_unix_time(message.get("timestamp")) or call.received_at,
        event_key=f"whatsapp:{reference}",
        provider_reference=reference,
        # What was reacted to is named apart from what is answered, and answers it all the same.
        context_reference=content.replaces if content.form == "reaction" else answers,
    )


def read_preferences(value: Mapping[str, Any], to: str, call: WebhookRequest) -> Iterator[Event]:
    """Yield what people set in WhatsApp itself about our messages."""
    for preference in webhooks.get_list(value, "user_preferences"):
        if isinstance(preference, Mapping):
            person = (webhooks.format_phone(preference.get("wa_id")), str(preference.get("user_id") or ""))
            yield _read_preference(preference.get("value"), preference, person, to, call)


def _read_system(message: Mapping[str, Any], part: Mapping[str, Any], to: str, call: WebhookRequest) -> Event:
    """Return the news that Meta gives of a person."""
    person = (webhooks.format_phone(message.get("from")), str(message.get("from_user_id") or ""))
    kind = part.get("type")
    if kind == _PREFERENCE:
        return _read_preference(part.get("marketing"), message, person, to, call)
    if kind not in _CHANGES:
        return webhooks.name_unused("system_message", kind)
    reference = str(message.get("id") or "") or webhooks.hash_key("whatsapp", repr(message))
    return IdentityChangeEvent(
        address=person[0],
        new_address=webhooks.format_phone(part.get("wa_id") or part.get("new_wa_id")),
        sender_id=str(part.get("previous_user_id") or ""),
        new_sender_id=str(part.get("user_id") or person[1]),
        at=webhooks.parse_unix_time(message.get("timestamp")) or call.received_at,
        event_key=f"whatsapp:{reference}",
        provider_reference=reference,
    )


def _read_preference(
    wish: Any, holder: Mapping[str, Any], person: tuple[str, str], to: str, call: WebhookRequest
) -> Event:
    """Return a wish for silence that a person set in WhatsApp; the other way round it ends no silence."""
    address, sender_id = person
    if wish != _STOP:
        return webhooks.name_unused("preference", wish)
    at = webhooks.parse_unix_time(holder.get("timestamp")) or call.received_at
    reference = str(holder.get("id") or "") or webhooks.hash_key("preference", address, sender_id, at.isoformat())
    return InboundEvent(
        address=address,
        sender_id=sender_id,
        to=to,
        text="",
        button=_STOP_BUTTON,
        at=at,
        event_key=f"whatsapp:{reference}",
        provider_reference=reference,
    )


def _has_substance(message: Mapping[str, Any]) -> bool:
    """Tell if an item is a message at all: it has a type, or an id and a sender."""
    return bool(message.get("type")) or bool(message.get("id") and (message.get("from") or message.get("from_user_id")))


def _edited(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the new version of an edited message, the message itself where it is no edit."""
    edit = message.get("edit")
    if message.get("type") != "edit" or not isinstance(edit, Mapping):
        return message
    inner = edit.get("message")
    return inner if isinstance(inner, Mapping) else edit


def _read_content(message: Mapping[str, Any]) -> _Content | None:
    """Return the content of a message, None for a reaction that was taken back."""
    kind = str(message.get("type"))
    part = message.get(kind)
    body: Mapping[str, Any] = part if isinstance(part, Mapping) else {}
    if kind == "reaction":
        emoji = str(body.get("emoji") or "")
        return _Content(emoji, form="reaction", replaces=str(body.get("message_id") or "")) if emoji else None
    original = str(body.get("original_message_id") or "")
    if kind == "revoke":
        return _Content(form="revocation", replaces=original)
    if kind == "edit":
        return _read_words(_edited(message))._replace(form="edit", replaces=original)
    return _read_words(message)


def _read_words(message: Mapping[str, Any]) -> _Content:
    """Return the words of a message of any type; those that people choose or write stand in a few known places."""
    kind = str(message.get("type"))
    part = message.get(kind)
    body: Mapping[str, Any] = part if isinstance(part, Mapping) else {}
    if kind == "button":
        return _Content(str(body.get("text") or ""), button=str(body.get("payload") or ""))
    chosen = body.get("button_reply") or body.get("list_reply")
    if isinstance(chosen, Mapping):
        return _Content(str(chosen.get("title") or ""), button=str(chosen.get("id") or ""))
    if kind == "location":
        place = [str(body[name]) for name in ("name", "address") if body.get(name)]
        return _Content(", ".join([f"{body.get('latitude')}, {body.get('longitude')}", *place]))
    # Of a file its caption; of a type that we do not know whatever stands where others have their words.
    for name in ("body", "caption", "text"):
        if isinstance(body.get(name), str) and body[name]:
            return _Content(body[name])
    text = message.get("text")
    return _Content(str(text.get("body") or "") if isinstance(text, Mapping) else "")


def _read_media(message: Mapping[str, Any]) -> tuple[Media, ...]:
    """Return the file of a message, at most one; () where it has none."""
    part = message.get(str(message.get("type")))
    if message.get("type") not in _FILE_TYPES or not isinstance(part, Mapping) or not part.get("id"):
        return ()
    media_type, _semicolon, _parameters = str(part.get("mime_type") or "").partition(";")
    file = Media(media_id=str(part["id"]), media_type=media_type.strip(), name=str(part.get("filename") or ""))
    return (file,)
