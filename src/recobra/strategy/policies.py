"""Limits and strategies in force, as the core takes them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from recobra.messaging.queries import open_channels
from recobra.policy.company_rules import RulesInForce, company_rules_in_force
from recobra.policy.portfolio_policies import policy_histories
from recobra.policy.settings import Policy
from recobra.portfolio.models import Portfolio
from recobra.portfolio.own_columns import RuleColumn, rule_columns
from recobra.portfolio.read_column import ReadColumn
from recobra_core.decide.daily import PortfolioLimits
from recobra_core.decide.steps import Send
from recobra_core.decide.strategy import Strategy
from recobra_core.rules import ACCOUNT_COLUMNS, Catalogue, Column
from recobra_core.stages import Limits

from .fact_columns import read_columns
from .models import Assignment, StrategyVersion

OWN_PREFIX: Final = "attr_"
"""Before the name of a column of a portfolio's own, so that none takes the place of the product's."""


@dataclass(frozen=True, kw_only=True)
class Policies:
    """Limits, strategies and company rules by which the core decides for some portfolios.

    `by_portfolio` are the portfolios' own policies on the day, `versions` the ids of the strategy versions by code,
    `followed` the portfolios that have a strategy, `disabled` those that are not worked and so have none.
    """

    portfolio_ids: tuple[int, ...]
    policies: tuple[PortfolioLimits, ...]
    by_portfolio: Mapping[int, Policy]
    attributes: Mapping[str, RuleColumn]
    versions: Mapping[str, int]
    followed: frozenset[int]
    channels_open: tuple[str, ...]
    company_rules: RulesInForce
    disabled: frozenset[int] = frozenset()

    @property
    def columns_used(self) -> frozenset[str]:
        """Return the names of the columns that a rule of some strategy reads."""
        columns: set[str] = set()
        for entry in self.policies:
            if entry.strategy is None:
                continue
            segment_rules = [segment.rule for segment in entry.strategy.segments]
            step_rules = [step.rule for step in entry.strategy.steps]
            for rule in (*segment_rules, *step_rules):
                if rule is not None:
                    columns.update(rule.columns)
        return frozenset(columns)

    @property
    def tones(self) -> dict[tuple[str, str], str]:
        """Return the tone of each step that asks for one, by the codes of strategy and step."""
        return {
            (entry.strategy.code, step.key): step.do.tone
            for entry in self.policies
            if entry.strategy is not None
            for step in entry.strategy.steps
            if isinstance(step.do, Send) and step.do.tone
        }

    @property
    def columns_read(self) -> tuple[ReadColumn, ...]:
        """Return the columns among them that an app reads from its own tables."""
        used = self.columns_used
        return tuple(column for name, column in read_columns().items() if name in used)

    def fingerprint(self) -> str:
        """Return a text that changes whenever any limit, strategy version, attribute or open channel does."""
        # A rule does not say of which types the portfolios' own columns are that it compares.
        types = [(name, column.type, column.portfolio_ids) for name, column in sorted(self.attributes.items())]
        return json.dumps([repr(self.policies), sorted(self.versions.items()), types, self.channels_open], default=str)


def policies_in_force(portfolio_ids: Iterable[int] | None = None, *, day: date) -> Policies:
    """Return the policies of some portfolios, or of all, on a day.

    Portfolios with the same limits and the same strategy share one entry: the core decides for them at once.
    """
    rows = Portfolio.objects.order_by("id")
    portfolios = list(rows if portfolio_ids is None else rows.filter(pk__in=list(portfolio_ids)))
    attributes = rule_columns()
    published = {version.code: version for version in StrategyVersion.objects.filter(status="PUBLISHED")}
    assigned = Assignment.objects.filter(active=True, portfolio__disabled_at__isnull=True)
    code_by_portfolio = dict(assigned.values_list("portfolio_id", "strategy_code"))
    declared = tuple(sorted(attributes.items()))
    strategies = {
        code: _parse_strategy(json.dumps(published[code].document, sort_keys=True), declared)
        for code in sorted(set(code_by_portfolio.values()))
        if code in published
    }
    ids = tuple(portfolio.pk for portfolio in portfolios)
    histories = policy_histories(ids)
    by_portfolio = {portfolio_id: histories[portfolio_id].on(day) for portfolio_id in ids}
    groups: dict[tuple[Limits, str], list[int]] = defaultdict(list)
    for portfolio_id, policy in by_portfolio.items():
        groups[policy.limits, code_by_portfolio.get(portfolio_id, "")].append(portfolio_id)
    entries = tuple(
        PortfolioLimits(portfolio_ids=tuple(alike), limits=limits, strategy=strategies.get(code))
        for (limits, code), alike in groups.items()
    )
    if not entries:  # an installation without portfolios has a day too
        entries = (PortfolioLimits(portfolio_ids=(), limits=Limits(), strategy=None),)
    followed = frozenset(pk for entry in entries if entry.strategy for pk in entry.portfolio_ids)
    return Policies(
        portfolio_ids=ids,
        policies=entries,
        by_portfolio=by_portfolio,
        attributes=attributes,
        versions={code: published[code].pk for code in strategies},
        followed=followed,
        channels_open=open_channels(),
        company_rules=company_rules_in_force(ids, histories=histories),
        disabled=frozenset(portfolio.pk for portfolio in portfolios if portfolio.disabled_at is not None),
    )


@lru_cache(maxsize=64)
def _parse_strategy(document: str, attributes: tuple[tuple[str, RuleColumn], ...]) -> Strategy:
    """Return the strategy of a JSON document; `attributes` are the portfolios' own columns by name."""
    # A published version never changes, so each process parses it once.
    return Strategy.parse(json.loads(document), catalogue=catalogue_with(dict(attributes)))


def rule_catalogue() -> Catalogue:
    """Return the columns that rules may use here, the portfolios' own attributes included."""
    return catalogue_with(rule_columns())


def catalogue_with(attributes: Mapping[str, RuleColumn]) -> Catalogue:
    """Return the columns for rules: the core's, those that apps read, and portfolios' attributes as `attr_…`.

    Any of the attributes may be missing.
    """
    more = [
        Column(name=f"{OWN_PREFIX}{name}", type=own.type, nullable=True, label_en=own.label, label_es=own.label)
        for name, own in sorted(attributes.items())
    ]
    return ACCOUNT_COLUMNS.extend([*read_columns().values(), *more])
