"""Interface of the adapters, one per folder of `channels/`: settings, sending, and the provider's calls.

A new channel or provider is a folder like `sendgrid` and one line in the registry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from django.utils.functional import Promise

from recobra.messaging.channels.base import Message, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A field of the settings form. A value of kind `secret` is stored encrypted and never shown again."""

    name: str
    label: str | Promise
    kind: Literal["text", "secret", "url", "integer", "choice", "document"] = "text"
    required: bool = True
    help: str | Promise = ""
    choices: tuple[tuple[str, str | Promise], ...] = ()
    default: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings of one provider, secrets in plain. `webhook_url` is where the provider calls us."""

    provider_id: int | None
    code: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False, default_factory=dict)
    webhook_url: str = ""


class Unsuitable(Exception):
    """The settings, or what they lead to, cannot be used; the text says why and is shown as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result of testing the settings."""

    ok: bool
    answer: str


class AsyncSender(Protocol):
    """Open connections to a provider, used by one dispatcher for many messages at once."""

    async def send(self, message: Message) -> Outcome:
        """Hand a message over and return the outcome; never raises for what the provider does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """A provider's call as it arrived; header names are in lower case, `url` is the public one.

    `received_at` dates events that carry no time of their own, and detects a replay of an old call.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


class ForgedCall(Exception):
    """The call is not signed by the provider, or is too old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptEvent:
    """What a provider says became of a message. `kind` is one of `Receipt.Kind`.

    `event_key` is the same each time the provider repeats the event. `public_id` is set where the provider returns
    the id that it was given, `permanent` where an address will never work, `unusable` where this channel cannot reach
    the address at all (no WhatsApp account).
    """

    kind: str
    at: datetime
    event_key: str
    provider_reference: str = ""
    public_id: UUID | None = None
    permanent: bool | None = None
    unusable: bool = False
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A file that came with a message. `media_id` is the provider's id of it, or its address."""

    media_id: str
    media_type: str
    name: str = ""


Form = Literal["message", "edit", "revocation", "reaction", "automatic"]
"""What came from a person: an `edit` or `revocation` of a message, a `reaction` to one, an `automatic` answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEvent:
    """A debtor's message, or the button pressed. `context_reference` is the provider's id of the message answered.

    `address` is '' where the provider shows no number; `sender_id` is then its own id of the person, if it gives one.
    `replaces` is the provider's id of the message that was edited, revoked or reacted to. `answers_id` is the contact
    that an e-mail answers. `subject` is that of an e-mail which begins anew, `quoted` what stands in one that is not
    the writer's own.
    """

    address: str
    text: str
    at: datetime
    event_key: str
    provider_reference: str
    to: str = ""
    button: str = ""
    context_reference: str = ""
    media: tuple[Media, ...] = ()
    form: Form = "message"
    sender_id: str = ""
    replaces: str = ""
    answers_id: UUID | None = None
    subject: str = ""
    quoted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateEvent:
    """The provider's decision about one of our templates (WhatsApp), in the account that it names.

    `reason` is the provider's own word, `detail` the sentence with what it advises; '' where it gives none.
    """

    name: str
    language: str
    status: str
    at: datetime
    event_key: str
    reason: str = ""
    detail: str = ""
    category: str = ""
    account_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateQualityEvent:
    """How the provider rates a template of ours by what people say of it: GREEN, YELLOW, RED or UNKNOWN."""

    name: str
    language: str
    quality: str
    at: datetime
    account_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEvent:
    """What a provider says of our account: nothing may be sent by it (STOPPED), it may again, or it is in danger.

    `reason` is the provider's own word.
    """

    account_id: str
    state: Literal["STOPPED", "RESTORED", "WARNED"]
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityChangeEvent:
    """A person has another number, or another id at the provider; a part that is not told is ''."""

    address: str
    new_address: str
    sender_id: str
    new_sender_id: str
    at: datetime
    event_key: str
    provider_reference: str


@dataclass(frozen=True, slots=True)
class UnusedEvent:
    """A part of a call that leads to nothing, by the name of what it is: nothing is left out silently."""

    name: str


Event = (
    ReceiptEvent
    | InboundEvent
    | TemplateEvent
    | TemplateQualityEvent
    | AccountEvent
    | IdentityChangeEvent
    | UnusedEvent
)


class Adapter(Protocol):
    """One kind of provider."""

    kind: str
    channel: str
    label: str | Promise
    settings: tuple[Setting, ...]
    two_way: bool

    def open_sender(self, config: Config) -> AbstractAsyncContextManager[AsyncSender]:
        """Open connections for a run of messages. Raises Unsuitable."""

    def message_id(self, public_id: UUID, config: Config) -> str:
        """Return our own id of a message, the same on every try; '' where the provider assigns one."""

    async def was_received(self, public_id: UUID, reference: str, config: Config) -> bool | None:
        """Ask the provider whether it took a message; None where it cannot tell."""

    async def check_settings(self, config: Config) -> Check:
        """Test the settings without reaching a debtor."""

    def verify_call(self, call: WebhookRequest, config: Config) -> None:
        """Check that a call is the provider's. Raises ForgedCall."""

    def read_events(self, call: WebhookRequest, config: Config) -> Sequence[Event]:
        """Return the events of a call; parts of no use are named. Raises ValueError where the body is unreadable."""

    async def fetch_media(self, media: Media, config: Config, *, max_bytes: int) -> bytes:
        """Return the content of a received file. Raises Unsuitable where it is too large or gone."""
