"""Alarms about the data and the providers, raised and cleared with their cause."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

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


class _Check(NamedTuple):
    """A kind of alarm with its text and the query that looks for its cause; %s is the instant of the check."""

    kind: str
    text: str
    query: str


# The queries return the portfolios that the alarm is about.
_PORTFOLIO_CHECKS = (
    _Check(
        "unapplied",
        UNAPPLIED,
        "SELECT DISTINCT portfolio_id FROM payments_payment WHERE unapplied_minor > 0 AND reversed_at IS NULL",
    ),
    _Check(
        "uncertain",
        UNCERTAIN,
        "SELECT DISTINCT portfolio_id FROM messaging_contact WHERE status = 'UNCERTAIN'",
    ),
    _Check(
        "no_contact_point",
        NO_POINT,
        """SELECT DISTINCT state.portfolio_id FROM strategy_accountstate state
            WHERE state.overdue_minor > 0 AND NOT EXISTS (SELECT FROM portfolio_contactpoint point
                WHERE point.debtor_id = state.debtor_id AND point.valid AND point.retired_at IS NULL)""",
    ),
    _Check(
        "no_due_date",
        NO_DUE_DATE,
        "SELECT DISTINCT portfolio_id FROM strategy_accountstate WHERE bucket = 'unknown' AND balance_minor > 0",
    ),
    _Check(
        "late_messages",
        LATE,
        """SELECT DISTINCT portfolio_id FROM messaging_contact
            WHERE status = 'DUE' AND closes_at < %s AND purpose <> 'REPLY'""",
    ),
    _Check(
        "held_load",
        HELD_LOAD,
        "SELECT DISTINCT portfolio_id FROM intake_load WHERE status = 'HELD'",
    ),
)
# The queries return a row while the alarm has its cause.
_INSTALLATION_CHECKS = (
    _Check(
        "lost_calls",
        LOST_CALLS,
        "SELECT FROM messaging_webhookcall WHERE status = 'FAILED' LIMIT 1",
    ),
    _Check(
        "no_provider",
        NO_PROVIDER,
        """SELECT FROM messaging_providerstate state JOIN messaging_provider provider ON provider.id = state.provider_id
            WHERE provider.enabled AND state.open_until > %s LIMIT 1""",
    ),
)


@transaction.atomic
def check_freshness(*, portfolio_ids: Iterable[int], as_of: date, now: datetime) -> frozenset[int]:
    """Raise and clear the alarm of portfolios whose last load is too old for contacts; return those portfolios."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT portfolio.id, portfolio.freshness_days, max(load.as_of) FROM portfolio_portfolio portfolio
               LEFT JOIN intake_load load ON load.portfolio_id = portfolio.id AND load.status = 'DONE'
               WHERE portfolio.id = ANY(%s) GROUP BY portfolio.id""",
            [list(portfolio_ids)],
        )
        rows = cursor.fetchall()
    stale = frozenset(
        portfolio_id
        for portfolio_id, freshness_days, last_load in rows
        if last_load is None or last_load < as_of - timedelta(freshness_days)
    )
    _update_alarms("stale_load", STALE, stale, now)
    return stale


@transaction.atomic
def check_providers(*, now: datetime) -> None:
    """Raise and clear the alarms of the whole installation: failed calls of providers, open circuits."""
    for check in _INSTALLATION_CHECKS:
        has_cause = bool(_fetch_rows(check, now))
        open_alarms = Alarm.objects.filter(kind=check.kind, portfolio__isnull=True, cleared_at__isnull=True)
        if not has_cause:
            open_alarms.update(cleared_at=now)
        elif not open_alarms.exists():
            Alarm.objects.create(kind=check.kind, text=check.text, raised_at=now)


@transaction.atomic
def check_data(*, portfolio_ids: Iterable[int], now: datetime) -> None:
    """Raise and clear the alarms of portfolios: gaps in the data, and what waits for a person."""
    checked_ids = frozenset(portfolio_ids)
    for check in _PORTFOLIO_CHECKS:
        alarmed_ids = frozenset(portfolio_id for (portfolio_id,) in _fetch_rows(check, now))
        _update_alarms(check.kind, check.text, alarmed_ids & checked_ids, now)


def _fetch_rows(check: _Check, now: datetime) -> list[tuple[int, ...]]:
    """Run the query of a check at an instant and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(check.query, [now] * check.query.count("%s"))
        return list(cursor.fetchall())


def _update_alarms(kind: str, text: str, portfolio_ids: frozenset[int], now: datetime) -> None:
    """Leave exactly these portfolios with an open alarm of a kind; one that is open already keeps its day."""
    open_alarms = Alarm.objects.filter(kind=kind, cleared_at__isnull=True)
    open_alarms.exclude(portfolio_id__in=portfolio_ids).update(cleared_at=now)
    alarmed_ids = set(open_alarms.values_list("portfolio_id", flat=True))
    Alarm.objects.bulk_create(
        Alarm(portfolio_id=pk, kind=kind, text=text, raised_at=now) for pk in sorted(portfolio_ids - alarmed_ids)
    )
