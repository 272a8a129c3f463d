"""What is handed over to a provider, and what may become of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID


class OutcomeKind(StrEnum):
    """What became of one handing over."""

    SENT = "SENT"
    RETRY = "RETRY"
    FAILED = "FAILED"
    UNCERTAIN = "UNCERTAIN"


class Bounce(StrEnum):
    """What an answer says about the contact point itself."""

    HARD = "HARD"
    SOFT = "SOFT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of one try: `reason` is a key of `messaging.reasons`, `answer` the provider's own words.

    RETRY and FAILED say that the message was certainly not accepted. `unreachable` says that the trouble is the
    provider's, not this message's; `retry_after` seconds are what it asked for. `provider_reference` is its own id
    of the message. `unusable`: this channel cannot reach the address at all.
    """

    kind: OutcomeKind
    answer: str
    reason: str = ""
    bounce: Bounce | None = None
    unreachable: bool = False
    unusable: bool = False
    provider_reference: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A choice offered with a message; `code` comes back when it is pressed."""

    code: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateCall:
    """A template registered with the provider, to be filled in by it: required outside WhatsApp's 24-hour window."""

    name: str
    language: str
    parameters: tuple[str, ...] = ()


ON_ITS_WAY_SECONDS: Final = 100
"""What may pass between judging a message and the provider's taking it."""
SHORTEST_SECONDS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is handed over. `public_id` identifies the contact for ever, on every try.

    `date` is when it was judged, `expires_at` until when it may arrive: a provider that keeps messages back for a
    while is told so where it can be. `on_behalf_of` is the creditor's name; `in_window` says that the debtor wrote by
    this channel within 24 hours.
    """

    public_id: UUID
    address: str
    subject: str
    text: str
    html: str
    date: datetime
    channel: str = "email"
    purpose: str = "CLAIM"
    country: str = ""
    language: str = "es"
    on_behalf_of: str = ""
    name: str = ""
    template: TemplateCall | None = None
    buttons: tuple[Button, ...] = ()
    in_window: bool = False
    expires_at: datetime | None = None

    def lifetime_seconds(self, *, most: int) -> int:
        """Return for how long a provider may keep it, from when it takes it; a few seconds at least."""
        if self.expires_at is None:
            return most
        left = int((self.expires_at - self.date).total_seconds()) - ON_ITS_WAY_SECONDS
        return min(max(left, SHORTEST_SECONDS), most)
