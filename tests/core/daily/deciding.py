"""A day decided on an engine, from the Parquet files of its facts to the Parquet files of its plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends import BaseBackend
from tests.core.daily.tables import FACTS

from recobra_core.decide import plan as planning
from recobra_core.decide.daily import (
    DayFacts,
    PortfolioLimits,
    build_account_facts,
    classify_accounts,
    find_due_today,
    judge_at_opening,
    plan_day,
)

KEYS: Mapping[str, tuple[str, ...]] = {
    "classified": ("account_id",),
    "due": ("account_id", "track"),
    "candidates": ("debtor_id", "creditor_id"),
    "contacts": ("debtor_id", "creditor_id"),
    "items": ("account_id",),
    "unreachable": ("debtor_id", "creditor_id"),
    "tasks": ("account_id",),
    "stage_changes": ("account_id",),
    "step_holds": ("account_id",),
}
"""What a day gives, and what makes each row unique."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """An engine with the folder of the day's facts and an empty folder for what it decides."""

    engine: BaseBackend
    facts: Path
    decided: Path

    def read(self, name: str) -> ir.Table:
        return self.engine.read_parquet(self.facts / f"{name}.parquet")

    def kept(self, name: str, expression: ir.Table) -> ir.Table:
        """Evaluate once and go on with the rows, as the daily cycle does between its steps."""
        path = self.decided / f"{name}.parquet"
        self.engine.to_parquet(expression, path)
        # Spark numbers rows in 32 bits where ibis promises 64.
        return self.engine.read_parquet(path).cast(expression.schema())


def decide(
    desk: Desk, policies: Sequence[PortfolioLimits], *, as_of: date, channels_open: tuple[str, ...]
) -> dict[str, pa.Table]:
    """Return the tables of `KEYS`, sorted by their keys. At least one policy must have a strategy."""
    facts = DayFacts(**{name: desk.read(name) for name in FACTS})
    classified = desk.kept(
        "classified", classify_accounts(build_account_facts(facts, as_of=as_of), policies, as_of=as_of)
    )
    steps = find_due_today(classified, facts, policies, as_of=as_of)
    assert steps is not None, "no portfolio follows a strategy"
    due = desk.kept("due", steps)
    plan = plan_day(due, classified, facts, desk.read("templates"), as_of=as_of, channels_open=channels_open)
    candidates = desk.kept("candidates", plan.candidates)
    told = {
        "contacts": judge_at_opening(
            candidates, openings=desk.read("openings"), history=facts.history, caps=desk.read("caps"), as_of=as_of
        ),
        "items": plan.items,
        "unreachable": plan.unreachable,
        "tasks": planning.plan_tasks(due),
        "stage_changes": planning.plan_stage_changes(due),
        "step_holds": planning.plan_holds(due),
    }
    for name, expression in told.items():
        desk.kept(name, expression)
    return {name: _sorted(desk.decided / f"{name}.parquet", keys) for name, keys in KEYS.items()}


def differences(one: Mapping[str, pa.Table], other: Mapping[str, pa.Table]) -> list[str]:
    """Return every row and column that the two days do not have alike, in words; none when they agree."""
    return [text for name in KEYS for text in _different(name, one[name], other[name])]


def _different(name: str, one: pa.Table, other: pa.Table) -> list[str]:
    if sorted(one.column_names) != sorted(other.column_names):
        return [f"{name}: columns {one.column_names} and {other.column_names}"]
    left, right = _by_key(name, one), _by_key(name, other)
    # As texts, so that 1 and 1.0 are not taken for the same.
    return [
        f"{name} {key}: {left.get(key)!r} and {right.get(key)!r}"
        for key in sorted(left.keys() | right.keys(), key=repr)
        if repr(left.get(key)) != repr(right.get(key))
    ]


def _by_key(name: str, table: pa.Table) -> dict[tuple[object, ...], dict[str, object]]:
    table = table.select(sorted(table.column_names))
    rows = {tuple(row[key] for key in KEYS[name]): row for row in table.to_pylist()}
    assert len(rows) == table.num_rows, f"{name}: {KEYS[name]} does not make rows unique"
    return rows


def _sorted(path: Path, keys: Sequence[str]) -> pa.Table:
    return pq.read_table(path).sort_by([(key, "ascending") for key in keys])
