"""When a contact may be made: the opening of a local day, in UTC, in every zone the debtor may live in."""

import zoneinfo
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

import holidays
import ibis
import ibis.expr.types as ir

from recobra_core.law.company_rules import COMPANY_SOURCE, LAW_ALONE, CompanyRule, CompanyRules
from recobra_core.law.conditions import CONDITION_COLUMNS, NO_CONDITIONS, UnknownClause, build_conditions
from recobra_core.law.files import load_countries
from recobra_core.law.model import CHANNELS, Country, Regime, Rule, Window
from recobra_core.law.tables import build_table

COMPANY_CALENDAR = "company calendar"
UNKNOWN_SOURCE = "unknown facts block (house rule)"


class OpeningKey(NamedTuple):
    """What an opening depends on. `zones` joins all possible zones by `|`; `zones_for` makes it.

    `house` is the id of the company's rules, '' without any, LAW_ALONE where only the law shall judge.
    """

    country: str | None
    subdivision: str | None
    zones: str | None
    channel: str | None
    local_date: date | None
    house: str | None = ""


@dataclass(kw_only=True)
class ClosedDay(Exception):
    """Why a local day has no opening at all."""

    reason: str
    rule: str
    source: str = UNKNOWN_SOURCE


OPENINGS = ibis.schema(
    {
        "country": "string",
        "subdivision": "string",
        "zones": "string",
        "channel": "string",
        "local_date": "date",
        "house": "string",
        "opens_at_utc": "timestamp(6)",
        "closes_at_utc": "timestamp(6)",
        "law_opens_at_utc": "timestamp(6)",
        "law_closes_at_utc": "timestamp(6)",
        "closed_reason": "string",
        "closed_rule": "string",
        "closed_source": "string",
        "regime": "string",
        "window_rule": "string",
        "window_source": "string",
        "consent_rule": "string",
        "consent_source": "string",
        "house_rule": "string",
        **CONDITION_COLUMNS,
    }
)
"""Columns of `openings`. Times are UTC without zone; both are null on a closed day. A text that has nothing
to say is ''. The law's own opening stands apart from the one that the company narrowed by `house_rule`.

`regime` names the rule version that judged; caps hang on it. `consent_rule` is '' unless the law, or the
company, wants the consumer's authorisation of the channel. The rest is `conditions.COLUMNS`.
"""


def build_openings(
    *,
    keys: Iterable[OpeningKey],
    company_holidays: Collection[tuple[str, date]] = (),
    company_rules: Mapping[str, CompanyRules] = MappingProxyType({}),
) -> ir.Table:
    """One row per distinct key, in the shape of OPENINGS; a missing text key is written ''.

    `company_holidays` are (country, local date) on which the company itself contacts nobody. `company_rules`
    are by id, each under its own name; a key with another id is closed (`unknown_house`).
    """
    assert all(name == rules.name for name, rules in company_rules.items()), "company rules stand under their own name"
    distinct = {
        OpeningKey(
            key.country or "",
            key.subdivision or "",
            key.zones or "",
            key.channel or "",
            key.local_date,
            key.house or "",
        )
        for key in keys
    }
    ordered = sorted(distinct, key=lambda key: (*map(str, key[:4]), key.local_date or date.min, key.house or ""))
    return build_table([_row(key, company_holidays, company_rules) for key in ordered], schema=OPENINGS)


def zones_for(*, country: str | None, subdivision: str | None, stated_zone: str | None) -> str:
    """The zones in which a debtor may live, joined by `|`: address first, then the stated one, else all.

    Where a stated zone contradicts the address, all of both remain. A stated zone that nobody knows is
    returned as it is, so that it blocks; so is '' for a country without rules.
    """
    if stated_zone and stated_zone not in _all_zones():
        return stated_zone
    home = load_countries().get(country or "")
    address = home.zones_by_subdivision.get(_iso(home, subdivision) or "", ()) if home else ()
    if stated_zone:
        return stated_zone if stated_zone in address else "|".join((*address, stated_zone))
    return "|".join(address or (home.time_zones if home else ()))


def _row(
    key: OpeningKey, company: Collection[tuple[str, date]], company_rules: Mapping[str, CompanyRules]
) -> dict[str, object]:
    row: dict[str, object] = {**key._asdict(), **NO_CONDITIONS}
    try:
        home, day, regime = _regime(key)
        house = _house(key, company_rules)
        row |= _facts(regime, home, house)
        row |= _conditions(key, home, day, house)
        _refuse_barred(key, home, regime, house)
        return row | _hours(key, home, regime, house, company)
    except ClosedDay as closed:
        return row | {
            "closed_reason": closed.reason,
            "closed_rule": closed.rule,
            "closed_source": closed.source,
        }


