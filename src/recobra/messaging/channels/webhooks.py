"""Helpers to read the providers' calls: secrets, forms, times, ids."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from recobra.messaging.channels.adapter import (
    AccountEvent,
    IdentityChangeEvent,
    InboundEvent,
    Media,
    ReceiptEvent,
    TemplateEvent,
    TemplateQualityEvent,
    UnusedEvent,
    WebhookRequest,
)

# No provider's message is older, or from a day after; such instants cannot be shown in every time zone.
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
EventT = TypeVar(
    "EventT",
    bound=AccountEvent
    | IdentityChangeEvent
    | InboundEvent
    | Media
    | ReceiptEvent
    | TemplateEvent
    | TemplateQualityEvent
    | UnusedEvent,
)
# Longer ids stand for themselves by their digest: an index takes no more, and no provider makes any.
_ID_MAX: Final = 512
_IDS: Final = frozenset(
    {"event_key", "provider_reference", "context_reference", "sender_id", "new_sender_id", "replaces"}
)
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")


def is_same_secret(received: str, expected: str) -> bool:
    """Return whether a secret is right, in constant time; an empty one is never right."""
    return bool(expected) and hmac.compare_digest(received.encode(), expected.encode())


def clean_event(event: EventT) -> EventT:
    """Return an event whose texts a database takes: for null characters and halves of characters a blank stands.

    Messengers let both through, and a message is not lost for them: «BAJA» is heard whatever follows it.
    """
    cleaned = {each.name: _clean(getattr(event, each.name)) for each in dataclasses.fields(event)}
    for name in _IDS & cleaned.keys():
        if len(cleaned[name]) > _ID_MAX:
            cleaned[name] = hash_key(cleaned[name])
    return dataclasses.replace(event, **cleaned)


def name_unused(what: str, word: Any = "") -> UnusedEvent:
    """Return the event for a part of no use; `word` is the provider's own for it, left out where it is no plain word.

    A text of a person's would otherwise stand among the names.
    """
    text = str(word)
    return UnusedEvent(f"{what}:{text}" if _WORD.fullmatch(text) else what)


def clean_text(text: str) -> str:
    """Return a text in which a blank stands for each null character and each half of a character."""
    return _UNSTORABLE.sub(" ", text)


def _clean(value: Any) -> Any:
    """Return a value of an event, with the texts in it cleaned."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return {clean_text(name): _clean(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_clean(item) for item in value)
    return clean_event(value) if isinstance(value, Media) else value


def parse_json(body: bytes) -> Any:
    """Return the document of a call. Raises ValueError, also for one that is nested too deeply."""
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("The document is nested too deeply.") from error


def parse_form(call: WebhookRequest) -> list[tuple[str, str]]:
    """Return the fields of a posted form in order, empty ones included. Raises ValueError for too many of them."""
    return parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=1000)


def parse_query(call: WebhookRequest) -> dict[str, str]:
    """Return the parameters of the address."""
    return dict(parse_qsl(urlsplit(call.url).query, keep_blank_values=True, max_num_fields=1000))


def parse_unix_time(value: Any) -> datetime | None:
    """Return an instant from seconds since 1970, None where the value is no such number or no believable one."""
    try:
        return _believe(datetime.fromtimestamp(float(value), tz=UTC))
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def parse_iso_time(text: str, zone: str = "UTC") -> datetime | None:
    """Return an instant from ISO 8601 text, None where it is none or no believable one.

    `zone` applies to text without an offset.
    """
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(zone))
    return _believe(at)


def _believe(at: datetime) -> datetime | None:
    """Return an instant in UTC, None where no message can be from it."""
    return at.astimezone(UTC) if _EARLIEST <= at < _LATEST else None


def parse_public_id(value: Any) -> UUID | None:
    """Return the contact id that a provider returns, None where the value is no id."""
    try:
        return UUID(str(value))
    except ValueError:
        return None


def format_phone(value: Any) -> str:
    """Return a number in E.164, from digits with their country code; any other text as it is."""
    text = str(value or "").strip()
    return f"+{text}" if text.isdecimal() else text


def hash_key(*parts: str) -> str:
    """Return a short key that is the same for the same parts, also where they hold halves of characters."""
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:40]


def plain_values(value: Any) -> dict[str, str]:
    """Return the texts and numbers of a JSON object, as texts."""
    pairs = value.items() if isinstance(value, Mapping) else ()
    return {str(name): str(item) for name, item in pairs if isinstance(item, str | int | float)}


def serialise_call(call: WebhookRequest) -> bytes:
    """Return a call as one piece, as HTTP writes it: of gateways that report by GET the address says everything."""
    return f"{call.method} ?{urlsplit(call.url).query}\r\n\r\n".encode() + call.body


def restore_call(stored: bytes, *, url: str, headers: Mapping[str, str], received_at: datetime) -> WebhookRequest:
    """Return the call that `serialise_call` wrote, as made to the provider's webhook at `url`."""
    request_line, _separator, body = stored.partition(b"\r\n\r\n")
    method, _mark, query = request_line.decode().partition(" ?")
    address = f"{url}?{query}" if query else url
    return WebhookRequest(method=method, url=address, headers=dict(headers), body=body, received_at=received_at)


def digest_call(call: WebhookRequest) -> str:
    """Return what identical calls have in common."""
    return hashlib.sha256(serialise_call(call)).hexdigest()


def get_list(holder: Any, name: str) -> list[Any]:
    """Return the list under a name, [] where the holder is no mapping or has no list there."""
    value = holder.get(name) if isinstance(holder, Mapping) else None
    return value if isinstance(value, list) else []
