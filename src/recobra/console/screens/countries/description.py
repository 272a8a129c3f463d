"""Tables of a country's law; channels that the law treats alike share a row."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

import holidays
from babel import Locale
from babel.dates import get_day_names
from django.utils.translation import gettext as _

from recobra.console import labels
from recobra.console.labels import screen_language
from recobra_core.law import load_countries, phrases
from recobra_core.law.description import ChannelLaw, CountryLaw, RuleText, describe_country
from recobra_core.law.model import Country, Window

T = TypeVar("T")
YARDSTICKS: Final = frozenset({"US", "ES"})
_MIDNIGHT: Final = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursRow:
    """Channels of a place with the same hours; `days` are the hours of Monday to Sunday: opens, closes."""

    place: str
    channels: tuple[str, ...]
    allowed: bool
    days: tuple[tuple[str, str], ...]
    holidays: str
    law: RuleText


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedRule:
    """A rule that several channels share; no `channels` means all of them, no `places` the whole country."""

    places: tuple[str, ...]
    channels: tuple[str, ...]
    law: RuleText


def country_name(code: str) -> str:
    """Return a country's name in the screen's language."""
    return str(Locale(screen_language()).territories.get(code, code))


def authority_name(code: str) -> str:
    """Return the authority that supervises collection in a country."""
    return phrases.translate_text(load_countries()[code].authority, screen_language())


def country_names() -> list[tuple[str, str]]:
    """Return the countries with rules: code and name, sorted by name."""
    # By code points «Á» would come after «Z».
    without_accents = str.maketrans("áéíóúÁÉÍÓÚ", "aeiouAEIOU")
    names = [(code, country_name(code)) for code in load_countries()]
    return sorted(names, key=lambda pair: pair[1].translate(without_accents))


def place_name(place: str) -> str:
    """Return the name of a state or region such as BR-SP; the code alone where the calendars have no name."""
    country, _dash, part = place.partition("-")
    if not part:
        return country_name(place)
    names: list[str] = holidays.country_holidays(country).get_subdivision_aliases().get(part, [])
    return f"{names[0]} ({place})" if names else place


def holiday_names(home: Country, place: str, year: int) -> dict[date, str]:
    """Return the holidays of a year that the gate observes, named in the screen's or the country's language."""
    code, part = home.calendar.code, place.partition("-")[2]
    calendar = holidays.country_holidays(code)
    subdivision = part if home.calendar.subdivisions and part in calendar.subdivisions else None
    language = screen_language() if screen_language() in calendar.supported_languages else None
    observed = holidays.country_holidays(
        code, subdiv=subdivision, years=year, categories=home.calendar.categories, language=language
    )
    return dict(observed.items())


def weekday_names() -> list[tuple[str, str]]:
    """Return the names of Monday to Sunday: short and whole."""
    short = get_day_names("abbreviated", locale=screen_language())
    whole = get_day_names("wide", locale=screen_language())
    return [(short[weekday], whole[weekday]) for weekday in range(7)]


def read_law(code: str, day: date) -> CountryLaw:
    """Return a country's law on a day in the screen's language. Raises KeyError."""
    return describe_country(country=code, day=day, language=screen_language())


def list_hours(law: CountryLaw) -> list[HoursRow]:
    """Return the table of hours, the country's own rows first."""
    home = load_countries()[law.code]
    rows = [(channel, _weekly_hours(home, channel, law.day)) for channel in law.channels]
    groups = _group_by(rows, lambda row: (row[0].place, row[0].allowed, row[1], row[0].holidays, row[0].rule.source))
    table = []
    for group in groups:
        first, days = group[0]
        table.append(
            HoursRow(
                place=first.place,
                channels=tuple(channel.channel for channel, _days in group),
                allowed=first.allowed,
                days=days,
                holidays=first.holidays,
                law=first.rule,
            )
        )
    return table


def list_caps(law: CountryLaw) -> list[SharedRule]:
    """Return the caps of contacts, each once with its channels."""
    return _merge_channels(law, [(channel, cap) for channel in law.channels for cap in channel.caps])


def list_consents(law: CountryLaw) -> list[SharedRule]:
    """Return the channels that need the debtor's authorisation."""
    return _merge_channels(law, [(channel, channel.consent) for channel in law.channels if channel.consent])


def _merge_channels(law: CountryLaw, rows: list[tuple[ChannelLaw, RuleText]]) -> list[SharedRule]:
    all_channels = {channel.channel for channel in law.channels}
    shared = []
    for group in _group_by(rows, lambda row: (row[1].text, row[1].source, row[1].certainty)):
        channels = tuple(dict.fromkeys(channel.channel for channel, _text in group))
        places = tuple(dict.fromkeys(channel.place for channel, _text in group))
        shared.append(
            SharedRule(
                # A rule of the country holds in its regions too.
                places=() if law.code in places else places,
                channels=() if set(channels) == all_channels else channels,
                law=group[0][1],
            )
        )
    return shared


def _group_by(rows: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    """Return the rows with equal keys together, in the order in which each key first appears."""
    groups: dict[Hashable, list[T]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return list(groups.values())


def _weekly_hours(home: Country, channel: ChannelLaw, day: date) -> tuple[tuple[str, str], ...]:
    subdivision = channel.place if "-" in channel.place else ""
    regime = home.find_regime(channel=channel.channel, day=day, subdivision=subdivision)
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
    """Return the names of channels, joined by commas."""
    return ", ".join(labels.label_of("channel", code) for code in codes)
