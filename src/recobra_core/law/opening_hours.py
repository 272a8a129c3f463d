"""Openings of local days, in UTC: when a contact may be made in every zone the debtor may live in."""

import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from recobra_core.channels import CHANNELS
from recobra_core.law.cautions import CAUTION, cite
from recobra_core.law.company_rules import COMPANY_SOURCE, LAW_ALONE, CompanyRule, CompanyRules
from recobra_core.law.conditions import CONDITION_COLUMNS, NO_CONDITIONS, UnknownClause, build_conditions
from recobra_core.law.files import load_countries
from recobra_core.law.model import Country, Regime, Rule, Window
from recobra_core.law.public_holidays import find_holidays
from recobra_core.law.subdivisions import find_subdivision, list_subdivisions
from recobra_core.law.tables import build_table
from recobra_core.zones import join_zones, split_zones

COMPANY_CALENDAR = "company calendar"
UNKNOWN_SOURCE = "unknown facts block (house rule)"


class OpeningKey(NamedTuple):
    """Facts an opening depends on. `zones` joins all possible zones; `zones_for` makes it.

    `house` is the id of the company rules, '' without any, LAW_ALONE where only the law shall judge.
    """

    country: str | None
    subdivision: str | None
    zones: str | None
    channel: str | None
    local_date: date | None
    house: str | None = ""


@dataclass(kw_only=True)
class ClosedDay(Exception):
    """A local day has no opening at all; the reason is a key of SENTENCES."""

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
"""Columns of `build_openings`. Times are UTC without zone; both are null on a closed day. A text that has nothing
to say is ''. The law's own opening stands apart from the one that the company narrowed by `house_rule`.

`regime` names the rule version that judged; caps hang on it. `consent_rule` is '' unless the law, or the
company, wants the consumer's authorisation of the channel. The rest is `CONDITION_COLUMNS`.
"""


def build_openings(
    *,
    keys: Iterable[OpeningKey],
    company_rules: Mapping[str, CompanyRules] = MappingProxyType({}),
) -> ir.Table:
    """Return one row per distinct key, in the shape of OPENINGS; a missing text key is written ''.

    `company_rules` are by id, each under its own name; a key with another id is closed (`unknown_house`).
    """
    assert all(name == rules.name for name, rules in company_rules.items()), "company rules stand under their name"
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
    # In an order of its own, so that the table is the same whatever the order of the keys.
    rows = [_build_row(key, company_rules) for key in sorted(distinct, key=_sort_key)]
    return build_table(rows, schema=OPENINGS)


def _sort_key(key: OpeningKey) -> tuple[str, str, str, str, date, str]:
    """Return the values to sort a key by: missing texts are '' already, a missing day goes before all others."""
    day = key.local_date or date.min
    return (key.country or "", key.subdivision or "", key.zones or "", key.channel or "", day, key.house or "")


def zones_for(*, country: str | None, subdivision: str | None, stated_zone: str | None) -> str:
    """Return the zones in which a debtor may live (`join_zones`): address first, then the stated one, else all.

    Where a stated zone contradicts the address, both count. An unknown stated zone is returned as it is, so that it
    blocks; so does the '' of a country without rules.
    """
    if stated_zone and stated_zone not in known_zones():
        return stated_zone
    law = load_countries().get(country or "")
    if law is None:
        return stated_zone or ""
    address_zones = law.zones_by_subdivision.get(_full_code(law, subdivision) or "", ())
    if not stated_zone:
        return join_zones(address_zones or law.time_zones)
    if stated_zone in address_zones:
        return stated_zone
    return join_zones((*address_zones, stated_zone))


def _build_row(key: OpeningKey, company_rules: Mapping[str, CompanyRules]) -> dict[str, object]:
    """Return the OPENINGS of a key; a closed day has its reason, rule and source in place of the hours."""
    row: dict[str, object] = {**key._asdict(), **NO_CONDITIONS}
    # A closed day keeps what was found before it was refused: the gate names its regime and conditions all the same.
    try:
        country, day, regime = _find_regime(key)
        rules = _find_company_rules(key, company_rules)
        row |= _regime_columns(regime, country, rules)
        row |= build_conditions(
            country,
            day=day,
            subdivision=_full_code(country, key.subdivision),
            channel=key.channel or "",
            company_rules=rules,
        )
        _refuse_barred(key, country, regime, rules)
        return row | _hours_columns(key, country, regime, rules)
    except UnknownClause as unknown:
        closed = ClosedDay(reason="unknown_rule", rule=f"{unknown}/{key.channel}")
    except ClosedDay as refusal:
        closed = refusal
    return row | {"closed_reason": closed.reason, "closed_rule": closed.rule, "closed_source": closed.source}


