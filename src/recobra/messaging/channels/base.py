"""Messages as they are handed to a provider, and the outcomes of handing them over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID


class OutcomeKind(StrEnum):
    """How one try to hand a message over ended."""

    SENT = "SENT"
    RETRY = "RETRY"
    FAILED = "FAILED"
    UNCERTAIN = "UNCERTAIN"


class Bounce(StrEnum):
    """What a refusal says about the contact point itself."""

    HARD = "HARD"
    SOFT = "SOFT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of one try: `reason` is a key of `messaging.reasons`, `answer` the provider's own words.

    RETRY and FAILED mean that the message was certainly not accepted. `unreachable`: the trouble is the provider's,
    not this message's. `retry_after` is in seconds, as the provider asked. `provider_reference` is the provider's id
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
    """A template that the provider fills in; WhatsApp requires one outside the 24-hour service window."""

    name: str
    language: str
    parameters: tuple[str, ...] = ()


TRANSIT_SECONDS: Final = 100
"""The longest time between the gate's check of a message and the provider's taking it."""
MIN_LIFETIME_SECONDS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message to hand over. `public_id` identifies the contact for ever, on every try.

    `date` is when the gate checked it, `expires_at` the instant until which it may arrive; adapters pass that on to
    providers that queue messages. `on_behalf_of` is the creditor's name. `in_window`: the debtor wrote by this channel
    within 24 hours.
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

    def lifetime_seconds(self, *, limit: int) -> int:
        """Return for how long a provider may queue the message, at most `limit`, and a few seconds at least."""
        if self.expires_at is None:
            return limit
        # The provider counts from when it takes the message, which is later than the check.
        remaining = int((self.expires_at - self.date).total_seconds()) - TRANSIT_SECONDS
        return min(max(remaining, MIN_LIFETIME_SECONDS), limit)
