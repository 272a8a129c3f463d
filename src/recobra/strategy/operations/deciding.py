"""Run the core's expressions over a day's tables and bring back what is to be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from recobra.portfolio.snapshot import company_holidays
from recobra.strategy import snapshot
from recobra.strategy.policies import Policies
from recobra_core.decide import plan as planning
from recobra_core.decide.daily import Facts, classify, due_on, judge, known_facts, plan_day
from recobra_core.decide.strategy import templates_used
from recobra_core.law import Key, caps_table, openings

CHANNELS_OPEN = ("email",)
_STATE = (
    "stage",
    "cycle_date",
    "bucket",
    "segment",
    "balance_minor",
    "overdue_minor",
    "oldest_due_date",
    "next_due_date",
)
_DUCK_TYPES = {"integer": "BIGINT", "number": "DOUBLE", "text": "VARCHAR", "boolean": "BOOLEAN", "date": "DATE"}


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """What the day brings, as Arrow tables. `classified` stays in the engine."""

    new_states: pa.Table
    changed_states: pa.Table
    transitions: pa.Table
    contacts: pa.Table
    items: pa.Table
    unreachable: pa.Table
    tasks: pa.Table
    stage_changes: pa.Table
    holds: pa.Table
    accounts: int
    due: int


def facts_of(duck: Any, given: Mapping[str, ir.Table], policies: Policies) -> Facts:
    """Return the core's facts, with the free attributes that rules speak about as typed columns."""
    wanted = _attributes_used(policies)
    tables = dict(given)
    if wanted:
        columns = ", ".join(
            f'TRY_CAST(json_extract_string(attributes, \'$."{name}"\') AS {_DUCK_TYPES[kind]}) AS "attr_{name}"'
            for name, kind in wanted.items()
        )
        duck.raw_sql(
            f"CREATE OR REPLACE TEMP VIEW attributed AS SELECT *, {columns} FROM {tables['accounts'].get_name()}"
        )
        tables["accounts"] = duck.table("attributed")
    tables["accounts"] = tables["accounts"].drop("attributes")
    return Facts(**tables)


def _attributes_used(policies: Policies) -> dict[str, str]:
    rules = [
        rule
        for policy in policies.policies
        if policy.strategy is not None
        for rule in (*(s.rule for s in policy.strategy.segments), *(s.rule for s in policy.strategy.steps))
        if rule is not None
    ]
    used = {column.removeprefix("attr_") for rule in rules for column in rule.columns if column.startswith("attr_")}
    return {name: policies.attributes[name] for name in sorted(used)}


def classify_into(duck: Any, facts: Facts, policies: Policies, *, as_of: date) -> ir.Table:
    """Classify every open account and keep the result as the engine's table `classified`."""
    classed = classify(known_facts(facts, as_of=as_of), policies.policies, as_of=as_of)
    return duck.create_table("classified", classed, overwrite=True, temp=True)


def decide(duck: Any, facts: Facts, classified: ir.Table, policies: Policies, *, as_of: date) -> Decisions:
    """Return what is to be done today and which states have changed."""
    due = due_on(classified, facts, policies.policies, as_of=as_of)
    if due is None:
        return _without_strategy(classified)
    due = duck.create_table("due", due, overwrite=True, temp=True)
    codes = {code for p in policies.policies if p.strategy for code in templates_used(p.strategy)}
    plan = plan_day(
        due, classified, facts, ibis.memtable(snapshot.templates(sorted(codes))), as_of=as_of,
        channels_open=CHANNELS_OPEN,
    )  # fmt: skip
    candidates = duck.create_table("candidates", plan.candidates, overwrite=True, temp=True)
    judged = judge(
        candidates, openings=_openings(facts, as_of), history=_history(facts), caps=caps_table(day=as_of), as_of=as_of
    )
    changes = planning.stage_changes(due).to_pyarrow()
    return Decisions(
        **_states(_moved(classified, changes)),
        contacts=judged.to_pyarrow(),
        items=_with_strategy(plan.items, due).to_pyarrow(),
        unreachable=plan.unreachable.to_pyarrow(),
        tasks=planning.tasks(due).to_pyarrow(),
        stage_changes=changes,
        holds=planning.holds(due).to_pyarrow(),
        accounts=int(classified.count().execute()),
        due=int(due.count().execute()),
    )


def _without_strategy(classified: ir.Table) -> Decisions:
    nothing = pa.table({})
    return Decisions(
        **_states(classified), contacts=nothing, items=nothing, unreachable=nothing, tasks=nothing,
        stage_changes=nothing, holds=nothing, accounts=int(classified.count().execute()), due=0,
    )  # fmt: skip


def _history(facts: Facts) -> ir.Table:
    names = ["creditor_id", "debtor_id", "account_id", "channel", "local_date", "reached"]
    return facts.history.select(*names)


def _openings(facts: Facts, as_of: date) -> ir.Table:
    places = facts.debtors.select("country", "subdivision", "zones").distinct().to_pyarrow().to_pylist()
    holidays = {(row["country"], row["day"]) for row in company_holidays().to_pylist()}
    keys = [
        Key(place["country"], place["subdivision"], place["zones"], channel, as_of)
        for place in places
        for channel in CHANNELS_OPEN
    ]
    return openings(keys=keys, company_holidays=holidays)


def _with_strategy(items: ir.Table, due: ir.Table) -> ir.Table:
    codes = due.filter(due.track == "message").select("account_id", "strategy_code")
    return items.inner_join(codes, "account_id")


def _moved(classified: ir.Table, changes: pa.Table) -> ir.Table:
    """Return the accounts with the stages that strategies moved them to today."""
    if changes.num_rows == 0:
        return classified
    moves = ibis.memtable(changes.select(["account_id", "stage"]).rename_columns(["moved_id", "moved_stage"]))
    joined = classified.left_join(moves, [classified.account_id == moves.moved_id])
    return joined.mutate(stage=joined.moved_stage.coalesce(joined.stage)).drop("moved_id", "moved_stage")


def _states(accounts: ir.Table) -> dict[str, pa.Table]:
    """Return the states to write: of accounts without one, and of those whose state differs."""
    columns = ["account_id", "portfolio_id", "debtor_id", *_STATE, "stage_since"]
    new = accounts.filter(accounts.was_stage.isnull()).select(*columns)
    known = accounts.filter(accounts.was_stage.notnull())
    differs = ibis.or_(*(~known[name].identical_to(known[f"was_{name}"]) for name in _STATE))
    changed = known.filter(differs)
    moved = known.filter(known.stage != known.was_stage)
    return {
        "new_states": new.to_pyarrow(),
        "changed_states": changed.select(*columns).to_pyarrow(),
        "transitions": moved.select(
            "account_id", "portfolio_id", "debtor_id", "was_stage", "stage", "dpd"
        ).to_pyarrow(),
    }
