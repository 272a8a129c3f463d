"""Preview of a day: what its cycle would plan as things stand now, by the cycle's own statements, writing nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from recobra.kit import engine
from recobra.portfolio.snapshot import Scope
from recobra.strategy.freshness import fresh_portfolios
from recobra.strategy.operations.day_facts import read_facts
from recobra.strategy.operations.decision import prepare_day, run_decisions, small_tables, statements_for
from recobra.strategy.operations.outbox_rows import in_utc
from recobra.strategy.policies import policies_in_force

NO_STRATEGY = "no_strategy"
DISABLED = "disabled"
STALE = "stale"


@dataclass(frozen=True, kw_only=True)
class PlannedGroup:
    """Debtors of a portfolio who would be contacted by a channel from an instant on."""

    portfolio_id: int
    channel: str
    due_at: datetime | None
    debtors: int


@dataclass(frozen=True, kw_only=True)
class RefusedGroup:
    """Debtors of a portfolio who would not be contacted, and why.

    `channel` and `article` are those that the gate judged, '' for who has no way at all: a person looks for one.
    """

    portfolio_id: int
    channel: str
    reason: str
    article: str
    debtors: int


@dataclass(frozen=True, kw_only=True)
class TaskGroup:
    """Tasks of one title that people of a portfolio would get."""

    portfolio_id: int
    title: str
    tasks: int


@dataclass(frozen=True, kw_only=True)
class DayPreview:
    """What a day would plan: contacts by hour, refusals the most frequent first, tasks.

    `left_out` are the portfolios of which nobody would be contacted: NO_STRATEGY, DISABLED, or STALE for one whose last
    load is too old by then, or that has none.
    """

    as_of: date
    planned: tuple[PlannedGroup, ...]
    refused: tuple[RefusedGroup, ...]
    tasks: tuple[TaskGroup, ...]
    left_out: dict[int, str]

    @property
    def contacts(self) -> int:
        """Return how many debtors would be contacted."""
        return sum(group.debtors for group in self.planned)


def preview_day(*, portfolio_ids: Iterable[int], as_of: date) -> DayPreview:
    """Return what the cycle of a day, today or later, would plan for some portfolios as things stand now."""
    policies = policies_in_force(portfolio_ids, day=as_of)
    contactable = policies.followed & fresh_portfolios(policies.by_portfolio, day=as_of)
    left_out = {}
    for portfolio_id in policies.portfolio_ids:
        if portfolio_id in policies.disabled:
            left_out[portfolio_id] = DISABLED
        elif portfolio_id not in policies.followed:
            left_out[portfolio_id] = NO_STRATEGY
        elif portfolio_id not in contactable:
            left_out[portfolio_id] = STALE
    tables = read_facts(
        Scope(portfolio_ids=policies.portfolio_ids),
        as_of=as_of,
        contactable=contactable,
        columns=policies.columns_read,
        company_rules=policies.company_rules,
    )
    statements = statements_for(policies)
    with engine.open_duckdb(rows=tables["accounts"].num_rows) as duck:
        facts = dict(tables)
        engine.register_tables(duck, {"raw_accounts": facts.pop("accounts"), **facts})
        prepare_day(duck, statements=statements, as_of=as_of)
        engine.run_statements(duck, statements.classify)
        decisions = run_decisions(
            partial(engine.run_statements, duck),
            statements=statements,
            fill_small_tables=lambda: engine.register_tables(
                duck, small_tables(tables, policies=policies, as_of=as_of)
            ),
        )
    # Without a plan nothing is due.
    if "contacts" not in decisions:
        return DayPreview(as_of=as_of, planned=(), refused=(), tasks=(), left_out=left_out)
    tasks = [
        TaskGroup(portfolio_id=row["portfolio_id"], title=row["title"], tasks=row["count_all"])
        for row in _count_rows(decisions["tasks"], ["portfolio_id", "title"])
    ]
    return DayPreview(
        as_of=as_of,
        planned=_group_planned(decisions["contacts"]),
        refused=_group_refused(decisions["contacts"], decisions["unreachable"]),
        tasks=tuple(sorted(tasks, key=lambda group: -group.tasks)),
        left_out=left_out,
    )


def _group_planned(judged: pa.Table) -> tuple[PlannedGroup, ...]:
    """Return the allowed rows of the plan's contacts by portfolio, channel and instant, the earliest first."""
    allowed = judged.filter(judged["allowed"])
    timed = allowed.set_column(allowed.column_names.index("due_at"), "due_at", in_utc(allowed["due_at"]))
    groups = [
        PlannedGroup(
            portfolio_id=row["portfolio_id"], channel=row["channel"], due_at=row["due_at"], debtors=row["count_all"]
        )
        for row in _count_rows(timed, ["portfolio_id", "channel", "due_at"])
    ]
    return tuple(sorted(groups, key=lambda group: (group.due_at is None, str(group.due_at), group.channel)))


def _group_refused(judged: pa.Table, unreachable: pa.Table) -> tuple[RefusedGroup, ...]:
    """Return the refused rows of the plan's contacts and those without any way by reason, the most frequent first."""
    refused = judged.filter(pc.invert(judged["allowed"]))
    rows = _count_rows(refused, ["portfolio_id", "channel", "reason", "source"])
    rows += [{**row, "channel": "", "source": ""} for row in _count_rows(unreachable, ["portfolio_id", "reason"])]
    groups = [
        RefusedGroup(
            portfolio_id=row["portfolio_id"],
            channel=row["channel"],
            reason=row["reason"] or "",
            article=row["source"] or "",
            debtors=row["count_all"],
        )
        for row in rows
    ]
    return tuple(sorted(groups, key=lambda group: -group.debtors))


def _count_rows(table: pa.Table, columns: list[str]) -> list[dict[str, Any]]:
    """Return how many rows (`count_all`) a table has of each combination of some columns."""
    return table.group_by(columns).aggregate([([], "count_all")]).to_pylist()
