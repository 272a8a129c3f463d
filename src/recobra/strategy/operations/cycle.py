"""The daily cycle: eight named steps, each counted and timed, all repeatable."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
from django.db import connection, transaction

from recobra.journal.operations import record
from recobra.kit import engine
from recobra.portfolio.snapshot import Part
from recobra.strategy import alarms, snapshot
from recobra.strategy.models import CycleRun, CycleStep
from recobra.strategy.operations import day_kpis
from recobra.strategy.operations.day_facts import lake_folder, read, write_lake
from recobra.strategy.operations.decision import Recipe, inputs, recipe_for, run
from recobra.strategy.policies import Policies, in_force

from .campaigns_day import plan_day
from .commit import Decisions, commit, journal_mark

STEPS = ("freshness", "snapshot", "classify", "score", "decide", "commit", "campaigns", "measure")
_LOCK = "hashtext('recobra.cycle')"
logger = logging.getLogger(__name__)


class CycleRefused(Exception):
    """The cycle cannot run for this day; the text says why."""


@dataclass
class _Day:
    """What one step leaves for the next."""

    as_of: date
    actor: str
    now: datetime
    policies: Policies
    duck: Any
    contactable: frozenset[int] = frozenset()
    mark: int = 0
    beside: Mapping[str, Any] = field(default_factory=dict)
    waiting: pa.Table | None = None
    decisions: Decisions = field(default_factory=dict)
    figures: dict[str, int] = field(default_factory=dict)

    @property
    def recipe(self) -> Recipe:
        """Return the statements of the day."""
        return recipe_for(self.policies, as_of=self.as_of)

    @property
    def part(self) -> Part:
        """Return the whole installation."""
        return Part(portfolio_ids=self.policies.portfolio_ids)


def run_cycle(*, as_of: date, actor: str, actor_id: int | None = None, now: datetime) -> dict[str, Any]:
    """Run the cycle of a day over all portfolios. Two at once run one after the other; the second finds nothing new.

    Returns as_of, steps [{name, count, seconds}], contacts_planned, contacts_blocked, tasks_created, transitions.
    Raises CycleRefused where a later day has run already: the plan would be of the past.
    """
    with _alone():
        latest = CycleRun.objects.filter(status=CycleRun.Status.DONE).order_by("-as_of").first()
        if latest is not None and latest.as_of > as_of:
            raise CycleRefused(f"The cycle of {latest.as_of} has run; an earlier day ({as_of}) is not planned again.")
        CycleRun.objects.filter(status=CycleRun.Status.RUNNING).update(
            status=CycleRun.Status.FAILED, finished_at=now, reason="Interrupted."
        )
        run = CycleRun.objects.create(as_of=as_of, status=CycleRun.Status.RUNNING, started_at=now, actor=actor)
        with engine.duckdb() as duck:
            day = _Day(as_of=as_of, actor=actor, now=now, policies=in_force(), duck=duck)
            try:
                steps = [_step(run, position, name, day) for position, name in enumerate(STEPS)]
            except Exception as error:
                run.status, run.finished_at, run.reason = CycleRun.Status.FAILED, now, type(error).__name__
                run.save()
                raise
        figures = {"as_of": as_of.isoformat(), "steps": steps, **day.figures}
        _finish(run, figures, actor=actor, actor_id=actor_id, now=now)
        return figures


def _finish(run: CycleRun, figures: dict[str, Any], *, actor: str, actor_id: int | None, now: datetime) -> None:
    with transaction.atomic():
        spent = sum(step["seconds"] for step in figures["steps"])
        run.status, run.figures, run.finished_at = CycleRun.Status.DONE, figures, now + timedelta(seconds=spent)
        run.save()
        record("cycle.run", at=now, actor=actor, actor_id=actor_id, payload={"run_id": run.pk, "as_of": run.as_of})


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_lock({_LOCK})")
        try:
            yield
        finally:
            cursor.execute(f"SELECT pg_advisory_unlock({_LOCK})")


def _step(run: CycleRun, position: int, name: str, day: _Day) -> dict[str, Any]:
    row = CycleStep.objects.create(
        run=run, name=name, position=position, status=CycleRun.Status.RUNNING, started_at=day.now
    )
    begin = time.perf_counter()
    try:
        row.count = _WORK[name](day)
    except Exception:
        row.status = CycleRun.Status.FAILED
        row.save()
        raise
    row.seconds = round(time.perf_counter() - begin, 3)
    row.status = CycleRun.Status.DONE
    row.save()
    logger.info("cycle %s: %s, %d, %.2f s", day.as_of, name, row.count, row.seconds)
    return {"name": name, "count": row.count, "seconds": row.seconds}


def _freshness(day: _Day) -> int:
    """Leave out portfolios with stale data."""
    stale = alarms.check_freshness(portfolio_ids=day.policies.portfolio_ids, as_of=day.as_of, now=day.now)
    day.contactable = day.policies.followed - stale
    return len(day.policies.portfolio_ids)


def _snapshot(day: _Day) -> int:
    day.mark = journal_mark()
    day.waiting = snapshot.carried(day.part, as_of=day.as_of)
    tables = read(day.part, as_of=day.as_of, contactable=day.contactable)
    count = tables["accounts"].num_rows
    folder = write_lake(tables, as_of=day.as_of)
    files = {"raw_accounts" if name == "accounts" else name: folder / f"{name}.parquet" for name in tables}
    engine.give_files(day.duck, files)
    day.beside = inputs(tables, day.policies, as_of=day.as_of)
    return count


def _classify(day: _Day) -> int:
    day.duck.execute(day.recipe.accounts)
    engine.run(day.duck, day.recipe.classify)
    ((count,),) = day.duck.execute("SELECT count(*) FROM classified").fetchall()
    return int(count)


def _score(day: _Day) -> int:
    """Write the arrears portfolio of the day (Cartera de Mora) with its indicators beside the snapshot."""
    return day_kpis.write_portfolio(day.duck, day.recipe.classified, lake_folder(day.as_of) / "portfolio.parquet")


def _decide(day: _Day) -> int:
    day.decisions = run(day.duck, day.recipe, lambda: day.beside)
    return sum(day.decisions[name].num_rows for name in ("items", "tasks", "stage_changes") if name in day.decisions)


def _commit(day: _Day) -> int:
    day.figures = commit(
        day.decisions,
        policies=day.policies,
        part=day.part,
        as_of=day.as_of,
        actor="cycle",
        now=day.now,
        since=day.mark,
        waiting=day.waiting,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE strategy_accountstate, strategy_firing, messaging_contact")
    return day.decisions["new_states"].num_rows + day.decisions["changed_states"].num_rows


def _campaigns(day: _Day) -> int:
    return plan_day(as_of=day.as_of, now=day.now, actor=day.actor)


def _measure(day: _Day) -> int:
    count = day_kpis.measure(day.duck, day.recipe.classified, as_of=day.as_of)
    alarms.check_data(portfolio_ids=day.policies.portfolio_ids, now=day.now)
    return count


_WORK: dict[str, Callable[[_Day], int]] = {
    "freshness": _freshness,
    "snapshot": _snapshot,
    "classify": _classify,
    "score": _score,
    "decide": _decide,
    "commit": _commit,
    "campaigns": _campaigns,
    "measure": _measure,
}
