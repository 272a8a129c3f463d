"""Alarms about the data and the providers, raised and cleared with their cause."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext_noop

from .models import Alarm

STALE = gettext_noop("The last load is older than the portfolio allows: its debtors are not contacted.")
UNAPPLIED = gettext_noop("There are payments with an amount that could not be applied.")
UNCERTAIN = gettext_noop("There are messages of which it is not known whether they arrived.")
NO_POINT = gettext_noop("There are debtors with overdue debts and no way to contact them.")
NO_DUE_DATE = gettext_noop("There are accounts without a due date: no step can fire for them.")
HELD_LOAD = gettext_noop("A load waits for confirmation.")
LATE = gettext_noop("There are messages that could not be sent on their day.")
LOST_CALLS = gettext_noop("There are calls of providers that could not be worked: what they say is not known.")
NO_PROVIDER = gettext_noop("A provider answers with failures: nothing is sent by it until it works again.")

# Each query gives the portfolios concerned; every %s becomes the instant of the check.
_PORTFOLIO_CHECKS = {
    ("unapplied", UNAPPLIED): """SELECT DISTINCT portfolio_id FROM payments_payment
        WHERE unapplied_minor > 0 AND reversed_at IS NULL""",
    ("uncertain", UNCERTAIN): "SELECT DISTINCT portfolio_id FROM messaging_contact WHERE status = 'UNCERTAIN'",
    ("no_contact_point", NO_POINT): """SELECT DISTINCT s.portfolio_id FROM strategy_accountstate s
        WHERE s.overdue_minor > 0 AND NOT EXISTS (SELECT FROM portfolio_contactpoint c
            WHERE c.debtor_id = s.debtor_id AND c.valid AND c.retired_at IS NULL)""",
    ("no_due_date", NO_DUE_DATE): """SELECT DISTINCT portfolio_id FROM strategy_accountstate
        WHERE bucket = 'unknown' AND balance_minor > 0""",
    ("late_messages", LATE): """SELECT DISTINCT portfolio_id FROM messaging_contact
        WHERE status = 'DUE' AND closes_at < %s AND purpose <> 'REPLY'""",
    ("held_load", HELD_LOAD): "SELECT DISTINCT portfolio_id FROM intake_load WHERE status = 'HELD'",
}
# Each query gives a row while the alarm has its cause.
_INSTALLATION_CHECKS = (
    ("lost_calls", LOST_CALLS, "SELECT FROM messaging_webhookcall WHERE status = 'FAILED' LIMIT 1"),
    (
        "no_provider",
        NO_PROVIDER,
        """SELECT FROM messaging_providerstate s JOIN messaging_provider p ON p.id = s.provider_id
            WHERE p.enabled AND s.open_until > %s LIMIT 1""",
    ),
)


@transaction.atomic
def check_freshness(*, portfolio_ids: Iterable[int], as_of: date, now: datetime) -> frozenset[int]:
    """Raise and clear the alarm of portfolios whose last load is too old for contacts; return those portfolios."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT p.id, p.freshness_days, max(l.as_of) FROM portfolio_portfolio p
               LEFT JOIN intake_load l ON l.portfolio_id = p.id AND l.status = 'DONE'
               WHERE p.id = ANY(%s) GROUP BY p.id""",
            [list(portfolio_ids)],
        )
        rows = cursor.fetchall()
    stale = frozenset(pk for pk, days, last in rows if last is None or last < as_of - timedelta(days))
    _update_alarms("stale_load", STALE, stale, now)
    return stale


@transaction.atomic
def check_providers(*, now: datetime) -> None:
    """Raise and clear the alarms of the whole installation: failed calls of providers, open circuits."""
    for kind, text, query in _INSTALLATION_CHECKS:
        with connection.cursor() as cursor:
            cursor.execute(query, [now] * query.count("%s"))
            has_cause = cursor.fetchone() is not None
        open_alarms = Alarm.objects.filter(kind=kind, portfolio__isnull=True, cleared_at__isnull=True)
        if not has_cause:
            open_alarms.update(cleared_at=now)
        elif not open_alarms.exists():
            Alarm.objects.create(kind=kind, text=text, raised_at=now)


@transaction.atomic
def check_data(*, portfolio_ids: Iterable[int], now: datetime) -> None:
    """Raise and clear the alarms of portfolios: gaps in the data, and what waits for a person."""
    checked_ids = frozenset(portfolio_ids)
    for (kind, text), query in _PORTFOLIO_CHECKS.items():
        with connection.cursor() as cursor:
            cursor.execute(query, [now] * query.count("%s"))
            _update_alarms(kind, text, frozenset(pk for (pk,) in cursor.fetchall()) & checked_ids, now)


def _update_alarms(kind: str, text: str, portfolio_ids: frozenset[int], now: datetime) -> None:
    """Leave exactly these portfolios with an open alarm of a kind; one that is open already keeps its day."""
    open_alarms = Alarm.objects.filter(kind=kind, cleared_at__isnull=True)
    open_alarms.exclude(portfolio_id__in=portfolio_ids).update(cleared_at=now)
    alarmed_ids = set(open_alarms.values_list("portfolio_id", flat=True))
    Alarm.objects.bulk_create(
        Alarm(portfolio_id=pk, kind=kind, text=text, raised_at=now) for pk in sorted(portfolio_ids - alarmed_ids)
    )
