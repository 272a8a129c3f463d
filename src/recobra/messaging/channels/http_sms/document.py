"""A gateway document that has been read and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

SECRETS = ("user", "password", "token")
PLACEHOLDERS = frozenset(
    {"to", "text", "id", "valid_seconds", "valid_minutes", "valid_until", "sender", "callback", "basic", *SECRETS}
)

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How one message is requested.

    `fields` is the template of the body; `repeat_is_safe`: the gateway drops a second message with the same `{id}`.
    """

    method: Literal["POST", "GET"]
    url: str
    headers: Mapping[str, str]
    body: Literal["json", "form", "query"]
    fields: Any
    number: Literal["e164", "digits", "national"] = "e164"
    letters: Literal["unicode", "gsm"] = "unicode"
    charset: Literal["utf-8", "latin-1"] = "utf-8"
    repeat_is_safe: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How the gateway's reply is read. `pattern` reads plain text: its named groups are the fields."""

    accepted: frozenset[int]
    id: Path = ()
    error: Path = ()
    success: Path = ()
    success_values: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None
    permanent: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    retry: frozenset[str] = frozenset()
    server_errors: Literal["uncertain", "retry"] = "uncertain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """How a call proves that it is the gateway's."""

    kind: Literal["hmac", "header", "query", "basic"]
    name: str = ""
    algorithm: Literal["sha256", "sha1", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """What all calls of the gateway share; `answer` is the body that it expects in return."""

    check: Check
    items: Path = ()
    answer: str = ""
    at_format: Literal["iso", "unix", "unix_ms"] = "iso"
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """How a delivery receipt is read; `statuses` gives the meaning of each of the gateway's words."""

    status: Path
    reference: Path = ()
    id: Path = ()
    at: Path = ()
    error: Path = ()
    statuses: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """How a debtor's message is read."""

    sender: Path
    text: Path
    to: Path = ()
    id: Path = ()
    at: Path = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A gateway as its document describes it."""

    name: str
    request: Request
    answer: Answer
    calls: Calls | None = None
    receipts: Receipts | None = None
    inbound: Inbound | None = None


def value_at(document: Any, path: Path) -> Any:
    """Return the value at a path of a JSON document, None where there is none."""
    for step in path:
        if isinstance(step, str) and isinstance(document, Mapping):
            document = document.get(step)
        elif isinstance(step, int) and isinstance(document, Sequence) and not isinstance(document, str):
            document = document[step] if step < len(document) else None
        else:
            return None
    return document


def text_at(document: Any, path: Path) -> str:
    """Return the text or number at a path, '' where there is none."""
    value = value_at(document, path) if path else None
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
