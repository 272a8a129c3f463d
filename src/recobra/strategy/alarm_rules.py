"""Alarms about the data that a day is decided on; `recobra.strategy.alarms` raises and clears them."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_noop

from recobra.kit.alarm_rule import PortfolioAlarm, Severity
from recobra.portfolio.models import ContactPoint, Portfolio
from recobra_core.law.limitation import due_days_near_limitation
from recobra_core.stages.limits import UNKNOWN_BUCKET

from .models import AccountState

STALE_LOAD = PortfolioAlarm(
    code="stale_load",
    text=gettext_noop("The last load is older than the portfolio allows: its debtors are not contacted."),
    severity=Severity.URGENT,
    page="console:loads",
    find=None,  # the first step of the cycle, which leaves these portfolios out
)


def _find_near_limitation(at: datetime) -> QuerySet[AccountState, int]:
    """Return the portfolios with a debt that will soon be prescribed, where the law names the years."""
    is_near = Q(pk__in=())
    for portfolio in Portfolio.objects.all():
        due_days = due_days_near_limitation(portfolio.country, day=portfolio.local_day(at))
        if due_days:
            is_near |= Q(
                portfolio_id=portfolio.pk, oldest_due_date__gt=due_days.after, oldest_due_date__lte=due_days.until
            )
    return AccountState.objects.filter(is_near, overdue_minor__gt=0).values_list("portfolio_id", flat=True)


ALARMS = (
    STALE_LOAD,
    PortfolioAlarm(
        code="near_limitation",
        text=gettext_noop("There are debts that will soon be prescribed."),
        severity=Severity.NOTICE,
        page="console:accounts",
        page_query="near=1&sort=oldest",
        find=_find_near_limitation,
    ),
    PortfolioAlarm(
        code="no_contact_point",
        text=gettext_noop("There are debtors with overdue debts and no way to contact them."),
        severity=Severity.NOTICE,
        page="console:accounts",
        page_query="missing=contact",
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
