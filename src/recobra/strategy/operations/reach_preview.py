"""How many would this touch today: a strategy tried on the real portfolio, writing nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa

from recobra.kit import engine
from recobra.portfolio.snapshot import Part
from recobra.strategy.operations.day_facts import read_facts
from recobra.strategy.operations.decision import DayStatements, small_tables, statements_for
from recobra.strategy.policies import Policies, catalogue_with, policies_in_force
from recobra_core.decide.daily import find_due_today, plan_day
from recobra_core.decide.reach_preview import count_reach as count
from recobra_core.decide.strategy import Strategy


def preview_reach(*, document: dict[str, Any], portfolio_ids: list[int], as_of: date) -> dict[str, pa.Table]:
    """Return what a strategy would do today over some portfolios, and how its segments divide them.

    `steps`: rows of `decide.reach_preview.would_touch`; `segments`: segment, currency, accounts, debtors, amount_minor
    (what is overdue). Raises StrategyError.
    """
    policies = policies_in_force(portfolio_ids)
    strategy = Strategy.parse(document, catalogue=catalogue_with(policies.attributes))
    trial = _follow_strategy(policies, strategy)
    part = Part(portfolio_ids=trial.portfolio_ids)
    tables = read_facts(part, as_of=as_of, contactable=trial.followed)
    recipe = statements_for(trial, as_of=as_of)
    with engine.open_duckdb() as duck:
        engine.register_tables(duck, {"raw_accounts": tables.pop("accounts"), **tables})
        engine.register_tables(duck, small_tables(tables, trial, as_of=as_of))
        duck.execute(recipe.accounts)
        engine.run_statements(duck, recipe.classify)
        return engine.run_statements(duck, _compile_counts(recipe, trial, as_of))


def _follow_strategy(policies: Policies, strategy: Strategy) -> Policies:
    entries = tuple(replace(entry, strategy=strategy) for entry in policies.policies)
    return replace(policies, policies=entries, followed=frozenset(policies.portfolio_ids))


def _compile_counts(recipe: DayStatements, policies: Policies, as_of: date) -> list[engine.Statement]:
    accounts, facts = recipe.classified, recipe.facts
    segments = accounts.group_by("segment", "currency").agg(
        accounts=accounts.count(),
        debtors=accounts.debtor_id.nunique(),
        amount_minor=accounts.overdue_minor.sum().cast("int64"),
    )
    statements = [engine.compile_statement("segments", segments.order_by("segment", "currency"))]
    due = find_due_today(accounts, facts, policies.policies, as_of=as_of)
    if due is None:
        return statements
    kept = engine.source_table("due", due.schema())
    templates = engine.source_table("templates", pa.schema([("template_code", pa.string()), ("channel", pa.string())]))
    # Whose contact of the day was made already is neither touched again nor out of reach.
    done = facts.planned.select("debtor_id").distinct()
    fresh = kept.filter(kept.track != "message").union(
        kept.filter(kept.track == "message").anti_join(done, "debtor_id")
    )
    plan = plan_day(kept, accounts, facts, templates, as_of=as_of, channels_open=policies.channels_open)
    return [
        *statements,
        engine.compile_statement("due", due, keep=True, give=False),
        engine.compile_statement("steps", count(fresh, accounts, plan)),
    ]
