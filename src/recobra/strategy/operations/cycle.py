"""The daily cycle: eight named steps, each counted and timed, all repeatable."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.db import connection, transaction
from django.utils.translation import gettext as _
from duckdb import DuckDBPyConnection
from pyarrow import parquet

from recobra.access.actors import Actor, Service, service_actor
from recobra.access.permissions import consequence, requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.journal.sql import latest_entry_id
from recobra.kit import disk, engine
from recobra.messaging.snapshot import caps_in_force
from recobra.portfolio.models import Channel, Portfolio
from recobra.portfolio.snapshot import Scope
from recobra.strategy import alarms, schedule, snapshot
from recobra.strategy.facts import CycleFinished
from recobra.strategy.models import CycleRun, CycleStep
from recobra.strategy.operations import day_kpis
from recobra.strategy.operations.day_facts import fact_readers, snapshot_folder, write_snapshot
from recobra.strategy.operations.decision import (
    PLACE_COLUMNS,
    DayStatements,
    prepare_day,
    run_decisions,
    small_tables,
    statements_for,
)
from recobra.strategy.policies import Policies, policies_in_force
from recobra_core.law import OpeningKey, build_openings

from .campaigns_day import plan_running_campaigns
from .commit import Decisions, commit_decisions

STEPS = ("freshness", "snapshot", "classify", "score", "decide", "commit", "campaigns", "measure")
_CYCLE_LOCK = "hashtext('recobra.cycle')"
logger = logging.getLogger(__name__)


class CycleRefused(Exception):
    """The cycle cannot run for this day; the text says why."""


class DiskFull(CycleRefused):
    """The cycle waits until there is room on the disk; the text says how much."""


@dataclass
class _CycleDay:
    """State that one step of the cycle leaves for the next."""

    as_of: date
    actor: Actor
    policies: Policies
    duck: DuckDBPyConnection
    accounts: int = 0
    contactable: frozenset[int] = frozenset()
    snapshot_entry_id: int = 0
    small_tables: Mapping[str, pa.Table] = field(default_factory=dict)
    carried: pa.Table | None = None
    decisions: Decisions = field(default_factory=dict)
    figures: dict[str, int] = field(default_factory=dict)

    @property
    def statements(self) -> DayStatements:
        """Return the compiled statements of the day."""
        return statements_for(self.policies)

    @property
    def scope(self) -> Scope:
        """Return the whole installation."""
        return Scope(portfolio_ids=self.policies.portfolio_ids)


def _refuse_full_disk() -> None:
    """Raise DiskFull where the disk has less room than the reserve."""
    shortage = disk.find_shortage()
    if shortage:
        text = _("The disk has %(free)s MB free; the cycle waits until there are %(needed)s.")
        raise DiskFull(text % {"free": shortage.free_mb, "needed": shortage.needed_mb})


@requires(Right.RUN_CYCLE)
def run_cycle(*, as_of: date, actor: Actor) -> dict[str, Any]:
    """Run the cycle of a day over all portfolios; repeating it changes nothing.

    Returns as_of, steps [{name, count, seconds}], contacts_planned, contacts_blocked, tasks_created, transitions.
    Raises CycleRefused for a day that has not come, and where a later day has run already.
    """
    now = actor.now
    if not schedule.has_come(as_of, now):
        # Planning it would age every account to that day, and no earlier day could be planned after it.
        raise CycleRefused(_("A day that has not come cannot be planned."))
    _refuse_full_disk()
    with cycle_lock():
        # A later day has seen later facts: planning an earlier one now would write to people on stale knowledge.
        latest = CycleRun.objects.filter(status=CycleRun.Status.DONE).order_by("-as_of").first()
        if latest is not None and latest.as_of > as_of:
            raise CycleRefused(f"The cycle of {latest.as_of} has run; an earlier day ({as_of}) is not planned again.")
        _fail_running(now)
        run = CycleRun.objects.create(as_of=as_of, status=CycleRun.Status.RUNNING, started_at=now, actor=actor.name)
        with engine.open_duckdb() as duck:
            day = _CycleDay(as_of=as_of, actor=actor, policies=policies_in_force(day=as_of), duck=duck)
            try:
                steps = [_run_step(run, position, name, day) for position, name in enumerate(STEPS)]
            except Exception as error:
                run.status = CycleRun.Status.FAILED
                run.finished_at = now
                run.reason = type(error).__name__
                run.save()
                raise
        figures = {"as_of": as_of.isoformat(), "steps": steps, **day.figures}
        with transaction.atomic():
            seconds = sum(step["seconds"] for step in steps)
            run.status = CycleRun.Status.DONE
            run.figures = figures
            # `now` stands still while the cycle runs.
            run.finished_at = now + timedelta(seconds=seconds)
            run.save()
            record_fact(CycleFinished(run_id=run.pk, as_of=as_of), actor=actor)
        return figures


@consequence
def fail_interrupted_runs(*, actor: Actor) -> None:
    """Call a run failed that says it is running while no cycle is: its process was killed."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({_CYCLE_LOCK})")
        (is_free,) = cursor.fetchone()
        if is_free:
            try:
                _fail_running(actor.now)
            finally:
                cursor.execute(f"SELECT pg_advisory_unlock({_CYCLE_LOCK})")


