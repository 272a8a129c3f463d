"""Alarms about loads; `recobra.strategy.alarms` raises and clears them."""

from django.utils.translation import gettext_noop

from recobra.kit.alarm_rule import PortfolioAlarm, Severity

from .models import Load

ALARMS = (
    PortfolioAlarm(
        code="held_load",
        text=gettext_noop("A load waits for confirmation."),
        severity=Severity.NOTICE,
        page="console:loads",
        page_query="estado=HELD",
        find=lambda _at: Load.objects.filter(status=Load.Status.HELD).values_list("portfolio_id", flat=True),
    ),
)
