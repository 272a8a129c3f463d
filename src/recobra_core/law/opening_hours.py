"""When a contact may be made: the opening of a local day, in UTC, in every zone the debtor may live in."""

import zoneinfo
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import NamedTuple

import holidays
import ibis
import ibis.expr.types as ir

from recobra_core.law.files import countries
from recobra_core.law.model import CHANNELS, Country, Regime, Rule
from recobra_core.law.tables import table_of

COMPANY_CALENDAR = "company calendar"
UNKNOWN_BLOCKS = "unknown facts block (house rule)"


class Key(NamedTuple):
    """What an opening depends on. `zones` joins all possible zones by `|`; `zones_for` makes it."""

    country: str | None
    subdivision: str | None
    zones: str | None
    channel: str | None
    local_date: date | None


@dataclass(kw_only=True)
class Closed(Exception):
    """Why a local day has no opening at all."""

    reason: str
    rule: str
    source: str = UNKNOWN_BLOCKS


OPENINGS = ibis.schema(
    {
        "country": "string",
        "subdivision": "string",
        "zones": "string",
        "channel": "string",
        "local_date": "date",
        "opens_at_utc": "timestamp(6)",
        "closes_at_utc": "timestamp(6)",
        "closed_reason": "string",
        "closed_rule": "string",
        "closed_source": "string",
        "regime": "string",
        "window_rule": "string",
        "window_source": "string",
        "consent_rule": "string",
        "consent_source": "string",
    }
)
"""Columns of `openings`. Times are UTC without zone; both are null on a closed day. A text that has nothing
to say is ''.

`regime` names the rule version that judged; caps hang on it. `consent_rule` is '' unless the law wants
the consumer's authorisation of the channel.
"""


def openings(*, keys: Iterable[Key], company_holidays: Collection[tuple[str, date]] = ()) -> ir.Table:
    """One row per distinct key, in the shape of OPENINGS; a missing text key is written ''.

    `company_holidays` are (country, local date) on which the company itself contacts nobody.
    """
    distinct = {
        Key(country or "", subdivision or "", zones or "", channel or "", day)
        for country, subdivision, zones, channel, day in keys
    }
    ordered = sorted(distinct, key=lambda key: (*map(str, key[:4]), key.local_date or date.min))
    return table_of([_row(key, company_holidays) for key in ordered], schema=OPENINGS)


def zones_for(*, country: str | None, subdivision: str | None, stated_zone: str | None) -> str:
    """The zones in which a debtor may live, joined by `|`: address first, then the stated one, else all.

    Where a stated zone contradicts the address, all of both remain. A stated zone that nobody knows is
    returned as it is, so that it blocks; so is '' for a country without rules.
    """
    if stated_zone and stated_zone not in _all_zones():
        return stated_zone
    home = countries().get(country or "")
    address = home.zones_by_subdivision.get(_iso(home, subdivision) or "", ()) if home else ()
    if stated_zone:
        return stated_zone if stated_zone in address else "|".join((*address, stated_zone))
    return "|".join(address or (home.time_zones if home else ()))


def _row(key: Key, company: Collection[tuple[str, date]]) -> dict[str, object]:
    row: dict[str, object] = key._asdict()
    try:
        home, day, regime = _regime(key)
        row |= _facts(regime)
        opens, closes = _opening(key, home, day, regime, company)
    except Closed as closed:
        return row | {
            "closed_reason": closed.reason,
            "closed_rule": closed.rule,
            "closed_source": closed.source,
        }
    return row | {"opens_at_utc": opens, "closes_at_utc": closes}


def _facts(regime: Regime) -> dict[str, object]:
    first = regime.rules[0]
    asks = next((rule for rule in regime.rules if rule.consent_source), None)
    return {
        "regime": regime.id,
        "window_rule": f"{first.name}/window",
        "window_source": first.source,
        "consent_rule": asks and f"{asks.name}/consent",
        "consent_source": asks and asks.consent_source,
    }


def _regime(key: Key) -> tuple[Country, date, Regime]:
    home = countries().get(key.country or "")
    if home is None:
        raise Closed(reason="unknown_country", rule="ALL/country")
    if key.channel not in CHANNELS:
        raise Closed(reason="unknown_channel", rule=f"{home.code}/channel")
    if key.local_date is None:
        raise Closed(reason="unknown_date", rule=f"{home.code}/date")
    subdivision = _iso(home, key.subdivision)
    if subdivision and not _knows(home, subdivision):
        raise Closed(reason="unknown_subdivision", rule=f"{home.code}/subdivision")
    regime = home.regime(channel=key.channel, day=key.local_date, subdivision=subdivision)
    if regime is None:
        raise Closed(reason="unknown_rule", rule=f"{home.code}/{key.channel}")
    return home, key.local_date, regime


def _opening(
    key: Key, home: Country, day: date, regime: Regime, company: Collection[tuple[str, date]]
) -> tuple[datetime, datetime]:
    """The opening common to all rules and zones. Raises Closed."""
    for rule in regime.rules:
        _refuse_closed_day(rule, home, day, _iso(home, key.subdivision))
    if (home.code, day) in company:
        raise Closed(reason="holiday", rule=f"{home.code}/company-holiday", source=COMPANY_CALENDAR)
    zones = (key.zones or "").split("|")
    if not set(zones) <= _all_zones():
        raise Closed(reason="unknown_zone", rule=f"{home.code}/zone")
    spans = [_in_utc(rule, day, zone) for rule in regime.rules for zone in zones]
    opens, closes = max(opens for opens, _ in spans), min(closes for _, closes in spans)
    if opens >= closes:
        first = regime.rules[0]
        raise Closed(reason="no_common_hour", rule=f"{first.name}/window", source=first.source)
    return opens, closes


def _refuse_closed_day(rule: Rule, home: Country, day: date, subdivision: str | None) -> None:
    if not rule.allowed:
        raise Closed(reason="channel_barred", rule=f"{rule.name}/barred", source=rule.source)
    if rule.windows[day.weekday()] is None:
        raise Closed(reason="closed_day", rule=f"{rule.name}/window", source=rule.source)
    if rule.open_on_holidays:
        return
    calendar = home.calendar
    local = subdivision.partition("-")[2] if subdivision and calendar.subdivisions else None
    days = _holidays(calendar.code, calendar.categories, local, day.year)
    if days is None:
        raise Closed(reason="unknown_calendar", rule=f"{rule.name}/holidays")
    if day in days:
        raise Closed(reason="holiday", rule=f"{rule.name}/holidays", source=rule.source)


def _in_utc(rule: Rule, day: date, zone: str) -> tuple[datetime, datetime]:
    window = rule.windows[day.weekday()]
    assert window is not None, "closed days are refused before"
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
