"""Where an hour or an amount that belongs to no portfolio is written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A place for the filters of `templatetags/console.py`."""

    time_zone: str
    country: str = ""
    currency: str = ""
