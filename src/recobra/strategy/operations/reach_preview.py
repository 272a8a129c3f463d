"""Preview of a strategy's reach: tried on the real portfolios, writing nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa

from recobra.kit import engine
from recobra.portfolio.snapshot import Scope
from recobra.strategy.operations.day_facts import read_facts
from recobra.strategy.operations.decision import DayStatements, prepare_day, small_tables, statements_for
from recobra.strategy.policies import Policies, catalogue_with, policies_in_force
from recobra_core.decide.daily import find_due_today, plan_day
from recobra_core.decide.reach_preview import count_reach
from recobra_core.decide.strategy import Strategy


def preview_reach(*, document: dict[str, Any], portfolio_ids: list[int], as_of: date) -> dict[str, pa.Table]:
    """Return what a strategy would do today over some portfolios, and how its segments divide them.

    `segments`: segment, currency, accounts, debtors, amount_minor (overdue); `steps`: rows of the core's
    `decide.reach_preview`, only where a step is due. Raises DocumentError.
    """
    policies = policies_in_force(portfolio_ids, day=as_of)
    strategy = Strategy.parse(document, catalogue=catalogue_with(policies.attributes))
    # Every portfolio follows the strategy, whatever it follows in earnest.
    entries = tuple(replace(entry, strategy=strategy) for entry in policies.policies)
    followed = frozenset(policies.portfolio_ids) - policies.disabled
    policies = replace(policies, policies=entries, followed=followed)
    tables = read_facts(
        Scope(portfolio_ids=policies.portfolio_ids),
        as_of=as_of,
        contactable=policies.followed,
        columns=policies.columns_read,
        company_rules=policies.company_rules,
    )
    statements = statements_for(policies)
    with engine.open_duckdb(rows=tables["accounts"].num_rows) as duck:
        engine.register_tables(duck, {"raw_accounts": tables.pop("accounts"), **tables})
        engine.register_tables(duck, small_tables(tables, policies=policies, as_of=as_of))
        prepare_day(duck, statements=statements, as_of=as_of)
        engine.run_statements(duck, statements.classify)
        # Counts: a few rows, however many accounts.
        return engine.run_statements(duck, _compile_counts(statements, policies), rows=engine.FEW_ROWS)


def _compile_counts(day: DayStatements, policies: Policies) -> list[engine.Statement]:
    """Return the statements `segments` and, where the strategy has steps, `due` and `steps`."""
    accounts = day.classified
    facts = day.facts
    segments = accounts.group_by("segment", "currency").agg(
        accounts=accounts.count(),
        debtors=accounts.debtor_id.nunique(),
        amount_minor=accounts.overdue_minor.sum().cast("int64"),
    )
    statements = [engine.compile_statement("segments", segments.order_by("segment", "currency"))]
    due_expression = find_due_today(accounts, facts, policies.policies, as_of=engine.AS_OF)
    if due_expression is None:
        return statements
    due = engine.source_table("due", due_expression.schema())
    templates = engine.source_table("templates", pa.schema([("template_code", pa.string()), ("channel", pa.string())]))
    # A debtor who has the contact of this day already is neither reached again nor out of reach.
    contacted = facts.planned.select("debtor_id").distinct()
    messages = due.filter(due.track == "message").anti_join(contacted, "debtor_id")
    fresh = due.filter(due.track != "message").union(messages)
    plan = plan_day(due, accounts, facts, templates, as_of=engine.AS_OF, channels_open=policies.channels_open)
    return [
        *statements,
        engine.compile_statement("due", due_expression, store=True, fetch=False),
        engine.compile_statement("steps", count_reach(fresh, accounts, plan)),
    ]
