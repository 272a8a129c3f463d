"""What every channel offers to the dispatcher. A new channel is a folder like `email` and one line in the registry."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class Kind(StrEnum):
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
    """The end of one try: `reason` is a key of `contact.reasons`, `answer` the provider's own words.

    RETRY and FAILED say that the message was certainly not accepted. `unreachable` says that the trouble is the
    provider's, not this message's; `retry_after` seconds are what it asked for. `provider_reference` is its own id
    of the message. `unusable`: this channel cannot reach the address at all.
    """

    kind: Kind
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is handed over. `public_id` identifies the contact for ever, on every try.

    `on_behalf_of` is the creditor's name; `in_window` says that the debtor wrote by this channel within 24 hours.
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


class Sender(Protocol):
    """An open way to the provider, used by one dispatcher."""

    def send(self, message: Message) -> Outcome:
        """Hand a message over and say what became of it; never raises for what the provider does."""


class Channel(Protocol):
    """A way to reach debtors."""

    def opened(self) -> AbstractContextManager[Sender]:
        """Open the channel for a run of messages."""

    def message_id(self, public_id: UUID) -> str:
        """Return the provider's id of a message, the same on every try; '' where it gives one itself."""

    def was_received(self, public_id: UUID) -> bool | None:
        """Ask the provider whether a message arrived; None where it cannot tell."""
