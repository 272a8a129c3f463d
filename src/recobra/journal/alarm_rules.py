"""Alarms about the journal; `recobra.strategy.alarms` raises and clears them."""

from datetime import UTC, datetime, time, timedelta

from django.utils.translation import gettext_noop

from recobra.kit.alarm_rule import InstallationAlarm, Severity

from .models import Entry, Seal


def _has_unsealed_day(at: datetime) -> bool:
    """Tell if a day that had ended at an instant has facts and comes after the last seal. Days are in UTC."""
    end = datetime.combine(at.date(), time(), UTC)
    last_day = Seal.objects.order_by("-day").values_list("day", flat=True).first()
    if last_day is None:
        return Entry.objects.filter(at__lt=end).exists()
    start = datetime.combine(last_day + timedelta(days=1), time(), UTC)
    # On most days there is nothing between the two, and no row is read.
    return start < end and Entry.objects.filter(at__gte=start, at__lt=end).exists()


ALARMS = (
    InstallationAlarm(
        code="unsealed_day",
        text=gettext_noop("A finished day of the journal has no seal: until it has one, its facts cannot be proved."),
        severity=Severity.NOTICE,
        page="console:audit",
        lasting=timedelta(hours=12),  # the job of the night has its time
        has_cause=_has_unsealed_day,
    ),
)
