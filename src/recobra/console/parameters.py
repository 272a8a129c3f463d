"""Parameters of addresses and forms; a value that cannot be read counts as not given."""

from __future__ import annotations

from datetime import date
from typing import Final

# PostgreSQL's bigint ends at 9223372036854775807: every number of 18 digits fits.
_ID_DIGITS_MAX: Final = 18
# Days of a portfolio lie well inside; at the ends of the calendar a day has no neighbour and no time zone.
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2199


def parse_date(text: str) -> date | None:
    """Return a day from 1900 to 2199 written as 2026-11-23, None for anything else."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def parse_id(text: str) -> int | None:
    """Return the number of a row, None for what cannot be one."""
    if text.isdecimal() and len(text) <= _ID_DIGITS_MAX:
        return int(text)
    return None


def parse_count(text: str, *, most: int) -> int | None:
    """Return a whole number from 0 to `most`, which a larger one counts as; None for anything else."""
    if not text.isdecimal():
        return None
    # More digits than `int` reads at all are a large number too.
    return min(int(text), most) if len(text) <= _ID_DIGITS_MAX else most


def parse_page(text: str, *, last: int = 10_000) -> int:
    """Return the number of a page, from 1 to `last`; 1 where none can be read."""
    return parse_count(text, most=last) or 1
