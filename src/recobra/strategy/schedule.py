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


def cycle_starts_at(day: date) -> datetime:
    """Return the instant from which the cycle of a day is run automatically (`CYCLE_TIME`, 05:00)."""
    return datetime.combine(day, settings.CYCLE_TIME, installation_zone())


def due_day(now: datetime) -> date | None:
    """Return the day whose cycle should run now, None where none should. A run that fails is tried again."""
    day = today(now)
    if now < cycle_starts_at(day):
        return None
    # A run before the morning does not count: files of the night came after it.
    runs = CycleRun.objects.filter(as_of=day, started_at__gte=cycle_starts_at(day))
    if runs.filter(status__in=[CycleRun.Status.DONE, CycleRun.Status.RUNNING]).exists():
        return None
    failed = runs.filter(status=CycleRun.Status.FAILED, actor=ACTOR.value).count()
    return day if failed < MAX_ATTEMPTS else None


def next_run_at(now: datetime) -> datetime:
    """Return when the cycle runs next; an instant in the past means as soon as a worker is free."""
    day = today(now)
    is_today = now < cycle_starts_at(day) or due_day(now) is not None
    return cycle_starts_at(day if is_today else day + timedelta(1))
