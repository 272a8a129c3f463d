"""Public holidays of a country and of its states or provinces, by the `holidays` package and the law's data."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import metadata
from types import MappingProxyType

import holidays

from recobra_core.law.model import HolidayCalendar
from recobra_core.law.subdivisions import list_subdivisions


@cache
def find_holidays(
    calendar: HolidayCalendar, *, subdivision: str | None, year: int, language: str | None = None
) -> Mapping[date, str] | None:
    """Return the holidays of a year with their names, None where there is no calendar for it.

    Those of the whole country and of the subdivision, such as AR-X; of every subdivision where it is not known, and
    then with its name. The package names them in `language`, one that it has; without one in that of the machine.
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
        where = _name_part(calendar, part) if subdivision is None else ""
        for day, name in found.items():
            days.setdefault(day, f"{name}{where}")
    for local in calendar.local:
        if subdivision in {None, local.subdivision}:
            days.setdefault(date(year, local.month, local.day), local.name)
    return MappingProxyType(days)


def holidays_release() -> str:
    """Return the release of the package that says the holidays, such as 0.109."""
    return metadata.version("holidays")


def _list_parts(calendar: HolidayCalendar, subdivision: str | None) -> tuple[str, ...]:
    """Return the package's names of the subdivision, of all where it is not known; none where none has its own."""
    if not calendar.subdivisions:
        return ()
    parts: tuple[str, ...] = holidays.country_holidays(calendar.code).subdivisions
    if subdivision is None:
        return parts
    # The package knows BR-SP as SP.
    _country, _dash, code = subdivision.partition("-")
    return tuple(part for part in parts if part == code)


def _name_part(calendar: HolidayCalendar, part: str | None) -> str:
    """Return a subdivision of the package as what follows the name of its holiday, '' for the whole country."""
    if part is None:
        return ""
    # Of two cities the package keeps holidays of their own, under their names.
    return f" ({list_subdivisions(calendar.code).get(f'{calendar.code}-{part}', part)})"