def _house(key: OpeningKey, company_rules: Mapping[str, CompanyRules]) -> CompanyRules | None:
    if not key.house or key.house == LAW_ALONE:
        return None
    if key.house not in company_rules:
        raise ClosedDay(reason="unknown_house", rule="ALL/unknown")
    return company_rules[key.house]


def _conditions(key: OpeningKey, home: Country, day: date, house: CompanyRules | None) -> dict[str, object]:
    subdivision = _iso(home, key.subdivision)
    try:
        return build_conditions(home, day=day, subdivision=subdivision, channel=key.channel or "", house=house)
    except UnknownClause as unknown:
        raise ClosedDay(reason="unknown_rule", rule=f"{unknown}/{key.channel}") from unknown


def _facts(regime: Regime, home: Country, house: CompanyRules | None) -> dict[str, object]:
    first = regime.rules[0]
    asks = next(((f"{rule.name}/consent", rule.consent_source) for rule in regime.rules if rule.consent_source), None)
    for rule in house.of(country=home.code, channel=first.channel) if house else ():
        if rule.consent_required and not asks:
            asks = (f"{rule.rule}/consent", COMPANY_SOURCE)
    return {
        "regime": house.regime_id(regime) if house else regime.id,
        "window_rule": f"{first.name}/window",
        "window_source": first.source,
        "consent_rule": asks and asks[0],
        "consent_source": asks and asks[1],
    }


def _regime(key: OpeningKey) -> tuple[Country, date, Regime]:
    home = load_countries().get(key.country or "")
    if home is None:
        raise ClosedDay(reason="unknown_country", rule="ALL/country")
    if key.channel not in CHANNELS:
        raise ClosedDay(reason="unknown_channel", rule=f"{home.code}/channel")
    if key.local_date is None:
        raise ClosedDay(reason="unknown_date", rule=f"{home.code}/date")
    subdivision = _iso(home, key.subdivision)
    if subdivision and not _knows(home, subdivision):
        raise ClosedDay(reason="unknown_subdivision", rule=f"{home.code}/subdivision")
    regime = home.regime(channel=key.channel, day=key.local_date, subdivision=subdivision)
    if regime is None:
        raise ClosedDay(reason="unknown_rule", rule=f"{home.code}/{key.channel}")
    return home, key.local_date, regime


def _refuse_barred(key: OpeningKey, home: Country, regime: Regime, house: CompanyRules | None) -> None:
    """Refuse a channel that the law bars, then one that the company does not use."""
    for rule in regime.rules:
        if not rule.allowed:
            raise ClosedDay(reason="channel_barred", rule=f"{rule.name}/barred", source=rule.source)
    for own in house.of(country=home.code, channel=regime.rules[0].channel) if house else ():
        if own.never:
            raise ClosedDay(reason="house_bar", rule=f"{own.rule}/never", source=COMPANY_SOURCE)
    if key.channel == "visit" and key.house != LAW_ALONE and not (house and house.visits_open):
        raise ClosedDay(
            reason="visits_closed", rule="HOUSE/visits", source="visits are off until the company opens them"
        )


def _hours(
    key: OpeningKey, home: Country, regime: Regime, house: CompanyRules | None, company: Collection[tuple[str, date]]
) -> dict[str, object]:
    """The opening common to all rules and zones, of the law and as the company narrows it. Raises Closed."""
    day = key.local_date
    assert day is not None, "unknown days are refused before"
    for rule in regime.rules:
        _refuse_closed_day(rule, home, day, _iso(home, key.subdivision))
    if (home.code, day) in company:
        raise ClosedDay(reason="holiday", rule=f"{home.code}/company-holiday", source=COMPANY_CALENDAR)
    opens, closes = _opening(key, home, day, regime)
    row: dict[str, object] = {"law_opens_at_utc": opens, "law_closes_at_utc": closes}
    for own in house.of(country=home.code, channel=regime.rules[0].channel) if house else ():
        if own.open_on_holidays is False:
            _refuse_holiday(home, day, _iso(home, key.subdivision), rule=f"{own.rule}/holidays", source=COMPANY_SOURCE)
        earlier = opens, closes
        opens, closes = _narrowed(own, key, day, opens, closes)
        row |= {"house_rule": own.rule} if (opens, closes) != earlier else {}
    return row | {"opens_at_utc": opens, "closes_at_utc": closes}


