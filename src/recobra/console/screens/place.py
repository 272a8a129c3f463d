"""Formats for hours and amounts that belong to no portfolio."""

from __future__ import annotations

from dataclasses import dataclass

from recobra.strategy import schedule


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A place for the filters of `templatetags/console.py`."""

    time_zone: str
    country: str = ""
    currency: str = ""


def installation_place() -> Installation:
    """Return the installation's own time zone, with no country and no currency."""
    return Installation(time_zone=schedule.installation_zone().key)
