"""Schedule of the daily cycle: each morning, in the time of the installation."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count

from recobra.access.actors import Service
from recobra.portfolio.models import Portfolio

from .models import CycleRun

ACTOR: Final = Service.SYSTEM
MAX_ATTEMPTS = 3  # failed runs after which a morning waits for a person
RETRY_AFTER: Final = timedelta(minutes=10)
"""How long after its begin a run that failed is tried again: what was out of order may have come back."""


def installation_zone() -> ZoneInfo:
    """Return the zone of the installation: `CYCLE_TIME_ZONE` of the settings, or where most portfolios are."""
    name: str = settings.CYCLE_TIME_ZONE
    if not name:
        commonest = Portfolio.objects.values("time_zone").annotate(n=Count("pk")).order_by("-n", "time_zone").first()
        name = commonest["time_zone"] if commonest else settings.TIME_ZONE
    return ZoneInfo(name)


def today(now: datetime) -> date:
    """Return the calendar day of the installation."""
    return now.astimezone(installation_zone()).date()


def has_come(day: date, now: datetime) -> bool:
    """Return whether a day has begun in the zone of the installation or of one of its portfolios."""
    zones = {ZoneInfo(name) for name in Portfolio.objects.values_list("time_zone", flat=True).distinct()}
    return any(day <= now.astimezone(zone).date() for zone in {installation_zone(), *zones})


def cycle_starts_at(day: date) -> datetime:
    """Return the instant from which the cycle of a day is run automatically (`CYCLE_TIME`, 05:00)."""
    return datetime.combine(day, settings.CYCLE_TIME, installation_zone())


def due_day(now: datetime) -> date | None:
    """Return the day whose cycle should run now, None where none should. A run that fails is tried again."""
    day = today(now)
    starts_at = _next_attempt_at(day)
    return day if starts_at is not None and starts_at <= now else None


def next_run_at(now: datetime) -> datetime:
    """Return when the cycle runs next; an instant in the past means as soon as a worker is free."""
    day = today(now)
    return _next_attempt_at(day) or cycle_starts_at(day + timedelta(1))


def _next_attempt_at(day: date) -> datetime | None:
    """Return when a day's cycle should be run, None where it runs, is done, given up or taken back."""
    starts_at = cycle_starts_at(day)
    # A run before the morning does not count: files of the night came after it.
    runs = CycleRun.objects.filter(as_of=day, started_at__gte=starts_at)
    # A day that was taken back waits for a person, or the same plan would be back within a minute.
    settled = [CycleRun.Status.DONE, CycleRun.Status.RUNNING, CycleRun.Status.UNDONE]
    if runs.filter(status__in=settled).exists():
        return None
    failed = runs.filter(status=CycleRun.Status.FAILED, actor=ACTOR.value).order_by("started_at")
    begins = list(failed.values_list("started_at", flat=True))
    if len(begins) >= MAX_ATTEMPTS:
        return None
    return begins[-1] + RETRY_AFTER if begins else starts_at