def _opening(key: OpeningKey, home: Country, day: date, regime: Regime) -> tuple[datetime, datetime]:
    zones = (key.zones or "").split("|")
    if not set(zones) <= _all_zones():
        raise ClosedDay(reason="unknown_zone", rule=f"{home.code}/zone")
    spans = [_in_utc(window, day, zone) for rule in regime.rules for zone in zones if (window := _window(rule, day))]
    opens, closes = max(opens for opens, _ in spans), min(closes for _, closes in spans)
    if opens >= closes:
        first = regime.rules[0]
        raise ClosedDay(reason="no_common_hour", rule=f"{first.name}/window", source=first.source)
    return opens, closes


def _narrowed(
    rule: CompanyRule, key: OpeningKey, day: date, opens: datetime, closes: datetime
) -> tuple[datetime, datetime]:
    """The opening that a rule of the company leaves. Raises Closed where it leaves none."""
    windows = rule.windows
    window = windows[day.weekday()] if windows else Window(opens=0, closes=24 * 60)
    if day in rule.closed_days or window is None:
        raise ClosedDay(reason="house_closed", rule=rule.rule, source=COMPANY_SOURCE)
    if not windows:
        return opens, closes
    for zone in (key.zones or "").split("|"):
        first, last = _in_utc(window, day, zone)
        opens, closes = max(opens, first), min(closes, last)
    if opens >= closes:
        raise ClosedDay(reason="house_closed", rule=rule.rule, source=COMPANY_SOURCE)
    return opens, closes


def _window(rule: Rule, day: date) -> Window | None:
    return rule.windows[day.weekday()]


def _refuse_closed_day(rule: Rule, home: Country, day: date, subdivision: str | None) -> None:
    if _window(rule, day) is None:
        raise ClosedDay(reason="closed_day", rule=f"{rule.name}/window", source=rule.source)
    if not rule.open_on_holidays:
        _refuse_holiday(home, day, subdivision, rule=f"{rule.name}/holidays", source=rule.source)


def _refuse_holiday(home: Country, day: date, subdivision: str | None, *, rule: str, source: str) -> None:
    calendar = home.calendar
    local = subdivision.partition("-")[2] if subdivision and calendar.subdivisions else None
    days = _holidays(calendar.code, calendar.categories, local, day.year)
    if days is None:
        raise ClosedDay(reason="unknown_calendar", rule=rule)
    if day in days:
        raise ClosedDay(reason="holiday", rule=rule, source=source)


def _in_utc(window: Window, day: date, zone: str) -> tuple[datetime, datetime]:
    # A clock change can give an edge twice: the later opening and the earlier closing are the strict ones.
    opens = max(_utc(day, window.opens, zone, fold) for fold in (0, 1))
    closes = min(_utc(day, window.closes, zone, fold) for fold in (0, 1))
    return opens, closes


def _utc(day: date, minutes: int, zone: str, fold: int) -> datetime:
    local = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return local.replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=fold).astimezone(UTC).replace(tzinfo=None)


def _iso(home: Country, subdivision: str | None) -> str | None:
    """`SP` and `BR-SP` are the same; an empty text is an unknown subdivision."""
    if not subdivision or subdivision.startswith(f"{home.code}-"):
        return subdivision or None
    return f"{home.code}-{subdivision}"


def _knows(home: Country, subdivision: str) -> bool:
    """Whether a subdivision exists; where holidays do not differ the calendar lists none, and any does."""
    if not home.calendar.subdivisions:
        return True
    known = holidays.country_holidays(home.calendar.code).subdivisions
    return subdivision in home.subdivisions or subdivision.partition("-")[2] in known


@cache
def _all_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


@cache
def _holidays(code: str, categories: tuple[str, ...], subdivision: str | None, year: int) -> frozenset[date] | None:
    """The holidays of a year, or None where the package has no calendar for it."""
    calendar = holidays.country_holidays(code, subdiv=subdivision, categories=categories)
    if not calendar.start_year <= year <= calendar.end_year:
        return None
    return frozenset(holidays.country_holidays(code, subdiv=subdivision, years=year, categories=categories).keys())
