"""Tables of a country's law; channels that the law treats alike share a row."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, TypeVar

import holidays
from babel.dates import get_day_names
from django.utils.translation import gettext as _

from recobra.console import labels
from recobra.kit.countries import country_name
from recobra.kit.language import screen_language
from recobra_core.folding import strip_accents
from recobra_core.law import load_countries, phrases
from recobra_core.law.description import ChannelLaw, CountryLaw, RuleText, describe_country
from recobra_core.law.model import Country, Window
from recobra_core.law.public_holidays import find_holidays
from recobra_core.law.subdivisions import list_subdivisions

Row = TypeVar("Row")
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


def authority_name(code: str) -> str:
    """Return the authority that supervises collection in a country."""
    return phrases.translate_text(load_countries()[code].authority, screen_language())


def country_names() -> list[tuple[str, str]]:
    """Return the countries with rules: code and name, sorted by name."""
    # By code points «Á» would come after «Z».
    names = [(code, country_name(code)) for code in load_countries()]
    return sorted(names, key=lambda code_and_name: strip_accents(code_and_name[1]))


def place_name(place: str) -> str:
    """Return the name of a country, or of a state or region such as BR-SP with its code."""
    country, _dash, part = place.partition("-")
    if not part:
        return country_name(place)
    name = list_subdivisions(country).get(place)
    return f"{name} ({place})" if name else place


def list_places(home: Country) -> list[tuple[str, str]]:
    """Return the states or regions where law, zone or holidays differ from the country's: code and name, by name."""
    codes = {*home.subdivisions, *home.zones_by_subdivision, *(local.subdivision for local in home.calendar.local)}
    if home.calendar.subdivisions:
        codes |= list_subdivisions(home.code).keys()
    return sorted(((code, place_name(code)) for code in codes), key=lambda place: strip_accents(place[1]))


def holiday_names(home: Country, place: str, year: int) -> Mapping[date, str]:
    """Return the holidays of a year that the gate observes, named in the screen's or the country's language."""
    calendar = holidays.country_holidays(home.calendar.code)
    # Without a language the package takes that of the server's environment.
    language = screen_language() if screen_language() in calendar.supported_languages else calendar.default_language
    return find_holidays(home.calendar, subdivision=place or None, year=year, language=language) or {}


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
    rows = [
        HoursRow(
            place=channel.place,
            channels=(channel.channel,),
            allowed=channel.allowed,
            days=_weekly_hours(home, channel, law.day),
            holidays=channel.holidays,
            law=channel.rule,
        )
        for channel in law.channels
    ]
    groups = _group_by(rows, lambda row: (row.place, row.allowed, row.days, row.holidays, row.law.source))
    table = []
    for group in groups:
        channels = [channel for row in group for channel in row.channels]
        table.append(replace(group[0], channels=tuple(channels)))
    return table


def list_caps(law: CountryLaw) -> list[SharedRule]:
    """Return the caps of contacts, each once with its channels."""
    return _merge_channels(law, [(channel, cap) for channel in law.channels for cap in channel.caps])


def list_consents(law: CountryLaw) -> list[SharedRule]:
    """Return the channels that need the debtor's authorisation."""
    return _merge_channels(law, [(channel, channel.consent) for channel in law.channels if channel.consent])


def _merge_channels(law: CountryLaw, rows: list[tuple[ChannelLaw, RuleText]]) -> list[SharedRule]:
    """Return the rules of channels, each once, with the channels and places that share it."""
    all_channels = {channel.channel for channel in law.channels}
    shared = []
    for group in _group_by(rows, _rule_identity):
        _first_channel, rule = group[0]
        channels = tuple(dict.fromkeys(channel.channel for channel, _text in group))
        places = tuple(dict.fromkeys(channel.place for channel, _text in group))
        shared.append(
            SharedRule(
                # A rule of the country holds in its regions too.
                places=() if law.code in places else places,
                channels=() if set(channels) == all_channels else channels,
                law=rule,
            )
        )
    return shared


def _rule_identity(row: tuple[ChannelLaw, RuleText]) -> tuple[str, str, str]:
    """Return what makes two rules one for a reader: their words, their article and how sure they are."""
    _channel, rule = row
    return rule.text, rule.source, rule.certainty


def _group_by(rows: Iterable[Row], key: Callable[[Row], Hashable]) -> list[list[Row]]:
    """Return the rows with equal keys together, in the order in which each key first appears."""
    groups: dict[Hashable, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return list(groups.values())


def _weekly_hours(home: Country, channel: ChannelLaw, day: date) -> tuple[tuple[str, str], ...]:
    """Return the opening and closing of Monday to Sunday, both '' for closed days."""
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
    """Return minutes since midnight as a time such as 07:00."""
    hours, rest = divmod(minutes, 60)
    return f"{hours:02d}:{rest:02d}"


def channel_names(codes: Iterable[str]) -> str:
    """Return the names of channels, joined by commas."""
    return ", ".join(labels.label_of("channel", code) for code in codes)
