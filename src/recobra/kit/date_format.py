"""Days as people write them."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

from babel import Locale, dates


def format_date(day: date, style: str, locale: Locale | str) -> str:
    """Return a day as a country writes it; `style` is short, medium, long or full, or a pattern such as `d MMM y`."""
    # Of an instant its own day: the same instant may be another day elsewhere, and both are one key of the cache.
    return _format_day(day.date() if isinstance(day, datetime) else day, style, locale)


# Thousands of documents fall due on a few hundred days, and Babel takes as long for each as for an amount.
@lru_cache(maxsize=4096)
def _format_day(day: date, style: str, locale: Locale | str) -> str:
    return str(dates.format_date(day, style, locale=locale))
