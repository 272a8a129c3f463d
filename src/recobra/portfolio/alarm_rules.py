"""Alarms about creditors; `recobra.strategy.alarms` raises and clears them."""

from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext_noop

from recobra.journal.queries import audit_entries
from recobra.kit.alarm_rule import InstallationAlarm, Severity

WATCHED_FOR: Final = timedelta(days=3)
_KIND: Final = "creditor.payment_instructions_changed"


def _has_new_instructions(at: datetime) -> bool:
    """Tell if messages have said another way to pay for less than three days."""
    return bool(audit_entries(portfolio_ids=None, kinds=(_KIND,), since=at - WATCHED_FOR, limit=1))


ALARMS = (
    InstallationAlarm(
        code="payment_instructions_changed",
        text=gettext_noop(
            "Where debtors pay was changed in the last three days: check with the creditor that it is so."
        ),
        severity=Severity.NOTICE,
        page="console:audit",
        page_query=f"hecho={_KIND}",
        has_cause=_has_new_instructions,
    ),
)
