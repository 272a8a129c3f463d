"""The channels of contact by the kind of contact point that each of them reaches."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CHANNELS_BY_KIND: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "PHONE": ("call", "ivr", "sms", "whatsapp"),
        "EMAIL": ("email",),
        "ADDRESS": ("letter", "visit"),
    }
)
"""The channels by which each kind of contact point is reached."""

KIND_BY_CHANNEL: Mapping[str, str] = MappingProxyType(
    {channel: kind for kind, channels in CHANNELS_BY_KIND.items() for channel in channels}
)

CHANNELS = tuple(KIND_BY_CHANNEL)
