"""Rules of the company, which may only tighten the law; `conformity` names what would loosen it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Self

from pydantic import field_validator, model_validator

from recobra_core.documents import (
    Day,
    DocumentModel,
    Expected,
    Items,
    Text,
    choice,
    read_document,
    refuse,
    shape,
    shapes,
    whole,
)
from recobra_core.law.clauses import ROLES, STAGES
from recobra_core.law.document_types import Channel, Week
from recobra_core.law.model import Cap, Regime, Window
from recobra_core.yaml_source import read_yaml

LAW_ALONE = "law"
"""Stands for a company without rules of its own and without its switch for visits: the law alone judges."""
COMPANY_SOURCE = "company rule"
PERIODS = ("day", "week", "month")
COUNT_MAX = 31
"""The most contacts a period may have, and the most days between two contacts."""
AGE_MAX = 36_600
Count = Annotated[int, whole(1, COUNT_MAX)]
Scope = Annotated[str, choice("channel", "all")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyRule:
    """One rule. `windows`, `holidays`, `never`, `workplace`, `consent` and the age are None where it is silent.

    `rule` names it: HOUSE/riesgo/2. Empty `countries`, `channels` or `stages` mean all; `never` and `roles` hold in the
    stages alone. One that `decides` goes before cautions of ours (`cautions.CAUTION`), never before the law.
    """

    rule: str
    countries: tuple[str, ...]
    channels: tuple[str, ...]
    windows: tuple[Window | None, ...] | None
    closed_days: frozenset[date]
    open_on_holidays: bool | None
    caps: tuple[Cap, ...]
    never: bool | None
    workplace: tuple[str, ...] | None
    max_debt_age_days: int | None
    consent_required: bool | None
    stages: tuple[str, ...]
    roles: tuple[str, ...] | None
    decides: bool

    def applies_to(self, *, country: str, channel: str) -> bool:
        """Tell if it speaks of a country and channel."""
        if self.countries and country not in self.countries:
            return False
        return not self.channels or channel in self.channels


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyRules:
    """All rules of a company that apply to some portfolios. `visits_open`: the company makes visits at all.

    `holidays` are the days on which the company itself contacts nobody, beside the public ones.
    """

    name: str
    rules: tuple[CompanyRule, ...]
    visits_open: bool
    holidays: frozenset[date] = frozenset()

    def rules_for(self, *, country: str, channel: str) -> tuple[CompanyRule, ...]:
        """Return the rules that speak of a country and channel."""
        return tuple(rule for rule in self.rules if rule.applies_to(country=country, channel=channel))

    def regime_id(self, regime: Regime) -> str:
        """Return the regime under which caps are counted: the law's own where the company adds none."""
        law = regime.rules[0]
        own_rules = self.rules_for(country=law.country, channel=law.channel)
        if any(rule.caps for rule in own_rules):
            return f"{regime.id}#{self.name}"
        return regime.id


class LimitDocument(DocumentModel):
    """A cap: so many contacts per period."""

    n: Count
    per: Annotated[str, choice(*PERIODS)]
    scope: Scope = "all"


class GapDocument(DocumentModel):
    """A gap: so many whole days between two contacts."""

    clear_days: Count
    scope: Scope = "all"


_WrittenCap = Annotated[
    Annotated[GapDocument, shape("clear_days")] | Annotated[LimitDocument, shape("n")], shapes("clear_days", "n")
]


class CompanyRuleDocument(DocumentModel):
    """One rule of the company: what it leaves out stays as the law has it."""

    countries: Items[str] = ()
    channels: Items[Channel] = ()
    windows: Week | None = None
    closed_days: Items[Day] = ()
    holidays: Annotated[str, choice("open", "closed")] | None = None
    caps: Items[_WrittenCap] = ()
    never: bool | None = None
    workplace: Items[Channel] | None = None
    max_debt_age_days: Annotated[int, whole(1, AGE_MAX)] | None = None
    consent: Annotated[str, choice("required", "not_required")] | None = None
    stages: Items[Annotated[str, choice(*STAGES)]] = ()
    roles: Items[Annotated[str, choice(*ROLES)]] | None = None

    @model_validator(mode="after")
    def _check_stages(self) -> Self:
        # Hours and limits hold in every stage; a stage says what is not done in it.
        if self.stages and not self.never and self.roles is None:
            expected = Expected("never or roles beside the stages", "never o roles junto a las etapas")
            raise refuse(expected, found="")
        return self


class CompanyRulesDocument(DocumentModel):
    """The company's rules under one name; `visits` opens the channel that is closed without it.

    `decision` is why the company decides on cautions of ours: with it the rules go before them.
    """

    name: Text
    visits: Annotated[str, choice("open", "closed")] = "closed"
    rules: Items[CompanyRuleDocument] = ()
    decision: str = ""

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        # Regime ids carry the name after a #.
        if name == LAW_ALONE or "#" in name:
            raise refuse(
                Expected(
                    f"a name other than «{LAW_ALONE}» and without #", f"un nombre distinto de «{LAW_ALONE}» y sin #"
                )
            )
        return name


def read_company_rules(document: str | Mapping[str, Any]) -> CompanyRules:
    """Read company rules from YAML text or a mapping. Raises DocumentError with every fault."""
    if isinstance(document, str):
        written = read_yaml(CompanyRulesDocument, document)
    else:
        written = read_document(CompanyRulesDocument, document)
    decides = bool(written.decision.strip())
    rules = [
        _build_rule(rule, f"HOUSE/{written.name}/{number}", decides=decides)
        for number, rule in enumerate(written.rules, 1)
    ]
    return CompanyRules(name=written.name, rules=tuple(rules), visits_open=written.visits == "open")


def merge_company_rules(
    *, name: str, parts: Iterable[CompanyRules], holidays: frozenset[date] = frozenset()
) -> CompanyRules:
    """Return the rules of all under one name, with the company's own holidays.

    Visits are open where any part opens them.
    """
    rules: list[CompanyRule] = []
    visits_open = False
    for part in parts:
        rules += part.rules
        visits_open = visits_open or part.visits_open
    return CompanyRules(name=name, rules=tuple(rules), visits_open=visits_open, holidays=holidays)


def _build_rule(written: CompanyRuleDocument, rule: str, *, decides: bool) -> CompanyRule:
    """Return one rule of a company. `rule` is the name it gets, such as HOUSE/riesgo/2."""
    return CompanyRule(
        rule=rule,
        countries=written.countries,
        channels=written.channels,
        windows=written.windows,
        closed_days=frozenset(written.closed_days),
        open_on_holidays=None if written.holidays is None else written.holidays == "open",
        caps=tuple(_build_cap(cap, f"{rule}/cap-{number}") for number, cap in enumerate(written.caps, 1)),
        never=written.never,
        workplace=written.workplace,
        max_debt_age_days=written.max_debt_age_days,
        consent_required=None if written.consent is None else written.consent == "required",
        stages=written.stages,
        roles=written.roles,
        decides=decides,
    )


def _build_cap(written: GapDocument | LimitDocument, rule: str) -> Cap:
    """Return a cap or a gap. `rule` is the name it gets."""
    return Cap(
        rule=rule,
        scope=written.scope,
        n=written.clear_days if isinstance(written, GapDocument) else written.n,
        per="clear_days" if isinstance(written, GapDocument) else written.per,
        week="both",
        counts="contacts",
        channels=(),
        subject="debtor",
        basis="house",
        source=COMPANY_SOURCE,
        certainty="verified",
    )
