"""Parameters of addresses and forms; a value that cannot be read counts as not given."""

from __future__ import annotations

from datetime import date

# PostgreSQL's bigint ends at 9223372036854775807: every number of 18 digits fits.
_ID_DIGITS_MAX = 18


def parse_date(text: str) -> date | None:
    """Return a day written as 2026-11-23, None for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def parse_id(text: str) -> int | None:
    """Return the number of a row, None for what cannot be one."""
    if text.isdecimal() and len(text) <= _ID_DIGITS_MAX:
        return int(text)
    return None


def parse_page(text: str, *, last: int = 10_000) -> int:
    """Return the number of a page, from 1 to `last`; 1 where none can be read."""
    if not text.isdecimal() or int(text) == 0:
        return 1
    return min(int(text), last)