def _find_regime(key: OpeningKey) -> tuple[Country, date, Regime]:
    """Return the country, day and regime of a key. Raises ClosedDay where one of them is unknown."""
    country = load_countries().get(key.country or "")
    if country is None:
        raise ClosedDay(reason="unknown_country", rule="ALL/country")
    if key.channel not in CHANNELS:
        raise ClosedDay(reason="unknown_channel", rule=f"{country.code}/channel")
    if key.local_date is None:
        raise ClosedDay(reason="unknown_date", rule=f"{country.code}/date")
    subdivision = _full_code(country, key.subdivision)
    # A place that the country does not have is refused where law or holidays differ by place: by the country's alone it
    # would be judged too mildly. Elsewhere it makes no difference.
    differs = country.calendar.subdivisions or country.subdivisions
    if subdivision and differs and subdivision not in list_subdivisions(country.code):
        raise ClosedDay(reason="unknown_subdivision", rule=f"{country.code}/subdivision")
    regime = country.find_regime(channel=key.channel, day=key.local_date, subdivision=subdivision)
    if regime is None:
        raise ClosedDay(reason="unknown_rule", rule=f"{country.code}/{key.channel}")
    return country, key.local_date, regime


def _find_company_rules(key: OpeningKey, company_rules: Mapping[str, CompanyRules]) -> CompanyRules | None:
    """Return the company rules that a key names, None for the law alone. Raises ClosedDay."""
    if not key.house or key.house == LAW_ALONE:
        return None
    if key.house not in company_rules:
        raise ClosedDay(reason="unknown_house", rule="ALL/unknown")
    return company_rules[key.house]


def _rules_for(company: CompanyRules | None, country: Country, regime: Regime) -> tuple[CompanyRule, ...]:
    """Return the company's rules for a country and the channel of a regime; none without a company."""
    if company is None:
        return ()
    return company.rules_for(country=country.code, channel=regime.rules[0].channel)


def _regime_columns(regime: Regime, country: Country, company: CompanyRules | None) -> dict[str, object]:
    """Return the columns that name the regime, its window and the rule that requires consent."""
    law = regime.rules[0]
    columns: dict[str, object] = {
        "regime": company.regime_id(regime) if company else regime.id,
        "window_rule": f"{law.name}/window",
        "window_source": cite(law),
        "consent_rule": None,
        "consent_source": None,
    }
    # The law goes before the company where both want the authorisation.
    for rule in regime.rules:
        if rule.consent_source:
            return columns | {"consent_rule": f"{rule.name}/consent", "consent_source": rule.consent_source}
    for own_rule in _rules_for(company, country, regime):
        if own_rule.consent_required:
            return columns | {"consent_rule": f"{own_rule.rule}/consent", "consent_source": COMPANY_SOURCE}
    return columns


def _refuse_barred(key: OpeningKey, country: Country, regime: Regime, company: CompanyRules | None) -> None:
    """Refuse a channel that the law bars, then one that the company does not use."""
    for law in regime.rules:
        if not law.allowed:
            raise ClosedDay(reason="channel_barred", rule=f"{law.name}/barred", source=cite(law))
    for rule in _rules_for(company, country, regime):
        # In some stages alone: the stage of a contact is no part of the key.
        if rule.never and not rule.stages:
            raise ClosedDay(reason="house_bar", rule=f"{rule.rule}/never", source=COMPANY_SOURCE)
    if key.channel == "visit" and key.house != LAW_ALONE and not (company and company.visits_open):
        raise ClosedDay(
            reason="visits_closed", rule="HOUSE/visits", source="visits are off until the company opens them"
        )


def _hours_columns(
    key: OpeningKey, country: Country, regime: Regime, company: CompanyRules | None
) -> dict[str, object]:
    """Return the opening common to all rules and zones, of the law and as the company narrows it. Raises ClosedDay."""
    day = key.local_date
    assert day is not None, "unknown days are refused before"
    subdivision = _full_code(country, key.subdivision)
    own_rules = _rules_for(company, country, regime)
    for law in regime.rules:
        if _windows_of(law, own_rules)[day.weekday()] is None:
            raise ClosedDay(reason="closed_day", rule=f"{law.name}/window", source=cite(law))
        if not law.open_on_holidays and not _is_decided(law, own_rules, lambda rule: rule.open_on_holidays is True):
            _refuse_holiday(country, day, subdivision, rule=f"{law.name}/holidays", source=cite(law))
    if company is not None and day in company.holidays:
        raise ClosedDay(reason="holiday", rule=f"{country.code}/company-holiday", source=COMPANY_CALENDAR)
    opens, closes = _lawful_opening(key, country, day, regime, own_rules)
    row: dict[str, object] = {"law_opens_at_utc": opens, "law_closes_at_utc": closes}
    for rule in own_rules:
        if rule.open_on_holidays is False:
            _refuse_holiday(country, day, subdivision, rule=f"{rule.rule}/holidays", source=COMPANY_SOURCE)
        before = opens, closes
        opens, closes = _narrow_opening(rule, key, day, opens, closes)
        # Several rules may narrow; the last one that did is named.
        if (opens, closes) != before:
            row["house_rule"] = rule.rule
    return row | {"opens_at_utc": opens, "closes_at_utc": closes}


