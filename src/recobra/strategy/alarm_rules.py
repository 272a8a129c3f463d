"""Alarms about the data that a day is decided on; `recobra.strategy.alarms` raises and clears them."""

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_noop

from recobra.kit.alarm_rule import PortfolioAlarm, Severity
from recobra.portfolio.models import ContactPoint
from recobra_core.stages.limits import UNKNOWN_BUCKET

from .models import AccountState

STALE_LOAD = PortfolioAlarm(
    code="stale_load",
    text=gettext_noop("The last load is older than the portfolio allows: its debtors are not contacted."),
    severity=Severity.URGENT,
    page="console:loads",
    find=None,  # the first step of the cycle, which leaves these portfolios out
)
ALARMS = (
    STALE_LOAD,
    PortfolioAlarm(
        code="no_contact_point",
        text=gettext_noop("There are debtors with overdue debts and no way to contact them."),
        severity=Severity.NOTICE,
        page="console:accounts",
        find=lambda _at: AccountState.objects.filter(
            ~Exists(ContactPoint.objects.filter(debtor_id=OuterRef("debtor_id"), valid=True, retired_at__isnull=True)),
            overdue_minor__gt=0,
        ).values_list("portfolio_id", flat=True),
    ),
    PortfolioAlarm(
        code="no_due_date",
        text=gettext_noop("There are accounts without a due date: no step can fire for them."),
        severity=Severity.NOTICE,
        page="console:accounts",
        page_query=f"bucket={UNKNOWN_BUCKET}",
        find=lambda _at: AccountState.objects.filter(bucket=UNKNOWN_BUCKET, balance_minor__gt=0).values_list(
            "portfolio_id", flat=True
        ),
    ),
)
