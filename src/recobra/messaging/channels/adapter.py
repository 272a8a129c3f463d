"""What a folder of `channels/` offers: how it is configured, how it sends, how its provider's calls are read.

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
    """A field of the settings form. `secret` is kept encrypted and never shown again."""

    name: str
    label: str | Promise
    kind: Literal["text", "secret", "url", "integer", "choice", "document"] = "text"
    required: bool = True
    help: str | Promise = ""
    choices: tuple[tuple[str, str | Promise], ...] = ()
    default: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One configured provider as its adapter sees it. `webhook_url` is where the provider calls us back."""

    provider_id: int | None
    code: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False, default_factory=dict)
    webhook_url: str = ""


class Unsuitable(Exception):
    """The settings cannot be used; the text says why and is shown as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What the test button found: nothing is sent to a debtor for it."""

    ok: bool
    answer: str


class AsyncSender(Protocol):
    """An open way to the provider, used by one dispatcher for many messages at once."""

    async def send(self, message: Message) -> Outcome:
        """Hand a message over and say what became of it; never raises for what the provider does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """A call of a provider's exactly as it came in; header names are in lower case, `url` is the public one.

    `received_at` dates events that carry no time of their own, and tells a replay of an old call.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


class ForgedCall(Exception):
    """The call is not signed by the provider, or too old; nothing of it is believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptEvent:
    """What became of a message. `kind` is one of `Receipt.Kind`; `event_key` is the same however often it comes.

    `public_id` where the provider gives back what it was told; `permanent` where an address will never work.
    `unusable` where the address cannot be reached by this channel at all (no WhatsApp account).
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
    """A file that came with a message, to be fetched from the provider by its id or address."""

    media_id: str
    media_type: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEvent:
    """What a debtor wrote, pressed or said. `context_reference` is the provider's id of the message answered to."""

    address: str
    text: str
    at: datetime
    event_key: str
    provider_reference: str
    to: str = ""
    button: str = ""
    context_reference: str = ""
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateEvent:
    """The provider's decision about a template of ours (WhatsApp)."""

    name: str
    language: str
    status: str
    at: datetime
    event_key: str
    reason: str = ""


Event = ReceiptEvent | InboundEvent | TemplateEvent


class Adapter(Protocol):
    """A way to reach debtors through one kind of provider."""

    kind: str
    channel: str
    label: str | Promise
    settings: tuple[Setting, ...]
    two_way: bool

    def opened(self, config: Config) -> AbstractAsyncContextManager[AsyncSender]:
        """Open the way for a run of messages. Raises Unsuitable."""

    def message_id(self, public_id: UUID, config: Config) -> str:
        """Return the provider's id of a message, the same on every try; '' where it gives one itself."""

    async def was_received(self, public_id: UUID, reference: str, config: Config) -> bool | None:
        """Ask the provider whether a message arrived; None where it cannot tell."""

    async def check(self, config: Config) -> Check:
        """Try the settings without reaching a debtor."""

    def verify(self, call: WebhookRequest, config: Config) -> None:
        """Refuse a call that is not the provider's. Raises ForgedCall."""

    def read(self, call: WebhookRequest, config: Config) -> Sequence[Event]:
        """Return what a call says; unknown parts are left out, a body that cannot be read raises ValueError."""

    async def fetch(self, media: Media, config: Config, *, most_bytes: int) -> bytes:
        """Fetch a file that came in. Raises Unsuitable where it is too large or gone."""
