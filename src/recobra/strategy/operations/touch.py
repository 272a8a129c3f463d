"""How many would this touch today: a strategy tried on the real portfolio, writing nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import ibis
import pyarrow as pa

from recobra.kit import engine
from recobra.portfolio.snapshot import Part
from recobra.strategy import snapshot
from recobra.strategy.policies import Policies, catalogue_with, in_force
from recobra_core.decide.daily import due_on, plan_day
from recobra_core.decide.strategy import Strategy, templates_used
from recobra_core.decide.touch import would_touch as count

from .deciding import CHANNELS_OPEN, classify_into, facts_of
from .reading import read


def would_touch(*, document: dict[str, Any], portfolio_ids: list[int], as_of: date) -> dict[str, Any]:
    """Return what a strategy would do today over some portfolios, and how its segments divide them.

    `steps`: rows of `decide.touch.would_touch`; `segments`: segment, currency, accounts, debtors, amount_minor
    (what is overdue). Raises StrategyError.
    """
    policies = in_force(portfolio_ids)
    strategy = Strategy.parse(document, catalogue=catalogue_with(policies.attributes))
    trial = _following(policies, strategy)
    part = Part(portfolio_ids=trial.portfolio_ids)
    tables = read(part, as_of=as_of, contactable=trial.followed)
    with engine.duckdb() as duck:
        given = {name: duck.create_table(f"given_{name}", table) for name, table in tables.items()}
        facts = facts_of(duck, given, trial)
        accounts = classify_into(duck, facts, trial, as_of=as_of)
        return {"steps": _steps(duck, facts, accounts, trial, as_of), "segments": _segments(accounts)}


def _following(policies: Policies, strategy: Strategy) -> Policies:
    entries = tuple(replace(entry, strategy=strategy) for entry in policies.policies)
    return replace(policies, policies=entries, followed=frozenset(policies.portfolio_ids))


def _steps(duck: Any, facts: Any, accounts: Any, policies: Policies, as_of: date) -> list[dict[str, Any]]:
    expression = due_on(accounts, facts, policies.policies, as_of=as_of)
    if expression is None:
        return []
    due = duck.create_table("due", expression, overwrite=True, temp=True)
    codes = {code for entry in policies.policies if entry.strategy for code in templates_used(entry.strategy)}
    templates = ibis.memtable(snapshot.templates(sorted(codes)))
    plan = plan_day(due, accounts, facts, templates, as_of=as_of, channels_open=CHANNELS_OPEN)
    rows: pa.Table = count(due, accounts, plan).to_pyarrow()
    return list(rows.to_pylist())


def _segments(accounts: Any) -> list[dict[str, Any]]:
    grouped = accounts.group_by("segment", "currency").agg(
        accounts=accounts.count(),
        debtors=accounts.debtor_id.nunique(),
        amount_minor=accounts.overdue_minor.sum().cast("int64"),
    )
    return list(grouped.order_by("segment", "currency").to_pyarrow().to_pylist())