def _windows_of(law: Rule, own_rules: tuple[CompanyRule, ...]) -> tuple[Window | None, ...]:
    """Return the hours of a week by a rule; where it is a caution of ours, by the company that decided on it."""
    if law.basis == CAUTION:
        for rule in own_rules:
            if rule.decides and rule.windows:
                # A day that the company closes is closed by its own name.
                return tuple(own or lawful for own, lawful in zip(rule.windows, law.windows, strict=True))
    return law.windows


def _is_decided(law: Rule, own_rules: tuple[CompanyRule, ...], opens: Callable[[CompanyRule], bool]) -> bool:
    """Tell if a rule is a caution of ours that the company decided to open."""
    return law.basis == CAUTION and any(rule.decides and opens(rule) for rule in own_rules)


def _lawful_opening(
    key: OpeningKey, country: Country, day: date, regime: Regime, own_rules: tuple[CompanyRule, ...]
) -> tuple[datetime, datetime]:
    """Return the hours in UTC that are lawful in every zone. Raises ClosedDay where there are none."""
    zones = split_zones(key.zones or "")
    if not zones or not set(zones) <= known_zones():
        raise ClosedDay(reason="unknown_zone", rule=f"{country.code}/zone")
    openings = []
    closings = []
    for law in regime.rules:
        window = _windows_of(law, own_rules)[day.weekday()]
        assert window is not None, "closed weekdays are refused before"
        for zone in zones:
            zone_opens, zone_closes = _window_in_utc(window, day, zone)
            openings.append(zone_opens)
            closings.append(zone_closes)
    # Open everywhere: from the last opening to the first closing.
    opens = max(openings)
    closes = min(closings)
    if opens >= closes:
        law = regime.rules[0]
        raise ClosedDay(reason="no_common_hour", rule=f"{law.name}/window", source=cite(law))
    return opens, closes


def _narrow_opening(
    rule: CompanyRule, key: OpeningKey, day: date, opens: datetime, closes: datetime
) -> tuple[datetime, datetime]:
    """Return the opening that a company rule leaves. Raises ClosedDay where it leaves none."""
    closed = ClosedDay(reason="house_closed", rule=rule.rule, source=COMPANY_SOURCE)
    if day in rule.closed_days:
        raise closed
    # A rule without hours of its own leaves those of the law.
    if not rule.windows:
        return opens, closes
    window = rule.windows[day.weekday()]
    if window is None:
        raise closed
    for zone in split_zones(key.zones or ""):
        zone_opens, zone_closes = _window_in_utc(window, day, zone)
        opens = max(opens, zone_opens)
        closes = min(closes, zone_closes)
    if opens >= closes:
        raise closed
    return opens, closes


def _refuse_holiday(country: Country, day: date, subdivision: str | None, *, rule: str, source: str) -> None:
    """Raise ClosedDay on a holiday, and in a year for which there is no calendar."""
    days = find_holidays(country.calendar, subdivision=subdivision, year=day.year)
    if days is None:
        raise ClosedDay(reason="unknown_calendar", rule=rule)
    if day in days:
        raise ClosedDay(reason="holiday", rule=rule, source=source)


def _window_in_utc(window: Window, day: date, zone: str) -> tuple[datetime, datetime]:
    """Return the opening and closing of a window as instants, in UTC without zone."""
    # A clock change can give an edge twice: the later opening and the earlier closing are the strict ones.
    opens = max(_minute_in_utc(day, window.opens, zone, fold) for fold in (0, 1))
    closes = min(_minute_in_utc(day, window.closes, zone, fold) for fold in (0, 1))
    return opens, closes


def _minute_in_utc(day: date, minutes: int, zone: str, fold: int) -> datetime:
    """Return a local minute of a day in UTC; `fold` picks one of two instants when clocks go back."""
    # Minutes are added before the zone: 1440 is the next midnight, also on a day of 23 hours.
    local = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return local.replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=fold).astimezone(UTC).replace(tzinfo=None)


def _full_code(country: Country, written: str | None) -> str | None:
    """Return BR-SP for `SP`, `BR-SP` and `São Paulo`, any other text as it is; an empty one is unknown."""
    if not written:
        return None
    return find_subdivision(country.code, written) or written


@cache
def known_zones() -> frozenset[str]:
    """Return the names of all time zones; reading them from disk takes long, so once per process."""
    return frozenset(zoneinfo.available_timezones())
