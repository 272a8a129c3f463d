"""The ways by which the journal's seal leaves the house, and what became of the last delivery by each."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from .models import SealDelivery


@dataclass(frozen=True, kw_only=True)
class WayState:
    """A way out of the house with its last delivery, None where none was tried."""

    way: str
    last: SealDelivery | None


def configured_ways() -> list[str]:
    """Return the ways that the settings name: `mail`, `webhook`."""
    return [way for way, setting in (("mail", settings.SEAL_MAIL), ("webhook", settings.SEAL_WEBHOOK)) if setting]


def way_states() -> list[WayState]:
    """Return the configured ways with their last deliveries."""
    return [
        WayState(way=way, last=SealDelivery.objects.filter(way=way).order_by("-day").first())
        for way in configured_ways()
    ]
