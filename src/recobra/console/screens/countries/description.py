"""A country's law laid out for the page: channels that the law treats alike stand in one row."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

import holidays
from babel import Locale
from babel.dates import get_day_names
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recobra.console import labels
from recobra_core.law import load_countries
from recobra_core.law import phrases as law_words
from recobra_core.law.description import ChannelLaw, CountryLaw, RuleText, describe_country
from recobra_core.law.model import Country, Window

T = TypeVar("T")
YARDSTICKS: Final = frozenset({"US", "ES"})
_MIDNIGHT: Final = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursRow:
    """Channels of a place with the same hours; `days` are Monday to Sunday: opens, closes."""

    place: str
    channels: tuple[str, ...]
    allowed: bool
    days: tuple[tuple[str, str], ...]
    holidays: str
    told: RuleText


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedRule:
    """A rule that several channels share; `channels` is empty where it speaks of all."""

    places: tuple[str, ...]
    channels: tuple[str, ...]
    told: RuleText


def language() -> str:
    """Return the language in which the law is told: the screen's."""
    return "en" if get_language() == "en" else "es"


def country_name(code: str) -> str:
    """Return a country's name in the screen's language."""
    return str(Locale(language()).territories.get(code, code))


def authority_name(code: str) -> str:
    """Return who watches over collection in a country."""
    return law_words.translate_text(load_countries()[code].authority, language())


def country_names() -> list[tuple[str, str]]:
    """Return the countries with rules, by name."""
    plain = str.maketrans("áéíóúÁÉÍÓÚ", "aeiouAEIOU")
    named = [(code, country_name(code)) for code in load_countries()]
    return sorted(named, key=lambda each: each[1].translate(plain))


def place_name(place: str) -> str:
    """Return the name of a state or region such as BR-SP; the code alone where the calendars do not name it."""
    country, _dash, part = place.partition("-")
    if not part:
        return country_name(place)
    named: list[str] = _calendar_of(country).get_subdivision_aliases().get(part, [])
    return f"{named[0]} ({place})" if named else place


def holiday_names(home: Country, place: str, year: int) -> dict[date, str]:
    """Return the holidays of a year that the gate observes, with their names as the country or the screen has them."""
    code, part = home.calendar.code, place.partition("-")[2]
    known = _calendar_of(code)
    local = part if home.calendar.subdivisions and part in known.subdivisions else None
    wanted = language() if language() in known.supported_languages else None
    return dict(
        holidays.country_holidays(
            code, subdiv=local, years=year, categories=home.calendar.categories, language=wanted
        ).items()
    )


def _calendar_of(code: str) -> holidays.HolidayBase:
    return holidays.country_holidays(code)


def weekday_names() -> list[tuple[str, str]]:
    """Return Monday to Sunday: short and whole."""
    short = get_day_names("abbreviated", locale=language())
    whole = get_day_names("wide", locale=language())
    return [(short[day], whole[day]) for day in range(7)]


def read_law(code: str, day: date) -> CountryLaw:
    """Return a country's law on a day in the screen's language. Raises KeyError."""
    return describe_country(country=code, day=day, language=language())


def list_hours(reading: CountryLaw) -> list[HoursRow]:
    """Return the table of hours, the country's own rows first."""
    home = load_countries()[reading.code]
    rows = [(each, _weekly_hours(home, each, reading.day)) for each in reading.channels]
    grouped = _group_by(rows, lambda row: (row[0].place, row[0].allowed, row[1], row[0].holidays, row[0].rule.source))
    return [
        HoursRow(
            place=rows[0][0].place,
            channels=tuple(each.channel for each, _days_of in rows),
            allowed=rows[0][0].allowed,
            days=rows[0][1],
            holidays=rows[0][0].holidays,
            told=rows[0][0].rule,
        )
        for rows in grouped
    ]


def list_caps(reading: CountryLaw) -> list[SharedRule]:
    """Return how often, each rule once with the channels it counts for."""
    return _merge_channels(reading, [(each, cap) for each in reading.channels for cap in each.caps])


def list_consents(reading: CountryLaw) -> list[SharedRule]:
    """Return the channels that need the debtor's authorisation."""
    return _merge_channels(reading, [(each, each.consent) for each in reading.channels if each.consent])


def _merge_channels(reading: CountryLaw, rows: list[tuple[ChannelLaw, RuleText]]) -> list[SharedRule]:
    every = {each.channel for each in reading.channels}
    shared = []
    for alike in _group_by(rows, lambda row: (row[1].text, row[1].source, row[1].certainty)):
        places = tuple(dict.fromkeys(each.place for each, _told in alike if each.place != reading.code))
        mine = tuple(dict.fromkeys(each.channel for each, _told in alike))
        national = any(each.place == reading.code for each, _told in alike)
        shared.append(
            SharedRule(places=() if national else places, channels=() if set(mine) == every else mine, told=alike[0][1])
        )
    return shared


def _group_by(rows: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    found: dict[Hashable, list[T]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return list(found.values())


def _weekly_hours(home: Country, channel: ChannelLaw, day: date) -> tuple[tuple[str, str], ...]:
    place = channel.place if "-" in channel.place else ""
    regime = home.find_regime(channel=channel.channel, day=day, subdivision=place)
    if regime is None or not channel.allowed:
        return (format_window(None),) * 7
    return tuple(format_window(window) for window in regime.rules[0].windows)


def format_window(window: Window | None) -> tuple[str, str]:
    """Return hours such as 07:00 and 22:00; both '' for a closed day, one text for a whole day."""
    if window is None:
        return "", ""
    if (window.opens, window.closes) == (0, _MIDNIGHT):
        return _("all day"), ""
    return _format_time(window.opens), _format_time(window.closes)


def _format_time(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def channel_names(codes: Iterable[str]) -> str:
    """Return channels in words, joined by commas."""
    return ", ".join(labels.label_of("channel", code) for code in codes)
