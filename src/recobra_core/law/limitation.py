"""When debts are prescribed, by the years that a country's law names, whether or not it then bars their collection."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, NamedTuple

from .clauses import find_in_force
from .conditions import years_before
from .files import load_countries

NEAR_DAYS: Final = 90
"""How many days ahead a prescription is told."""


class DueDays(NamedTuple):
    """Due dates later than `after`, up to `until`."""

    after: date
    until: date


def due_days_near_limitation(country: str, *, day: date) -> DueDays | None:
    """Return the due dates of debts that are not prescribed on a day and will be so within NEAR_DAYS.

    None where the country's file names no years.
    """
    years = _years(country, day)
    if years is None:
        return None
    return DueDays(after=years_before(day, years), until=years_before(day + timedelta(days=NEAR_DAYS), years))


def prescribed_on(country: str, *, due: date, day: date) -> date | None:
    """Return the first day on which a debt is prescribed by the law of `day`; None where it names no years."""
    years = _years(country, day)
    if years is None:
        return None
    try:
        return due.replace(year=due.year + years)
    except ValueError:  # 29 February
        return due.replace(year=due.year + years, month=3, day=1)


def _years(country: str, day: date) -> int | None:
    clause = find_in_force(load_countries()[country].sections.limitation, day)
    return clause.years if clause else None
