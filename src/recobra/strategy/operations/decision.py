"""The core's decisions as DuckDB statements: compiled once per policy, run for any day, for everybody or for one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from recobra.kit import engine
from recobra.kit.engine import Statement, compile_statement, source_table
from recobra.messaging.snapshot import HISTORY, caps_in_force
from recobra.portfolio import snapshot as portfolio
from recobra.portfolio.own_columns import RuleColumn
from recobra.strategy import snapshot
from recobra.strategy.policies import OWN_PREFIX, Policies, catalogue_with
from recobra_core.decide import plan as planning
from recobra_core.decide.daily import (
    DayFacts,
    build_account_facts,
    classify_accounts,
    find_due_today,
    judge_at_opening,
    plan_day,
)
from recobra_core.decide.strategy import list_templates
from recobra_core.law import OPENINGS, CompanyRules, OpeningKey, build_openings, to_arrow
from recobra_core.law.caps import CAPS
from recobra_core.rules import ARROW_TYPES, Column, ColumnType

_STATE_COLUMNS = (
    "stage",
    "cycle_date",
    "bucket",
    "segment",
    "balance_minor",
    "overdue_minor",
    "oldest_due_date",
    "next_due_date",
)
_TRANSITION_COLUMNS = ("was_stage", "dpd")
_DUCK_TYPES: Mapping[ColumnType, str] = {
    "integer": "BIGINT",
    "money": "BIGINT",
    "number": "DOUBLE",
    "text": "VARCHAR",
    "boolean": "BOOLEAN",
    "date": "DATE",
}
PLACE_COLUMNS = ["country", "subdivision", "zones"]
"""Columns of a debtor on which depends when somebody may be contacted."""
_CACHE_SIZE = 32  # a process sees a few sets of policies, and forgets the oldest


def _derive_schema(base: pa.Schema, *, without: tuple[str, ...] = (), **more: pa.DataType) -> pa.Schema:
    """Return a schema without some of its columns, and with more columns at the end."""
    kept_fields = [field for field in base if field.name not in without]
    return pa.schema([*kept_fields, *more.items()])


SCHEMAS: Mapping[str, pa.Schema] = {
    "items": _derive_schema(portfolio.ITEMS, without=("debtor_id", "portfolio_id")),
    "debtors": _derive_schema(portfolio.DEBTORS, without=("time_zone",), zones=pa.string()),
    "portfolios": _derive_schema(
        portfolio.PORTFOLIOS,
        without=("creditor_id", "default_zone"),
        currency_exponent=pa.int64(),
        active=pa.bool_(),
        house=pa.string(),
    ),
    "points": portfolio.POINTS,
    "holds": portfolio.HOLDS,
    "events": snapshot.EVENTS,
    "history": HISTORY,
    "states": snapshot.STATES,
    "firings": snapshot.FIRINGS,
    "planned": snapshot.PLANNED,
}


@dataclass(frozen=True, kw_only=True)
class DayStatements:
    """Compiled statements that decide a day, in the order in which they run.

    `attributes` are the portfolios' own columns that rules read, by their name in the table (`prepare_day`). `classify`
    stores the table `classified`, `due` the table `due`. Then come `plan`,
    unless `due_count` says that nothing is due, and `states`, which reads the `stage_changes` that `due` may store.
    """

    attributes: Mapping[str, engine.JsonField]
    classify: tuple[Statement, ...]
    due: tuple[Statement, ...]
    plan: tuple[Statement, ...]
    states: tuple[Statement, ...]
    facts: DayFacts
    classified: ir.Table


def prepare_day(duck: DuckDBPyConnection, *, statements: DayStatements, as_of: date) -> None:
    """Say which day is decided, and give the registered `raw_accounts` the shape that is read as `accounts`."""
    engine.set_as_of(duck, as_of)
    engine.unpack_fields(duck, "accounts", source="raw_accounts", column="attributes", fields=statements.attributes)


_STATEMENTS: OrderedDict[str, DayStatements] = OrderedDict()


def statements_for(policies: Policies) -> DayStatements:
    """Return the statements of any day under some policies, compiled on first use."""
    key = policies.fingerprint()
    if key not in _STATEMENTS:
        _STATEMENTS[key] = _compile_day(policies)
        while len(_STATEMENTS) > _CACHE_SIZE:
            _STATEMENTS.popitem(last=False)
    return _STATEMENTS[key]


def small_tables(tables: Mapping[str, pa.Table], *, policies: Policies, as_of: date) -> dict[str, pa.Table]:
    """Return the small tables that the statements need beside the facts: templates, openings, caps.

    `tables` are the facts of a day (`day_facts.read_facts`), of which only the PLACE_COLUMNS of the debtors
    are read.
    """
    template_codes: set[str] = set()
    for entry in policies.policies:
        if entry.strategy is not None:
            template_codes.update(list_templates(entry.strategy))
    templates = snapshot.read_template_channels(sorted(template_codes))
    return {"templates": templates, **law_tables(tables, policies=policies, as_of=as_of)}


def law_tables(tables: Mapping[str, pa.Table], *, policies: Policies, as_of: date) -> dict[str, pa.Table]:
    """Return of the small tables those by which the gate judges: openings, caps. `tables` as in `small_tables`."""
    places = tables["debtors"].select(PLACE_COLUMNS).group_by(PLACE_COLUMNS).aggregate([]).to_pylist()
    # Every place, by every channel, under the law alone ('') and under each of the company's rules.
    keys = {
        OpeningKey(place["country"], place["subdivision"], place["zones"], channel, as_of, rules_name)
        for place in places
        for channel in policies.channels_open
        for rules_name in ("", *policies.company_rules.rules_by_name)
    }
    company_rules = frozenset(policies.company_rules.rules_by_name.items())
    return {
        "openings": _cached_openings(frozenset(keys), company_rules),
        "caps": caps_in_force(company_rules, day=as_of),
    }


# The same few hundred places and rules come back all day: for one debtor, computing them takes longer than deciding.
@lru_cache(maxsize=256)
def _cached_openings(keys: frozenset[OpeningKey], company_rules: frozenset[tuple[str, CompanyRules]]) -> pa.Table:
    """Return the table of openings; rules are name and content, frozen for the cache."""
    return to_arrow(build_openings(keys=keys, company_rules=dict(company_rules)))


def _compile_day(policies: Policies) -> DayStatements:
    """Compile the statements of any day under some policies, from the core's expressions over empty tables."""
    columns = _attributes_used(policies)
    attribute_columns = {column.stored_as: ARROW_TYPES[column.type] for column, _own in columns}
    account_schema = _derive_schema(portfolio.ACCOUNTS, without=("attributes",), **attribute_columns)
    accounts = source_table("accounts", account_schema)
    facts = DayFacts(
        accounts=accounts,
        **{name: source_table(name, schema) for name, schema in SCHEMAS.items()},
        more={column.table: source_table(column.table, column.schema) for column in policies.columns_read},
    )
    account_facts = build_account_facts(facts, as_of=engine.AS_OF, more_columns=policies.columns_read)
    expression = classify_accounts(account_facts, policies.policies, as_of=engine.AS_OF)
    classified = source_table("classified", expression.schema())
    return DayStatements(
        attributes={column.stored_as: _read_attribute(column, own) for column, own in columns},
        classify=(compile_statement("classified", expression, store=True, fetch=False),),
        **_compile_decisions(classified, facts, policies),
        facts=facts,
        classified=classified,
    )


