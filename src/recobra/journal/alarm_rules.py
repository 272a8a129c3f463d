"""Alarms about the journal; `recobra.strategy.alarms` raises and clears them."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from recobra.kit.alarm_rule import InstallationAlarm, Severity

from . import kept_seals
from .seal import has_unsealed_rows


def _has_unsealed_rows(at: datetime) -> bool:
    """Tell if rows recorded before an instant have no seal."""
    return has_unsealed_rows(before=at)


def _has_unkept_seal(at: datetime) -> bool:
    """Tell if a seal made before an instant is not in the file outside the database."""
    return kept_seals.is_behind(since=at)


ALARMS = (
    InstallationAlarm(
        code="unsealed_day",
        text=gettext_noop("Facts of the journal have no seal for hours: until they have one, they cannot be proved."),
        severity=Severity.NOTICE,
        page="console:audit",
        lasting=timedelta(hours=2),  # a long load has its time
        has_cause=_has_unsealed_rows,
    ),
    InstallationAlarm(
        code="unkept_seal",
        text=gettext_noop("The journal's seals cannot be written to their file outside the database."),
        severity=Severity.NOTICE,
        page="console:audit",
        lasting=timedelta(minutes=30),
        has_cause=_has_unkept_seal,
    ),
)
