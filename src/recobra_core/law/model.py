"""A country's law of contact as frozen values, read from `data/<CC>.yaml` by `files`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from recobra_core.law.clauses import Sections

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALWAYS = date.min
"""effective_from of a rule whose day of force is not known: it judges every day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Local minutes of a day; the opening one is inside, the closing one (1440: midnight) outside."""

    opens: int
    closes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """Limit of how often: refuse when `n` or more earlier contacts lie in the period.

    scope: channel, all, group (`channels`), after_conversation. per: day, week, month, 7_consecutive_days,
    clear_days (a gap of `n` whole local days between two contacts of the group).
    counts: contacts, attempts, distinct_channels. subject: debtor, or debt where the law is per debt.
    """

    rule: str
    scope: str
    n: int
    per: str
    week: str
    counts: str
    channels: tuple[str, ...]
    subject: str
    basis: str
    source: str
    certainty: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One dated version of what a place (PE, BR-SP) says about a channel. `windows` starts on Monday."""

    place: str
    channel: str
    effective_from: date
    allowed: bool
    basis: str
    windows: tuple[Window | None, ...]
    open_on_holidays: bool
    caps: tuple[Cap, ...]
    consent_source: str | None
    source: str
    certainty: str
    note: str | None

    @property
    def name(self) -> str:
        """Return what its ids begin with, such as BR-SP/call."""
        return f"{self.place}/{self.channel}"

    @property
    def country(self) -> str:
        """Return the code of the country that the place is or lies in."""
        return self.place[:2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """The rules that must all allow a contact: one, or several where the subdivision is not known.

    `id` names place, channel and the day of the newest version in it, for instance `PE/call@2010-10-02`.
    """

    id: str
    rules: tuple[Rule, ...]

    @property
    def caps(self) -> tuple[Cap, ...]:
        """Return every cap once, the law's before the project's defaults."""
        caps: dict[str, Cap] = {}
        for rule in self.rules:
            caps |= {cap.rule: cap for cap in rule.caps}
        # False sorts before True.
        return tuple(sorted(caps.values(), key=lambda cap: cap.basis == "default"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalHoliday:
    """A holiday of a subdivision such as BO-O, '' for the country: each year on the same day, or in `year` alone."""

    subdivision: str
    month: int
    day: int
    year: int | None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayCalendar:
    """Arguments for the `holidays` package, and what that does not know.

    `subdivisions`: holidays differ by state or province. `monday_after_sunday`: one on a Sunday closes the Monday too.
    """

    code: str
    categories: tuple[str, ...]
    subdivisions: bool
    monday_after_sunday: bool
    local: tuple[LocalHoliday, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """A country's file. `articles` keeps what the gate does not judge: content, fees, records."""

    code: str
    name: str
    currency: str
    authority: str
    note: str | None
    time_zones: tuple[str, ...]
    zones_by_subdivision: Mapping[str, tuple[str, ...]]
    calendar: HolidayCalendar
    rules: tuple[Rule, ...]
    subdivisions: Mapping[str, tuple[Rule, ...]]
    sections: Sections
    local_sections: Mapping[str, Sections]
    articles: Mapping[str, Any] = field(hash=False)

    def find_regime(self, *, channel: str, day: date, subdivision: str | None) -> Regime | None:
        """Return what judges a contact by `channel` on `day`, None where no rule of that day is known.

        A subdivision's rule goes before the country's. Where the subdivision is not known, the
        contact must be allowed under each that has a rule of its own.
        """
        national = _find_version(self.rules, channel, day)
        if national is None:
            return None
        if subdivision is None:
            versions = [_find_version(rules, channel, day) for rules in self.subdivisions.values()]
        else:
            versions = [_find_version(self.subdivisions.get(subdivision, ()), channel, day)]
        local = tuple(rule for rule in versions if rule is not None)
        # Not known where the debtor lives: the country's rule and each subdivision's must allow.
        if subdivision is None and local:
            return _build_regime(f"{self.code}-*", (national, *local))
        rules = local or (national,)
        return _build_regime(rules[0].place, rules)


def _find_version(rules: tuple[Rule, ...], channel: str, day: date) -> Rule | None:
    """Return the version of a channel's rule in force on a day, None where there is none yet."""
    versions = [rule for rule in rules if rule.channel == channel and rule.effective_from <= day]
    return max(versions, key=lambda rule: rule.effective_from, default=None)


def _build_regime(place: str, rules: tuple[Rule, ...]) -> Regime:
    """Return the regime of some rules of one channel, dated by the newest of them."""
    newest = max(rule.effective_from for rule in rules)
    since = "always" if newest == ALWAYS else newest.isoformat()
    return Regime(id=f"{place}/{rules[0].channel}@{since}", rules=rules)