def _attributes_used(policies: Policies) -> list[tuple[Column, RuleColumn]]:
    """Return the portfolios' own columns that a rule of some strategy reads, as rules and as portfolios know them."""
    catalogue = catalogue_with(policies.attributes)
    names = [name for name in sorted(policies.columns_used) if name.startswith(OWN_PREFIX)]
    return [(catalogue[name], policies.attributes[name.removeprefix(OWN_PREFIX)]) for name in names]


def _read_attribute(column: Column, own: RuleColumn) -> engine.JsonField:
    """Return how a column is read: what is not of its type, or not declared so by its portfolio, is unknown."""
    condition = f"portfolio_id IN ({', '.join(map(str, own.portfolio_ids))})"
    field = column.name.removeprefix(OWN_PREFIX)
    return engine.JsonField(field=field, kind=_DUCK_TYPES[column.type], condition=condition)


def _compile_decisions(classified: ir.Table, facts: DayFacts, policies: Policies) -> dict[str, tuple[Statement, ...]]:
    """Return the fields `due`, `plan` and `states` of a day's statements."""
    due_expression = find_due_today(classified, facts, policies.policies, as_of=engine.AS_OF)
    if due_expression is None:
        return {"due": (), "plan": (), "states": _compile_states(classified)}
    due = source_table("due", due_expression.schema())
    templates = source_table("templates", pa.schema([("template_code", pa.string()), ("channel", pa.string())]))
    plan_today = partial(
        plan_day, due, classified, facts, templates, as_of=engine.AS_OF, channels_open=policies.channels_open
    )
    reached = plan_today().reached
    plan = plan_today(stored=source_table("reached", reached.schema()))
    judged = judge_at_opening(
        source_table("candidates", plan.candidates.schema()),
        openings=source_table("openings", OPENINGS),
        history=facts.history,
        caps=source_table("caps", CAPS),
        as_of=engine.AS_OF,
    )
    strategy_codes = due.filter(due.track == "message").select("account_id", "strategy_code")
    changes = planning.plan_stage_changes(due)
    # Accounts with the stages that strategies move them to today.
    moves = source_table("stage_changes", changes.schema())
    moves = moves.select(moved_id=moves.account_id, moved_stage=moves.stage)
    moved = classified.left_join(moves, [classified.account_id == moves.moved_id])
    moved = moved.mutate(stage=moved.moved_stage.coalesce(moved.stage)).drop("moved_id", "moved_stage")
    return {
        "due": (
            compile_statement("due", due_expression, store=True, fetch=False),
            compile_statement("due_count", due.aggregate(count=due.count())),
            compile_statement("stage_changes", changes, store=True),
        ),
        "plan": (
            compile_statement("reached", reached, store=True, fetch=False),
            compile_statement("candidates", plan.candidates, store=True, fetch=False),
            compile_statement("contacts", judged),
            compile_statement("items", plan.items.inner_join(strategy_codes, "account_id")),
            compile_statement("unreachable", plan.unreachable),
            compile_statement("tasks", planning.plan_tasks(due)),
            compile_statement("step_holds", planning.plan_holds(due)),
        ),
        "states": _compile_states(moved),
    }


