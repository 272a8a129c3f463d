"""The day and the clock in the time zones in which somebody may live, written as by `recobra_core.zones`."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from recobra_core.zones import split_zones


def local_date(zones: str, now: datetime) -> date | None:
    """Return the day in the first of the zones, None where it is not known.

    The gate opens only while it is the same day in all of them, so the first one stands for the others.
    """
    zone = first_zone(zones)
    return now.astimezone(zone).date() if zone else None


def first_zone(zones: str) -> ZoneInfo | None:
    """Return the first of the zones, None where it is not known."""
    names = split_zones(zones)
    return find_zone(names[0]) if names else None


# The list of zones is read from disk each time that it is asked for.
@lru_cache(maxsize=1024)
def find_zone(name: str) -> ZoneInfo | None:
    """Return a time zone by name, None where there is no such zone."""
    return ZoneInfo(name) if name in available_timezones() else None
