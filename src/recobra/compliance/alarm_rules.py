"""Alarms about what compliance hands out; `recobra.strategy.alarms` raises and clears them."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from recobra.kit.alarm_rule import InstallationAlarm, Severity

from .seal_ways import way_states


def _has_undelivered_seal(at: datetime) -> bool:
    """Tell if a way out of the house has failed since before an instant."""
    deliveries = [state.last for state in way_states() if state.last is not None]
    return any(delivery.sent_at is None and delivery.begun_at < at for delivery in deliveries)


ALARMS = (
    InstallationAlarm(
        code="undelivered_seal",
        text=gettext_noop("The journal's seal of the day could not be sent out of the house."),
        severity=Severity.NOTICE,
        page="console:audit",
        lasting=timedelta(minutes=30),
        has_cause=_has_undelivered_seal,
    ),
)
