"""Public holidays of a country and of its states or provinces, by the `holidays` package and the law's data."""

from calendar import SUNDAY
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from importlib import metadata
from types import MappingProxyType
from typing import Final

import holidays

from recobra_core.law.model import HolidayCalendar
from recobra_core.law.subdivisions import list_subdivisions

_CITIES: Final = {"São Paulo Capital": "BR-SP", "Barcelona": "ES-CT"}
"""Cities whose holidays the package keeps under a name of their own -> the state, whose debtors may live there."""


@cache
def find_holidays(
    calendar: HolidayCalendar, *, subdivision: str | None, year: int, language: str | None = None
) -> Mapping[date, str] | None:
    """Return the holidays of a year with their names, None where there is no calendar for it.

    Those of the whole country and of the subdivision, such as AR-X, with the cities in it; of every subdivision where
    it is not known. Those of a city, and all where the subdivision is not known, say the place too. The package names
    them in `language`, one that it has; without one in that of the machine.
    """
    package = holidays.country_holidays(calendar.code)
    if not package.start_year <= year <= package.end_year:
        return None
    days: dict[date, str] = {}
    # A day of the whole country has the name that it has there.
    for part in (None, *_list_parts(calendar, subdivision)):
        found = holidays.country_holidays(
            calendar.code, subdiv=part, years=year, categories=calendar.categories, language=language
        )
        where = _name_part(calendar, part) if subdivision is None or part in _CITIES else ""
        for day, name in found.items():
            days.setdefault(day, f"{name}{where}")
    for local in calendar.local:
        is_there = not local.subdivision or subdivision in {None, local.subdivision}
        if is_there and local.year in {None, year}:
            days.setdefault(date(year, local.month, local.day), local.name)
    if calendar.monday_after_sunday:
        for day, name in tuple(days.items()):
            if day.weekday() == SUNDAY:
                days.setdefault(day + timedelta(days=1), name)
    return MappingProxyType(days)


def holidays_release() -> str:
    """Return the release of the package that says the holidays, such as 0.109."""
    return metadata.version("holidays")


def _list_parts(calendar: HolidayCalendar, subdivision: str | None) -> tuple[str, ...]:
    """Return the package's names of the subdivision and its cities, of all where it is not known, cities last."""
    if not calendar.subdivisions:
        return ()
    # A day of the whole state has the name that it has there. The package knows BR-SP as SP.
    parts = sorted(holidays.country_holidays(calendar.code).subdivisions, key=_CITIES.__contains__)
    if subdivision is None:
        return tuple(parts)
    return tuple(part for part in parts if _CITIES.get(part, f"{calendar.code}-{part}") == subdivision)


def _name_part(calendar: HolidayCalendar, part: str | None) -> str:
    """Return a subdivision of the package as what follows the name of its holiday, '' for the whole country."""
    if part is None:
        return ""
    return f" ({list_subdivisions(calendar.code).get(f'{calendar.code}-{part}', part)})"
