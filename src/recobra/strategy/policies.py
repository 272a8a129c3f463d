"""Limits and strategies in force, read for the core."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from recobra.messaging.queries import channels_open
from recobra.policy.company_rules import CompanyRules
from recobra.policy.company_rules import company_rules_in_force as house_rules
from recobra.portfolio.models import Portfolio
from recobra_core.decide.daily import PortfolioLimits
from recobra_core.decide.strategy import Strategy
from recobra_core.rules import ACCOUNT_COLUMNS, Catalogue, Column
from recobra_core.stages import Bucket, Limits

from .models import Assignment, StrategyVersion

_COLUMN_TYPES = {"integer", "number", "text", "boolean", "date"}


@dataclass(frozen=True, kw_only=True)
class Policies:
    """What the core needs to decide for some portfolios, and which version of each strategy decides."""

    portfolio_ids: tuple[int, ...]
    policies: tuple[PortfolioLimits, ...]
    attributes: Mapping[str, str]
    versions: Mapping[str, int]
    followed: frozenset[int]
    channels_open: tuple[str, ...]
    company: CompanyRules

    def fingerprint(self) -> str:
        """Return a text that changes whenever any limit, strategy version, attribute or open channel does."""
        return json.dumps([repr(self.policies), sorted(self.versions.items()), self.channels_open], default=str)


def policies_in_force(portfolio_ids: Iterable[int] | None = None) -> Policies:
    """Return the policies of the portfolios named, or of all. Portfolios alike share one entry."""
    portfolios = list(Portfolio.objects.order_by("id") if portfolio_ids is None else _named(portfolio_ids))
    attributes = _attribute_types(portfolios)
    documents = {version.code: version for version in StrategyVersion.objects.filter(status="PUBLISHED")}
    follows = dict(Assignment.objects.filter(active=True).values_list("portfolio_id", "strategy_code"))
    declared = tuple(sorted(attributes.items()))
    strategies = {
        code: _parse_strategy(json.dumps(documents[code].document, sort_keys=True), declared)
        for code in sorted(set(follows.values()))
        if code in documents
    }
    groups: dict[tuple[str, str], list[Portfolio]] = defaultdict(list)
    for portfolio in portfolios:
        groups[json.dumps(portfolio.limits, sort_keys=True), follows.get(portfolio.pk, "")].append(portfolio)
    entries = tuple(
        PortfolioLimits(
            portfolio_ids=tuple(portfolio.pk for portfolio in members),
            limits=parse_limits(members[0].limits),
            strategy=strategies.get(code),
        )
        for (_limits, code), members in groups.items()
    )
    if not entries:  # an installation without portfolios has a day too
        entries = (PortfolioLimits(portfolio_ids=(), limits=Limits(), strategy=None),)
    followed = frozenset(pk for entry in entries if entry.strategy for pk in entry.portfolio_ids)
    return Policies(
        portfolio_ids=tuple(portfolio.pk for portfolio in portfolios),
        policies=entries,
        attributes=attributes,
        versions={code: documents[code].pk for code in strategies},
        followed=followed,
        channels_open=channels_open(),
        company=house_rules(portfolio.pk for portfolio in portfolios),
    )


@lru_cache(maxsize=64)
def _parse_strategy(document: str, attributes: tuple[tuple[str, str], ...]) -> Strategy:
    """Read a stored document; a published version never changes, so it is read once per process."""
    return Strategy.parse(json.loads(document), catalogue=catalogue_with(dict(attributes)))


def _named(portfolio_ids: Iterable[int]) -> Iterable[Portfolio]:
    return Portfolio.objects.filter(pk__in=list(portfolio_ids)).order_by("id")


def parse_limits(document: Mapping[str, Any]) -> Limits:
    """Read a portfolio's limits; what is not stated keeps the default. Raises LimitsError."""
    given = dict(document)
    if "buckets" in given:
        given["buckets"] = tuple(Bucket(**bucket) for bucket in given["buckets"])
    return Limits(**given)


def _attribute_types(portfolios: Iterable[Portfolio]) -> dict[str, str]:
    """Return the declared type of each free attribute; one name with two types counts as text."""
    types: dict[str, str] = {}
    for portfolio in portfolios:
        for name, declared in portfolio.attributes.items():
            kind = declared["type"] if declared.get("type") in _COLUMN_TYPES else "text"
            types[name] = kind if types.get(name, kind) == kind else "text"
    return types


def catalogue_with(attributes: Mapping[str, str]) -> Catalogue:
    """Return the rule catalogue with the portfolios' own attributes as `attr_…`; any of them may be missing."""
    return ACCOUNT_COLUMNS.extend(
        Column(name=f"attr_{name}", type=kind, nullable=True, label_en=name, label_es=name)  # type: ignore[arg-type]
        for name, kind in sorted(attributes.items())
    )
