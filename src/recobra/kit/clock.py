"""The only place that reads the clock; doors, jobs and commands call it and pass the time on."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(tz=UTC)


def today(zone: str) -> date:
    """Return the present calendar day in a time zone."""
    return datetime.now(tz=ZoneInfo(zone)).date()