def _compile_states(accounts: ir.Table) -> tuple[Statement, ...]:
    """Return the statement of the states to write: accounts without one, and those whose state differs."""
    written = ("debtor_id", *_STATE_COLUMNS)
    differences = [~accounts[name].identical_to(accounts[f"was_{name}"]) for name in written]
    differs: Any = ibis.or_(*differences)
    columns = ["account_id", "portfolio_id", *written, "stage_since", *_TRANSITION_COLUMNS]
    states = accounts.filter(accounts.was_stage.isnull() | differs).select(*columns)
    return (compile_statement("states", states),)


def run_decisions(
    run: Callable[[Sequence[Statement]], dict[str, pa.Table]],
    *,
    statements: DayStatements,
    fill_small_tables: Callable[[], None],
) -> dict[str, pa.Table]:
    """Run the statements that come after the table `classified` is stored, and return their tables by name.

    They are those of `due` and `plan`, and `new_states`, `changed_states` and `transitions`. `run` is
    `engine.run_statements` of a connection, or of prepared statements. `fill_small_tables` lets it read the result of
    `small_tables`; it is called only where something is due.
    """
    decisions = run(statements.due)
    if statements.due and decisions.pop("due_count")["count"][0].as_py():
        fill_small_tables()
        decisions |= run(statements.plan)
    (states,) = run(statements.states).values()
    is_new = pc.is_null(states["was_stage"])
    changed = states.filter(pc.invert(is_new))
    has_moved = pc.not_equal(changed["stage"], changed["was_stage"])
    return decisions | {
        "new_states": states.filter(is_new).drop_columns(list(_TRANSITION_COLUMNS)),
        "changed_states": changed.drop_columns(list(_TRANSITION_COLUMNS)),
        "transitions": changed.filter(has_moved),
    }
