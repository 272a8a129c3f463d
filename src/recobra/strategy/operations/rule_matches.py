"""Accounts that a rule matches today: counted, with examples, or all of them; nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import ibis
import pyarrow as pa

from recobra.kit import engine
from recobra.portfolio.snapshot import Scope
from recobra.strategy.operations.day_facts import read_facts
from recobra.strategy.operations.decision import prepare_day, small_tables, statements_for
from recobra.strategy.policies import catalogue_with, policies_in_force
from recobra_core.decide.steps import Segment
from recobra_core.decide.strategy import Strategy
from recobra_core.rules import Rule, Unknown, compile_rule

EXAMPLES = 10
_CODE = "rule"


@dataclass(frozen=True, kw_only=True)
class RuleMatches:
    """What a rule matches: sums by currency, the accounts that owe most, and how many it cannot tell.

    `totals`: currency, accounts, debtors, overdue_minor. `examples`: what is overdue by account id, the most first.
    `untold` are accounts of which a fact is not known that would
    decide; whether they count as matches is what the rule says of the unknown.
    """

    totals: tuple[dict[str, Any], ...]
    examples: dict[int, int]
    untold: int


def count_matches(*, rule: str, unknown: Unknown, portfolio_ids: Sequence[int], as_of: date) -> RuleMatches:
    """Return what a rule matches in some portfolios as of a day. Raises RuleError."""
    tables = _run(rule, unknown, portfolio_ids, as_of, is_counted=True)
    (untold,) = tables["untold"].to_pylist()
    return RuleMatches(
        totals=tuple(tables["totals"].to_pylist()),
        examples={row["account_id"]: row["overdue_minor"] for row in tables["examples"].to_pylist()},
        untold=untold["accounts"],
    )


def find_matches(*, rule: str, unknown: Unknown, portfolio_ids: Sequence[int], as_of: date) -> list[int]:
    """Return the ids of the open accounts that a rule matches as of a day. Raises RuleError."""
    return list(_run(rule, unknown, portfolio_ids, as_of, is_counted=False)["matches"]["account_id"].to_pylist())


def _run(
    text: str, unknown: Unknown, portfolio_ids: Sequence[int], as_of: date, *, is_counted: bool
) -> dict[str, pa.Table]:
    """Classify the accounts of the day by the expressions of the cycle, and apply the rule to them."""
    policies = policies_in_force(portfolio_ids, day=as_of)
    rule = compile_rule(text, catalogue_with(policies.attributes), unknown=unknown)
    segment = Segment.model_construct(key=_CODE, name=_CODE, rule=rule, unknown=unknown)
    strategy = Strategy.model_construct(code=_CODE, name=_CODE, segments=(segment,), steps=(), stops={})
    policies = replace(policies, policies=tuple(replace(entry, strategy=strategy) for entry in policies.policies))
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
        compiled = _compile(statements.classified, rule, is_counted=is_counted)
        return engine.run_statements(duck, compiled)


def _compile(accounts: Any, rule: Rule, *, is_counted: bool) -> list[engine.Statement]:
    """Return the statements over the classified accounts: `totals`, `examples` and `untold`, or `matches`."""
    matching = accounts.filter(rule.condition(accounts))
    if not is_counted:
        return [engine.compile_statement("matches", matching.select("account_id"))]
    totals = matching.group_by("currency").agg(
        accounts=matching.count(),
        debtors=matching.debtor_id.nunique(),
        overdue_minor=matching.overdue_minor.sum().cast("int64"),
    )
    most = [ibis.desc("overdue_minor"), ibis.desc("balance_minor"), ibis.asc("account_id")]
    examples = matching.select("account_id", "overdue_minor", "balance_minor").order_by(most).limit(EXAMPLES)
    answers_no = replace(rule, unknown="no").condition(accounts)
    answers_yes = replace(rule, unknown="yes").condition(accounts)
    untold = accounts.filter(answers_yes & ~answers_no).aggregate(accounts=ibis._.count())
    return [
        engine.compile_statement("totals", totals.order_by("currency")),
        engine.compile_statement("examples", examples),
        engine.compile_statement("untold", untold),
    ]
