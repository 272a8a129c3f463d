"""Conditions of a contact beyond its hour, as the columns that the openings carry to the gate."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, timedelta
from functools import partial

from recobra_core.law.cautions import CAUTION, cite
from recobra_core.law.clauses import ROLES, STAGES, C, Sections, StageMethods, Stop, find_governing
from recobra_core.law.company_rules import COMPANY_SOURCE, CompanyRule, CompanyRules
from recobra_core.law.model import Country

CONDITION_COLUMNS: Mapping[str, str] = {
    "roles": "array<string>",
    "roles_rule": "string",
    "roles_source": "string",
    "work_rule": "string",
    "work_source": "string",
    "stop_reasons": "array<string>",
    "stop_articles": "array<string>",
    "stop_rule": "string",
    "stage_bars": "array<string>",
    "stage_rules": "array<string>",
    "stage_sources": "array<string>",
    "prescribed_on": "date",
    "prescribed_rule": "string",
    "prescribed_source": "string",
    "too_old_on": "date",
    "too_old_rule": "string",
    "reply_seconds": "int64",
    "any_hour_seconds": "int64",
    "reply_holds": "array<string>",
    "reply_rule": "string",
    "reply_source": "string",
    "offer_rule": "string",
    "offer_source": "string",
}
"""`roles`: those that may be contacted. `work_rule`, `offer_rule`: '' where a work number, advertising without consent
may be.

`stop_reasons`: those that the law names, with their `stop_articles` at the same places; `stop_rule` is what their rules
begin with.
`stage_bars`: the stages in which the channel may not be used, such as JUDICIAL, and the roles that may not be contacted
in one, such as PREVENTIVE/guarantor; `stage_rules` and `stage_sources` say why at the same places.
`prescribed_on`, `too_old_on`: the newest oldest due date that is too old; null where age does not matter.
`reply_holds`: the reasons of holds that refuse an answer too. Lists are null on a day without rules.
"""
NO_CONDITIONS: Mapping[str, object] = {name: 0 for name, kind in CONDITION_COLUMNS.items() if kind == "int64"}
"""Conditions of a day without rules: no role, no answer."""


class UnknownClause(Exception):
    """A section says nothing of a day. The text is the country."""


def build_conditions(
    country: Country, *, day: date, subdivision: str | None, channel: str, company_rules: CompanyRules | None
) -> dict[str, object]:
    """Return the CONDITION_COLUMNS of a local day. Where several subdivisions are possible, all must allow.

    Raises UnknownClause.
    """
    law = _DayLaw(country, day, subdivision)
    own_rules = company_rules.rules_for(country=country.code, channel=channel) if company_rules else ()
    row: dict[str, object] = {}

    roles, rule, source = _find_roles(law)
    row |= {"roles": roles, "roles_rule": rule, "roles_source": source}

    row |= _workplace_columns(law, channel, own_rules)

    # Reason by reason, for each has versions of its own.
    reasons = dict.fromkeys(stop.reason for stop in country.sections.stops)
    articles: dict[str, str] = {}
    for reason in reasons:
        for stop in law.find(partial(_stops_for, reason=reason)):
            # Where several places name a reason, the country's article goes before a subdivision's.
            articles.setdefault(stop.reason, stop.source)
    row |= {
        "stop_reasons": list(articles),
        "stop_articles": list(articles.values()),
        "stop_rule": f"{country.code}/stop/",
    }

    row |= _stage_columns(law, channel, roles, own_rules)

    # A debt due on that day or before is prescribed, where the law then bars its collection.
    limitation = law.require(lambda sections: sections.limitation)[0]
    if limitation.bars_contact and limitation.years is not None:
        row |= {
            "prescribed_on": years_before(day, limitation.years),
            "prescribed_rule": limitation.rule,
            "prescribed_source": cite(limitation),
        }

    # Several rules of the company may name an age; the lowest holds.
    ages = [(rule.max_debt_age_days, rule.rule) for rule in own_rules if rule.max_debt_age_days]
    if ages:
        max_age_days, rule_name = min(ages)
        row |= {"too_old_on": day - timedelta(days=max_age_days), "too_old_rule": f"{rule_name}/max-age"}

    replies = law.require(lambda sections: sections.replies)[-1]
    row |= {
        "reply_seconds": replies.within_hours * 3600,
        "any_hour_seconds": replies.any_hour_minutes * 60,
        "reply_holds": list(replies.refused_holds),
        "reply_rule": replies.rule,
        "reply_source": cite(replies),
    }
    return row | _offer_columns(law, own_rules)


class _DayLaw:
    """The sections of a country as they govern one day."""

    def __init__(self, country: Country, day: date, subdivision: str | None) -> None:
        self.country = country
        self.day = day
        self.subdivision = subdivision

    def require(self, pick: Callable[[Sections], Iterable[C]]) -> tuple[C, ...]:
        """Return the clauses of a section that must all allow. Raises UnknownClause where there is none."""
        clauses = self.find(pick)
        if not clauses:
            raise UnknownClause(self.country.code)
        return clauses

    def find(self, pick: Callable[[Sections], Iterable[C]]) -> tuple[C, ...]:
        """Return the clauses in force of the section that `pick` takes out of a place's sections."""
        local = {place: pick(sections) for place, sections in self.country.local_sections.items()}
        return find_governing(pick(self.country.sections), local, day=self.day, subdivision=self.subdivision)


