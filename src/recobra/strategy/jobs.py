"""Jobs of the daily cycle: the one a person requests, the one of each morning, and the search for fallback channels."""

from __future__ import annotations

import logging
from datetime import date, timedelta
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from recobra.access.actors import Actor, Service, deputy, service_actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.kit import clock
from recobra.kit.job_retries import RetryUnfinished

from . import queries, schedule
from .alarms import check_installation
from .operations import (
    CycleRefused,
    DiskFull,
    describe_planned_day,
    fail_interrupted_runs,
    plan_fallback_channels,
    run_cycle,
    take_back_day,
    warm_up,
)

CYCLE_TASK = "cycle.run"
TAKE_BACK_TASK = "cycle.take_back"
# One lock for all jobs: a cycle and a search for fallback channels would plan for the same debtors.
CYCLE_LOCK = "cycle"
WARM_UP_BEFORE: Final = timedelta(minutes=10)
"""How long before its hour the worker makes ready what the cycle would otherwise wait for."""


_RETRY_SECONDS: Final = 60
logger = logging.getLogger(__name__)


def _waits_for_disk(error: BaseException) -> bool:
    """Tell if a cycle only has to wait until there is room on the disk."""
    return isinstance(error, DiskFull)


_RETRY: Final = RetryUnfinished(seconds=_RETRY_SECONDS, waits=_waits_for_disk)


@app.task(name=CYCLE_TASK, lock=CYCLE_LOCK, queueing_lock=CYCLE_LOCK, retry=_RETRY)
def run_requested_cycle(as_of: str, actor: str, actor_id: int | None = None) -> None:
    """Run the cycle of a day for the person who requested it."""
    run_cycle(
        as_of=date.fromisoformat(as_of), actor=deputy(Service.CYCLE, name=actor, user_id=actor_id, now=clock.now())
    )


@app.task(name=TAKE_BACK_TASK, lock=CYCLE_LOCK, queueing_lock=CYCLE_LOCK, retry=_RETRY)
def take_back_requested_day(as_of: str, actor: str, actor_id: int | None = None) -> None:
    """Take the plan of a day back for the person who requested it."""
    take_back_day(
        as_of=date.fromisoformat(as_of), actor=deputy(Service.CYCLE, name=actor, user_id=actor_id, now=clock.now())
    )


@app.periodic(cron="* * * * *")
@app.task(name="cycle.morning", lock=CYCLE_LOCK, queueing_lock="cycle.morning")
def run_morning_cycle(timestamp: int) -> None:  # noqa: ARG001 - the queue says which tick this is; late ticks look at now
    """Run the cycle of today once the morning has come; make ready for it shortly before."""
    # Every minute instead of once at five: the hour may be any, and a morning on which no worker ran is caught up.
    now = clock.now()
    actor = service_actor(schedule.ACTOR, now=now)
    fail_interrupted_runs(actor=actor)
    day = schedule.due_day(now)
    if day is not None:
        try:
            run_cycle(as_of=day, actor=actor)
        except DiskFull as refusal:  # the next tick tries again
            logger.warning("the cycle of %s waits: %s", day, refusal)
        return
    next_at = schedule.next_run_at(now)
    if next_at - now <= WARM_UP_BEFORE:
        warm_up(as_of=schedule.today(next_at))


@app.periodic(cron="*/2 * * * *")
@app.task(name="contact.another_way", lock=CYCLE_LOCK, queueing_lock="contact.another_way")
def try_fallback_channels(timestamp: int) -> None:  # noqa: ARG001 - as above
    """Plan the next channel for messages that could not be delivered, and look for alarms of the installation."""
    now = clock.now()
    actor = service_actor(schedule.ACTOR, now=now)
    plan_fallback_channels(as_of=schedule.today(now), actor=actor)
    check_installation(actor=actor)


@requires(Right.RUN_CYCLE)
@transaction.atomic
def request_cycle(*, as_of: date, actor: Actor) -> None:
    """Queue the cycle of a day. Raises CycleRefused where it could not run or is queued already."""
    if not schedule.has_come(as_of, actor.now):
        raise CycleRefused(_("A day that has not come cannot be planned."))
    latest = queries.latest_day()
    if latest is not None and as_of < latest:
        raise CycleRefused(_("The cycle of a later day has run; an earlier day is not planned again."))
    if queries.is_cycle_queued():
        raise CycleRefused(_("The cycle is waiting or running already."))
    try:
        with transaction.atomic():
            run_requested_cycle.defer(as_of=as_of.isoformat(), actor=actor.name, actor_id=actor.user_id)
    except AlreadyEnqueued as error:  # somebody else was faster
        raise CycleRefused(_("The cycle is waiting or running already.")) from error


@requires(Right.RUN_CYCLE)
@transaction.atomic
def request_take_back(*, as_of: date, actor: Actor) -> None:
    """Queue the taking back of a day. Raises CycleRefused where it could not be or the cycle is queued already."""
    describe_planned_day(as_of=as_of)
    try:
        with transaction.atomic():
            take_back_requested_day.defer(as_of=as_of.isoformat(), actor=actor.name, actor_id=actor.user_id)
    except AlreadyEnqueued as error:
        raise CycleRefused(_("The cycle is waiting or running already.")) from error