def _fail_running(now: datetime) -> None:
    """Call runs failed that say they are running. The lock is held, so that none of them is."""
    CycleRun.objects.filter(status=CycleRun.Status.RUNNING).update(
        status=CycleRun.Status.FAILED, finished_at=now, reason="Interrupted."
    )


def warm_up(*, as_of: date) -> None:
    """Make ready what the cycle of a day would wait for: its compiled statements, the law's caps, the calendars."""
    policies = policies_in_force(day=as_of)
    statements_for(policies)
    caps_in_force(frozenset(policies.company_rules.rules_by_name.items()), day=as_of)
    places = Portfolio.objects.order_by("pk").values_list("country", "time_zone")
    build_openings(keys={OpeningKey(country, "", zone, Channel.EMAIL, as_of) for country, zone in places})


@contextmanager
def cycle_lock() -> Iterator[None]:
    """Let two cycles run one after the other."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_lock({_CYCLE_LOCK})")
        try:
            yield
        finally:
            cursor.execute(f"SELECT pg_advisory_unlock({_CYCLE_LOCK})")


def _run_step(run: CycleRun, position: int, name: str, day: _CycleDay) -> dict[str, Any]:
    """Run one named step, timed and counted in a row of its own; a failure is written down and raised on."""
    row = CycleStep.objects.create(
        run=run, name=name, position=position, status=CycleRun.Status.RUNNING, started_at=day.actor.now
    )
    begin = time.perf_counter()
    try:
        row.count = _STEP_FUNCTIONS[name](day)
    except Exception:
        row.status = CycleRun.Status.FAILED
        row.save()
        raise
    row.seconds = round(time.perf_counter() - begin, 3)
    row.status = CycleRun.Status.DONE
    row.save()
    logger.info("cycle %s: %s, %d, %.2f s", day.as_of, name, row.count, row.seconds)
    return {"name": name, "count": row.count, "seconds": row.seconds}


def _check_freshness(day: _CycleDay) -> int:
    """Keep the portfolios whose data are too old out of the plan; return how many portfolios were checked."""
    disabled = day.policies.disabled
    worked = {pk: policy for pk, policy in day.policies.by_portfolio.items() if pk not in disabled}
    stale = alarms.check_freshness(policies=worked, as_of=day.as_of, actor=day.actor)
    day.contactable = day.policies.followed - stale
    return len(day.policies.portfolio_ids)


def _take_snapshot(day: _CycleDay) -> int:
    """Read the facts of the day, store them as its snapshot and load them into DuckDB; return how many accounts."""
    # Before anything is read: a fact that is recorded meanwhile must look newer than the snapshot.
    day.snapshot_entry_id = latest_entry_id()
    day.carried = snapshot.read_carried_contacts(day.scope, as_of=day.as_of)
    readers = fact_readers(
        day.scope,
        as_of=day.as_of,
        contactable=day.contactable,
        columns=day.policies.columns_read,
        company_rules=day.policies.company_rules,
    )
    files = write_snapshot(readers, as_of=day.as_of)
    day.small_tables = small_tables(
        {"debtors": parquet.read_table(files["debtors"], columns=PLACE_COLUMNS)}, policies=day.policies, as_of=day.as_of
    )
    day.accounts = int(parquet.read_metadata(files["accounts"]).num_rows)
    engine.allow_memory(day.duck, rows=day.accounts)
    # The statements of the day shape `accounts` from it.
    files["raw_accounts"] = files.pop("accounts")
    engine.register_files(day.duck, files)
    return day.accounts


def _classify_accounts(day: _CycleDay) -> int:
    """Store bucket, stage and segment of every account in the table `classified`; return how many accounts."""
    prepare_day(day.duck, statements=day.statements, as_of=day.as_of)
    engine.run_statements(day.duck, day.statements.classify)
    return engine.count_rows(day.duck, "classified")


def _write_portfolio(day: _CycleDay) -> int:
    """Write the arrears portfolio of the day (Cartera de Mora) with its indicators beside the snapshot."""
    return day_kpis.write_arrears_portfolio(day.duck, classified=day.statements.classified, path=_portfolio_file(day))


def _portfolio_file(day: _CycleDay) -> Path:
    """Return where the arrears portfolio of the day is."""
    return snapshot_folder(day.as_of) / "portfolio.parquet"


def _decide_day(day: _CycleDay) -> int:
    """Decide what is due; return how many steps, tasks and changes of stage."""
    day.decisions = run_decisions(
        partial(engine.run_statements, day.duck, rows=day.accounts),
        statements=day.statements,
        fill_small_tables=lambda: engine.register_tables(day.duck, day.small_tables),
    )
    # The commit needs its memory, and what is measured afterwards stands in the arrears portfolio too.
    day.duck.close()
    return sum(day.decisions[name].num_rows for name in ("items", "tasks", "stage_changes") if name in day.decisions)


def _commit_day(day: _CycleDay) -> int:
    """Write the decisions into the product's tables; return how many account states were new or changed."""
    states = day.decisions["new_states"].num_rows + day.decisions["changed_states"].num_rows
    day.figures = commit_decisions(
        day.decisions,
        policies=day.policies,
        scope=day.scope,
        as_of=day.as_of,
        # What the plan of a day writes is the cycle's own, whoever asked for it: reactions leave it alone.
        actor=service_actor(Service.CYCLE, now=day.actor.now),
        snapshot_entry_id=day.snapshot_entry_id,
        carried=day.carried,
    )
    return states


def _plan_campaigns(day: _CycleDay) -> int:
    """Plan the day of the running campaigns; return how many contacts."""
    return plan_running_campaigns(as_of=day.as_of, actor=day.actor)


def _write_kpis(day: _CycleDay) -> int:
    """Write the day's KPIs and check the data for alarms; return how many rows."""
    with engine.open_duckdb() as duck:
        engine.register_files(duck, {"classified": _portfolio_file(day)})
        count = day_kpis.write_kpis(duck, classified=day.statements.classified, as_of=day.as_of)
    worked_ids = [pk for pk in day.policies.portfolio_ids if pk not in day.policies.disabled]
    alarms.check_data(portfolio_ids=worked_ids, actor=day.actor)
    return count


_STEP_FUNCTIONS: dict[str, Callable[[_CycleDay], int]] = {
    "freshness": _check_freshness,
    "snapshot": _take_snapshot,
    "classify": _classify_accounts,
    "score": _write_portfolio,
    "decide": _decide_day,
    "commit": _commit_day,
    "campaigns": _plan_campaigns,
    "measure": _write_kpis,
}