def find_contactable_roles(country: Country, *, day: date, subdivision: str | None = None) -> tuple[list[str], str]:
    """Return whom the law of a day lets be contacted about a debt, and its source. Raises UnknownClause."""
    roles, _rule, source = _find_roles(_DayLaw(country, day, subdivision))
    return roles, source


def _find_roles(law: _DayLaw) -> tuple[list[str], str, str]:
    """Return the roles that every clause allows, with rule and source of the shortest list. Raises UnknownClause."""
    third_parties = law.require(lambda sections: sections.third_parties)
    roles = set(ROLES).intersection(*(clause.roles for clause in third_parties))
    strictest = min(third_parties, key=lambda clause: len(clause.roles))
    return [role for role in ROLES if role in roles], strictest.rule, cite(strictest)


def _stage_columns(
    law: _DayLaw, channel: str, roles: Collection[str], own_rules: tuple[CompanyRule, ...]
) -> dict[str, object]:
    """Return what is barred by stage: the law's bars, then the company's. Raises UnknownClause.

    `roles` are those that may be contacted at all: the others need no bar.
    """
    bars: dict[str, tuple[str, str]] = {}
    for stage in STAGES:
        for clause in law.require(partial(_methods_of, stage=stage)):
            reason = clause.rule, cite(clause)
            if channel not in clause.channels:
                bars.setdefault(stage, reason)
            for role in set(roles).difference(_roles_allowed(clause, own_rules)):
                bars.setdefault(f"{stage}/{role}", reason)
    for rule in own_rules:
        for stage in rule.stages or STAGES:
            reason = f"{rule.rule}/stage", COMPANY_SOURCE
            if rule.never and rule.stages:
                bars.setdefault(stage, reason)
            if rule.roles is not None:
                for role in set(roles).difference(rule.roles):
                    bars.setdefault(f"{stage}/{role}", reason)
    ordered = sorted(bars)
    return {
        "stage_bars": ordered,
        "stage_rules": [bars[bar][0] for bar in ordered],
        "stage_sources": [bars[bar][1] for bar in ordered],
    }


def _roles_allowed(clause: StageMethods, own_rules: tuple[CompanyRule, ...]) -> tuple[str, ...]:
    """Return the roles that a clause allows in its stage; a caution of ours yields to a company that decided on it."""
    if clause.basis == CAUTION:
        for rule in own_rules:
            if rule.decides and rule.roles is not None and clause.stage in (rule.stages or STAGES):
                return rule.roles
    return clause.roles


def _methods_of(sections: Sections, *, stage: str) -> list[StageMethods]:
    return [methods for methods in sections.stages if methods.stage == stage]


def _workplace_columns(law: _DayLaw, channel: str, own_rules: tuple[CompanyRule, ...]) -> dict[str, object]:
    """Return the rule that bars a number at work: the law's, else the company's."""
    decided = [rule for rule in own_rules if rule.decides and rule.workplace is not None and channel in rule.workplace]
    for clause in law.require(lambda sections: sections.workplace):
        if channel not in clause.channels and not (decided and clause.basis == CAUTION):
            return {"work_rule": clause.rule, "work_source": cite(clause)}
    for rule in own_rules:
        if rule.workplace is not None and channel not in rule.workplace:
            return {"work_rule": f"{rule.rule}/workplace", "work_source": COMPANY_SOURCE}
    return {}


def _offer_columns(law: _DayLaw, own_rules: tuple[CompanyRule, ...]) -> dict[str, object]:
    """Return the rule that asks consent for advertising: the law's, else the company's."""
    for clause in law.require(lambda sections: sections.offers):
        if clause.consent_required:
            return {"offer_rule": clause.rule, "offer_source": cite(clause)}
    for rule in own_rules:
        if rule.consent_required:
            return {"offer_rule": f"{rule.rule}/consent", "offer_source": COMPANY_SOURCE}
    return {}


def _stops_for(sections: Sections, *, reason: str) -> list[Stop]:
    return [stop for stop in sections.stops if stop.reason == reason]


def years_before(day: date, years: int) -> date:
    """Return the same day some years before, of 29 February the 28th."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)
