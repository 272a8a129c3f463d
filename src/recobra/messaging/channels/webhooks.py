"""What the providers' calls have in common: comparing secrets, reading forms and times."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from recobra.messaging.channels.adapter import WebhookRequest


def same(given: str, expected: str) -> bool:
    """Compare a secret without telling by the time it takes how much of it was right; an empty one is never right."""
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())


def form(call: WebhookRequest) -> list[tuple[str, str]]:
    """Return the fields of a form that was posted, in order, empty ones too. Raises ValueError."""
    return parse_qsl(call.body.decode("utf-8"), keep_blank_values=True, max_num_fields=1000)


def query(call: WebhookRequest) -> dict[str, str]:
    """Return the parameters of the address."""
    return dict(parse_qsl(urlsplit(call.url).query, keep_blank_values=True, max_num_fields=1000))


def from_unix(given: Any) -> datetime | None:
    """Return an instant from seconds since 1970, None where it is none."""
    try:
        return datetime.fromtimestamp(float(given), tz=UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def from_iso(given: str, zone: str = "UTC") -> datetime | None:
    """Return an instant from ISO 8601 text, in a zone where it names none; None where it is none."""
    try:
        at = datetime.fromisoformat(given.strip())
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def public_id(given: Any) -> UUID | None:
    """Return the contact that a provider gives back, None where it is not one of ours."""
    try:
        return UUID(str(given))
    except ValueError:
        return None


def phone(given: Any) -> str:
    """Return a number as E.164 writes it, from digits with their country code."""
    text = str(given or "").strip()
    return f"+{text}" if text.isdecimal() else text


def key(*parts: str) -> str:
    """Return a short key that is the same for the same parts."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:40]


def texts(given: Any) -> dict[str, str]:
    """Return the plain values of a JSON object as texts."""
    pairs = given.items() if isinstance(given, Mapping) else ()
    return {str(name): str(value) for name, value in pairs if isinstance(value, str | int | float)}
