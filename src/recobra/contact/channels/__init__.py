"""The channels that are installed."""

from __future__ import annotations

from typing import Final

from .base import Bounce, Channel, Kind, Message, Outcome, Sender
from .email import EmailChannel

CHANNELS: Final[dict[str, Channel]] = {"email": EmailChannel()}

__all__ = ["CHANNELS", "Bounce", "Channel", "Kind", "Message", "Outcome", "Sender"]
