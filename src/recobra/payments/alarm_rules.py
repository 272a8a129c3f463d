"""Alarms about payments; `recobra.strategy.alarms` raises and clears them."""

from django.utils.translation import gettext_noop

from recobra.kit.alarm_rule import PortfolioAlarm, Severity

from .models import Payment

ALARMS = (
    PortfolioAlarm(
        code="unapplied",
        text=gettext_noop("There are payments with an amount that could not be applied."),
        severity=Severity.NOTICE,
        page="console:accounts",
        find=lambda _at: Payment.objects.filter(unapplied_minor__gt=0, reversed_at__isnull=True).values_list(
            "portfolio_id", flat=True
        ),
    ),
)
