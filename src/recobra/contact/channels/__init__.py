"""The ways out that are installed, by the kind of provider."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from .adapter import Adapter
from .base import Bounce, Button, Kind, Message, Outcome, TemplateCall

_FOLDERS: Final = {
    "smtp": "email",
    "sendgrid": "sendgrid",
    "twilio_sms": "twilio_sms",
    "http_sms": "http_sms",
    "whatsapp": "whatsapp",
    "twilio_voice": "twilio_voice",
    "letters": "letters",
    "visits": "visits",
    "sandbox": "sandbox",
}


@cache
def _installed() -> dict[str, str]:
    here = Path(__file__).parent
    return {kind: folder for kind, folder in _FOLDERS.items() if (here / folder / "adapter.py").exists()}


class _Adapters(Mapping[str, Adapter]):
    """Adapters by kind, each loaded when it is first asked for: a dispatcher needs one or two of them."""

    def __getitem__(self, kind: str) -> Adapter:
        adapter: Adapter = importlib.import_module(f"{__name__}.{_installed()[kind]}").ADAPTER
        return adapter

    def __iter__(self) -> Iterator[str]:
        return iter(_installed())

    def __len__(self) -> int:
        return len(_installed())


ADAPTERS: Final = _Adapters()

__all__ = ["ADAPTERS", "Adapter", "Bounce", "Button", "Kind", "Message", "Outcome", "TemplateCall"]
