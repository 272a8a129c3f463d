"""Channels: the installed adapters, by the kind of provider."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from django.utils.module_loading import import_string

from recobra.messaging.channels.adapter import Adapter
from recobra.messaging.channels.base import Bounce, Button, Message, Outcome, OutcomeKind, TemplateCall

# Dotted paths, because an adapter brings libraries that most installations never use.
_PATHS: Final = {
    "smtp": "recobra.messaging.channels.email.ADAPTER",
    "sendgrid": "recobra.messaging.channels.sendgrid.ADAPTER",
    "twilio_sms": "recobra.messaging.channels.twilio_sms.ADAPTER",
    "http_sms": "recobra.messaging.channels.http_sms.ADAPTER",
    "whatsapp": "recobra.messaging.channels.whatsapp.ADAPTER",
    "twilio_voice": "recobra.messaging.channels.twilio_voice.ADAPTER",
    "letters": "recobra.messaging.channels.letter.ADAPTER",
    "sandbox": "recobra.messaging.channels.sandbox.ADAPTER",
}


def register_channel(kind: str, path: str) -> None:
    """Add a kind of provider of an app above this one; `path` is the dotted path of its adapter."""
    _PATHS[kind] = path


class _Adapters(Mapping[str, Adapter]):
    """Adapters by kind, each imported when it is first looked up."""

    def __getitem__(self, kind: str) -> Adapter:
        adapter: Adapter = import_string(_PATHS[kind])
        return adapter

    def __iter__(self) -> Iterator[str]:
        return iter(_PATHS)

    def __len__(self) -> int:
        return len(_PATHS)


ADAPTERS: Final = _Adapters()

__all__ = [
    "ADAPTERS",
    "Adapter",
    "Bounce",
    "Button",
    "Message",
    "Outcome",
    "OutcomeKind",
    "TemplateCall",
    "register_channel",
]
