"""Taking back of a planned day: what the cycle planned and changed is undone, and the day can be planned anew.

What has been sent stays. So an installation is healed in which somebody planned a day that had not come.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact, record_facts
from recobra.journal.sql import read_first_values
from recobra.kit import tables
from recobra.messaging import operations as messaging
from recobra.messaging.models import Contact
from recobra.portfolio import operations as portfolio
from recobra.portfolio.models import Hold
from recobra.strategy import schedule
from recobra.strategy.facts import CampaignLaunched, DayTakenBack, StageChanged
from recobra.strategy.models import Campaign, CycleRun, Firing, StateBefore
from recobra.strategy.operations import day_kpis
from recobra.strategy.operations.day_facts import snapshot_folder
from recobra.workbench import operations as workbench
from recobra.workbench.models import Task

from .commit import STATE_COLUMNS, block_decisions
from .cycle import CycleRefused, cycle_lock

_RESTORED = pa.schema(
    [
        ("account_id", pa.int64()),
        ("portfolio_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("from_stage", pa.string()),
        ("to_stage", pa.string()),
    ]
)
"""An account whose state was restored: its stage before that and after."""
_LOCKED_STATES = "SELECT account_id, portfolio_id, debtor_id, stage FROM strategy_accountstate"
_RESTORE_STATES = f"""
    WITH current AS ({_LOCKED_STATES})
    UPDATE strategy_accountstate state SET {", ".join(f"{name} = before.{name}" for name in STATE_COLUMNS)}
    FROM strategy_statebefore before JOIN current USING (account_id)
    WHERE before.as_of = %s AND state.account_id = before.account_id
    RETURNING state.account_id, state.portfolio_id, state.debtor_id, current.stage, state.stage"""
_RESTORE_STAGES = f"""
    WITH current AS ({_LOCKED_STATES})
    UPDATE strategy_accountstate state SET stage = told.stage, stage_since = coalesce(told.since, %s)
    FROM unnest(%s::bigint[], %s::text[], %s::date[]) AS told(account_id, stage, since)
    JOIN current USING (account_id)
    WHERE state.account_id = told.account_id AND told.stage IS NOT NULL
    RETURNING state.account_id, state.portfolio_id, state.debtor_id, current.stage, state.stage"""


@dataclass(frozen=True, kw_only=True)
class PlannedDay:
    """What taking a day back undoes; `sent` contacts stay as they are."""

    as_of: date
    contacts: int
    sent: int
    tasks: int
    holds: int
    campaigns: int


def describe_planned_day(*, as_of: date) -> PlannedDay:
    """Return what taking a day back would undo. Raises CycleRefused where it cannot be taken back."""
    begun = _begun_at(as_of)
    planned = Contact.objects.planned_by_cycle(as_of, begun)
    return PlannedDay(
        as_of=as_of,
        contacts=planned.filter(status__in=[Contact.Status.DUE, Contact.Status.LEASED]).count(),
        sent=planned.filter(status__in=[Contact.Status.SENT, Contact.Status.UNCERTAIN]).count(),
        tasks=Task.objects.filter(created_at__in=begun, status=Task.Status.OPEN).count(),
        holds=Hold.objects.filter(created_at__in=begun, lifted_at__isnull=True).count(),
        campaigns=_ended_campaigns(begun).count(),
    )


@requires(Right.RUN_CYCLE)
def take_back_day(*, as_of: date, actor: Actor) -> dict[str, int]:
    """Undo the plan of the latest planned day; return how many contacts, tasks, holds, states and campaigns.

    Raises CycleRefused for a day that is not the latest one whose cycle is done.
    """
    with cycle_lock():
        with transaction.atomic():
            # Nobody decides meanwhile on what is taken back.
            block_decisions()
            counts = _undo(as_of, _begun_at(as_of), actor)
        shutil.rmtree(snapshot_folder(as_of), ignore_errors=True)
    return counts


def _begun_at(as_of: date) -> list[datetime]:
    """Return when the runs of a day began, which is the instant of all they wrote. Raises CycleRefused."""
    latest = CycleRun.objects.filter(status=CycleRun.Status.DONE).order_by("-as_of").first()
    if latest is None or latest.as_of < as_of:
        raise CycleRefused(_("This day is not planned: there is nothing to take back."))
    if latest.as_of > as_of:
        raise CycleRefused(
            _("The day %(later)s was planned after it: take that one back first.") % {"later": latest.as_of}
        )
    runs = CycleRun.objects.filter(as_of=as_of, status__in=[CycleRun.Status.DONE, CycleRun.Status.FAILED])
    return list(runs.values_list("started_at", flat=True))


def _undo(as_of: date, begun: Sequence[datetime], actor: Actor) -> dict[str, int]:
    """Undo everything that the runs of a day wrote, and record it."""
    contacts = messaging.take_back_planned(as_of=as_of, planned_at=begun, actor=actor)
    task_ids = workbench.withdraw_tasks(created_at=begun, actor=actor)
    holds = portfolio.lift_planned_holds(created_at=begun, actor=actor)
    without_object = Firing.objects.filter(fired_on=as_of, contact_id__isnull=True, task_id__isnull=True)
    of_tasks = Firing.objects.filter(tables.is_any_of("task_id", task_ids))
    for firings in (without_object, of_tasks):
        firings.filter(voided_at__isnull=True).update(voided_at=actor.now)
    states = _restore_states(as_of, begun, actor)
    campaigns = _resume_campaigns(begun, actor)
    day_kpis.delete_kpis(as_of=as_of)
    CycleRun.objects.filter(as_of=as_of, status=CycleRun.Status.DONE).update(
        status=CycleRun.Status.UNDONE, finished_at=actor.now, reason=""
    )
    counts = {
        "contacts": contacts,
        "tasks": len(task_ids),
        "holds": holds,
        "states": states,
        "campaigns": campaigns,
    }
    record_fact(DayTakenBack(as_of=as_of, **counts), actor=actor)
    return counts


def _restore_states(as_of: date, begun: Sequence[datetime], actor: Actor) -> int:
    """Give accounts the states that they had before the day; return how many were restored or taken away."""
    restored = tables.fetch(_RESTORE_STATES, [as_of], _RESTORED)
    if restored.num_rows == 0:
        # Planned before states were kept: the journal has the stages; the next cycle computes the rest.
        told = read_first_values(StageChanged.kind, at=begun, name="from")
        columns = [told[name].to_pylist() for name in ("account_id", "value", "since")]
        today = schedule.today(actor.now)
        restored = tables.fetch(_RESTORE_STAGES, [today, *columns], _RESTORED)
    moved = restored.filter(pc.not_equal(restored["from_stage"], restored["to_stage"]))
    if moved.num_rows:
        record_facts(StageChanged, moved.append_column("dpd", pa.nulls(moved.num_rows, pa.int64())), actor=actor)
    # Who entered a stage on the day and had no state before is new; the next cycle makes that state again.
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM strategy_accountstate WHERE stage_since = %s AND NOT account_id = ANY(%s)",
            [as_of, restored["account_id"].to_pylist()],
        )
        new = cursor.rowcount
    StateBefore.objects.filter(as_of=as_of).delete()
    return restored.num_rows + int(new)


def _ended_campaigns(begun: Sequence[datetime]) -> QuerySet[Campaign]:
    """Return the campaigns that the runs of a day ended."""
    return Campaign.objects.filter(status=Campaign.Status.ENDED, ended_at__in=begun)


def _resume_campaigns(begun: Sequence[datetime], actor: Actor) -> int:
    """Let the campaigns run again that the day ended; return how many."""
    ended = list(_ended_campaigns(begun).select_for_update())
    for campaign in ended:
        campaign.status = Campaign.Status.RUNNING
        campaign.reason = ""
        campaign.ended_at = None
        campaign.save(update_fields=["status", "reason", "ended_at"])
        resumed = CampaignLaunched(campaign=campaign.code, resumed=True)
        record_fact(resumed, actor=actor, portfolio_id=campaign.portfolio_id)
    return len(ended)
