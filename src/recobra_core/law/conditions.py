"""What a contact must fulfil beyond its hour, as the columns that the openings carry to the gate."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from functools import partial

from recobra_core.law.clauses import ROLES, C, Sections, Stop, find_governing
from recobra_core.law.company_rules import COMPANY_SOURCE, CompanyRule, CompanyRules
from recobra_core.law.model import Country

CONDITION_COLUMNS: Mapping[str, str] = {
    "roles": "string",
    "roles_rule": "string",
    "roles_source": "string",
    "work_rule": "string",
    "work_source": "string",
    "stops": "string",
    "stops_rule": "string",
    "prescribed_on": "date",
    "prescribed_rule": "string",
    "prescribed_source": "string",
    "too_old_on": "date",
    "too_old_rule": "string",
    "reply_seconds": "int64",
    "any_hour_seconds": "int64",
    "reply_holds": "string",
    "reply_rule": "string",
    "reply_source": "string",
    "offer_rule": "string",
    "offer_source": "string",
}
"""`roles`: |debtor|guarantor|. `work_rule`, `offer_rule`: '' where a work number, advertising without consent may be.

`stops`: one line per reason that the law names, REASON=article; `stops_rule` is what their rules begin with.
`prescribed_on`, `too_old_on`: the newest oldest due date that is too old; null where age does not matter.
`reply_holds`: |MINOR|…|, the holds that refuse an answer too.
"""
NO_CONDITIONS: Mapping[str, object] = {name: 0 for name, kind in CONDITION_COLUMNS.items() if kind == "int64"}
"""What a day without rules says: no role, no answer."""


class UnknownClause(Exception):
    """A section says nothing of a day. The text is the country."""


def build_conditions(
    country: Country, *, day: date, subdivision: str | None, channel: str, house: CompanyRules | None
) -> dict[str, object]:
    """Return the COLUMNS of a local day. Where several subdivisions are possible, all must allow.

    Raises ClauseUnknown.
    """
    law = _Day(country, day, subdivision)
    mine = house.of(country=country.code, channel=channel) if house else ()
    return {
        **_roles(law),
        **_work(law, channel, mine),
        **_stops(law),
        **_limitation(law),
        **_age(law, mine),
        **_replies(law),
        **_offers(law, mine),
    }


class _Day:
    """The sections of a country as they govern one day."""

    def __init__(self, country: Country, day: date, subdivision: str | None) -> None:
        self.country, self.day, self.subdivision = country, day, subdivision

    def of(self, pick: Callable[[Sections], Iterable[C]]) -> tuple[C, ...]:
        found = self.some(pick)
        if not found:
            raise UnknownClause(self.country.code)
        return found

    def some(self, pick: Callable[[Sections], Iterable[C]]) -> tuple[C, ...]:
        local = {key: pick(own) for key, own in self.country.local_sections.items()}
        return find_governing(pick(self.country.sections), local, day=self.day, subdivision=self.subdivision)


def _roles(law: _Day) -> dict[str, object]:
    clauses = law.of(lambda sections: sections.third_parties)
    allowed = [role for role in ROLES if all(role in clause.roles for clause in clauses)]
    strictest = min(clauses, key=lambda clause: len(clause.roles))
    return {"roles": _list(allowed), "roles_rule": strictest.rule, "roles_source": strictest.source}


def _work(law: _Day, channel: str, mine: tuple[CompanyRule, ...]) -> dict[str, object]:
    for clause in law.of(lambda sections: sections.workplace):
        if channel not in clause.channels:
            return {"work_rule": clause.rule, "work_source": clause.source}
    for rule in mine:
        if rule.workplace is not None and channel not in rule.workplace:
            return {"work_rule": f"{rule.rule}/workplace", "work_source": COMPANY_SOURCE}
    return {}


def _stops(law: _Day) -> dict[str, object]:
    reasons = dict.fromkeys(stop.reason for stop in law.country.sections.stops)
    found = [stop for reason in reasons for stop in law.some(partial(_about, reason=reason))]
    lines = "".join(f"\n{stop.reason}={stop.source}" for stop in found)
    return {"stops": f"{lines}\n" if lines else "", "stops_rule": f"{law.country.code}/stop/"}


def _about(sections: Sections, *, reason: str) -> list[Stop]:
    return [stop for stop in sections.stops if stop.reason == reason]


def _limitation(law: _Day) -> dict[str, object]:
    clause = law.of(lambda sections: sections.limitation)[0]
    if not clause.bars_contact or clause.years is None:
        return {}
    return {
        "prescribed_on": years_before(law.day, clause.years),
        "prescribed_rule": clause.rule,
        "prescribed_source": clause.source,
    }


def _age(law: _Day, mine: tuple[CompanyRule, ...]) -> dict[str, object]:
    ages = [(rule.max_debt_age_days, rule.rule) for rule in mine if rule.max_debt_age_days]
    if not ages:
        return {}
    days, rule = min(ages)
    return {"too_old_on": law.day - timedelta(days=days), "too_old_rule": f"{rule}/max-age"}


def years_before(day: date, years: int) -> date:
    """Return the same day some years before, of 29 February the 28th."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def _replies(law: _Day) -> dict[str, object]:
    clause = law.of(lambda sections: sections.replies)[-1]
    return {
        "reply_seconds": clause.within_hours * 3600,
        "any_hour_seconds": clause.any_hour_minutes * 60,
        "reply_holds": _list(clause.refused_holds),
        "reply_rule": clause.rule,
        "reply_source": clause.source,
    }


def _offers(law: _Day, mine: tuple[CompanyRule, ...]) -> dict[str, object]:
    for clause in law.of(lambda sections: sections.offers):
        if clause.consent_required:
            return {"offer_rule": clause.rule, "offer_source": clause.source}
    for rule in mine:
        if rule.consent_required:
            return {"offer_rule": f"{rule.rule}/consent", "offer_source": COMPANY_SOURCE}
    return {}


def _list(names: Iterable[str]) -> str:
    return "|" + "".join(f"{name}|" for name in names)
