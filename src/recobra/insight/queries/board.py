"""Figures of the start page: cash, ageing, today's plan, alarms and loads of the portfolios of one currency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.db import connection
from django.db.models import Q

from recobra.access.queries import User, portfolio_codes
from recobra.intake.models import Load
from recobra.kit.alarm_rule import Severity
from recobra.portfolio.models import Portfolio
from recobra.portfolio.queries import portfolios_for
from recobra.strategy.alarms import alarm_rules
from recobra.strategy.models import Alarm
from recobra_core.stages import Bucket
from recobra_core.stages.limits import DEFAULT_BUCKETS, UNKNOWN_BUCKET

CHART_DAYS: Final = 30
COUNTRY_CACHE_SECONDS: Final = 3600
NOT_CLASSIFIED: Final = "new"
NOT_DUE: Final = DEFAULT_BUCKETS[0].key


@dataclass(frozen=True, kw_only=True)
class Cash:
    """Money received and not reversed, in minor units, by the day it was paid; `days` ends today."""

    today_minor: int
    week_minor: int
    month_minor: int
    days: list[tuple[date, int]]

    @property
    def any(self) -> bool:
        """Whether anything came in on the days shown."""
        return any(amount for _day, amount in self.days)


@dataclass(frozen=True, kw_only=True)
class AgeingRow:
    """One bucket of the outstanding amount."""

    bucket: str
    accounts: int
    amount_minor: int


@dataclass(frozen=True, kw_only=True)
class Ageing:
    """Buckets that add up to the outstanding amount; the first holds what is not yet due."""

    rows: list[AgeingRow]
    total_minor: int
    overdue_minor: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Today's contacts by status, and people's tasks."""

    contacts: int
    due: int
    sent: int
    blocked: int
    cancelled: int
    failed: int
    uncertain: int
    tasks_open: int
    tasks_late: int
    tasks_done: int


def portfolios_by_currency(user: User) -> dict[str, list[Portfolio]]:
    """Return the user's portfolios by currency: amounts of two currencies are never added."""
    groups: dict[str, list[Portfolio]] = defaultdict(list)
    for portfolio in portfolios_for(user):
        groups[portfolio.currency].append(portfolio)
    return dict(groups)


def main_currency(groups: dict[str, list[Portfolio]]) -> str:
    """Return the currency with the most open accounts. Accounts are counted, for amounts cannot be compared.

    `groups` are the portfolios by currency, at least one.
    """
    sql = """SELECT portfolio_id, count(*) FROM portfolio_account
             WHERE portfolio_id = ANY(%s) AND status = 'OPEN' GROUP BY portfolio_id"""
    portfolio_ids = []
    for portfolios in groups.values():
        portfolio_ids += _ids(portfolios)
    accounts_by_portfolio = dict(_fetch_rows(sql, [portfolio_ids]))

    def count_accounts(currency: str) -> int:
        return sum(accounts_by_portfolio.get(portfolio.pk, 0) for portfolio in groups[currency])

    return max(groups, key=count_accounts)


def main_country(user: User) -> str:
    """Return the country whose format of dates and amounts suits a user, where no portfolio decides it.

    It is the country of all the user's portfolios, or a country of the main currency; '' without portfolios.
    """
    groups = portfolios_by_currency(user)
    countries = {portfolio.country for portfolios in groups.values() for portfolio in portfolios}
    if len(countries) < 2:
        return next(iter(countries), "")
    # Every page asks, and accounts are counted to answer, so the answer is kept for an hour. A user who has lost the
    # last portfolio of the cached country gets a new answer at once.
    key = f"main-country:{user.pk}"
    country = str(cache.get(key, ""))
    if country not in countries:
        country = groups[main_currency(groups)][0].country
        cache.set(key, country, COUNTRY_CACHE_SECONDS)
    return country


def cash_received(portfolios: Sequence[Portfolio], now: datetime) -> Cash:
    """Add up the payments of today, of this week (from Monday), of this month and of each day of the chart.

    Today is the latest calendar day among the portfolios' time zones.
    """
    today = max(portfolio.local_day(now) for portfolio in portfolios)
    monday = today - timedelta(days=today.weekday())
    month_start = today.replace(day=1)
    chart_start = today - timedelta(days=CHART_DAYS - 1)
    first_day = min(chart_start, month_start, monday)
    sql = """SELECT paid_date, sum(amount_minor) FROM payments_payment WHERE portfolio_id = ANY(%s)
             AND paid_date BETWEEN %s AND %s AND reversed_at IS NULL GROUP BY paid_date"""
    by_day = {day: int(total) for day, total in _fetch_rows(sql, [_ids(portfolios), first_day, today])}

    def sum_since(start: date) -> int:
        return sum(total for day, total in by_day.items() if day >= start)

    chart_days = [chart_start + timedelta(days=offset) for offset in range(CHART_DAYS)]
    return Cash(
        today_minor=sum_since(today),
        week_minor=sum_since(monday),
        month_minor=sum_since(month_start),
        days=[(day, by_day.get(day, 0)) for day in chart_days],
    )


def ageing_by_bucket(portfolios: Sequence[Portfolio], buckets: Sequence[Bucket]) -> Ageing:
    """Add up the outstanding amount by bucket; `buckets`, those of the portfolios' policies, are always there.

    An account counts in its bucket with what is overdue; what it owes later counts as not yet due. Accounts that no
    cycle has classified are read from the ledger, into a row of their own (`NOT_CLASSIFIED`).
    """
    sql = """SELECT bucket, count(*), coalesce(sum(overdue_minor), 0), coalesce(sum(balance_minor - overdue_minor), 0)
             FROM strategy_accountstate WHERE portfolio_id = ANY(%s) AND balance_minor <> 0 GROUP BY bucket"""
    accounts: dict[str, int] = defaultdict(int)
    amounts: dict[str, int] = defaultdict(int)
    for bucket, count, overdue, not_overdue in _fetch_rows(sql, [_ids(portfolios)]):
        accounts[bucket] += count
        amounts[bucket] += int(overdue)
        # Without a due date nothing can be called «not yet due».
        later_bucket = bucket if bucket == UNKNOWN_BUCKET else NOT_DUE
        amounts[later_bucket] += int(not_overdue)
    unclassified = """SELECT count(*), coalesce(sum(owed), 0) FROM (
                          SELECT sum(posting.amount_minor) AS owed FROM portfolio_account account
                          JOIN portfolio_posting posting ON posting.account_id = account.id
                          WHERE account.portfolio_id = ANY(%s)
                          AND NOT EXISTS (SELECT FROM strategy_accountstate state WHERE state.account_id = account.id)
                          GROUP BY account.id HAVING sum(posting.amount_minor) <> 0) unclassified"""
    ((count, owed),) = _fetch_rows(unclassified, [_ids(portfolios)])
    accounts[NOT_CLASSIFIED] = count
    amounts[NOT_CLASSIFIED] = int(owed)
    # What was classified by an earlier policy comes after the buckets of today.
    standard = [bucket.key for bucket in buckets]
    order = [*standard, *sorted(set(amounts) - {*standard, NOT_CLASSIFIED}), NOT_CLASSIFIED]
    rows = [AgeingRow(bucket=key, accounts=accounts[key], amount_minor=amounts[key]) for key in order]
    shown = [row for row in rows if row.bucket in standard or row.amount_minor or row.accounts]
    not_overdue_buckets = {NOT_DUE, NOT_CLASSIFIED, UNKNOWN_BUCKET}
    overdue_minor = sum(row.amount_minor for row in shown if row.bucket not in not_overdue_buckets)
    return Ageing(rows=shown, total_minor=sum(row.amount_minor for row in shown), overdue_minor=overdue_minor)


def plan_of_today(portfolios: Sequence[Portfolio], now: datetime) -> Plan:
    """Count today's contacts and tasks, where today is the calendar day of each portfolio's own time zone."""
    days = [portfolio.local_day(now) for portfolio in portfolios]
    # Two arrays that SQL reads as one table: portfolio and its day of today.
    ids_and_days = [_ids(portfolios), days]
    contacts = dict(
        _fetch_rows(
            """SELECT contact.status, count(*) FROM messaging_contact contact
               JOIN unnest(%s::bigint[], %s::date[]) AS today(portfolio_id, day)
                 ON contact.portfolio_id = today.portfolio_id AND contact.planned_for = today.day
               GROUP BY contact.status""",
            ids_and_days,
        )
    )
    ((tasks_open, tasks_late),) = _fetch_rows(
        """SELECT count(*), count(*) FILTER (WHERE task.due_date < today.day) FROM workbench_task task
           JOIN unnest(%s::bigint[], %s::date[]) AS today(portfolio_id, day) ON task.portfolio_id = today.portfolio_id
           WHERE task.status = 'OPEN' AND task.due_date <= today.day""",
        ids_and_days,
    )
    midnights = [
        datetime.combine(day, datetime.min.time(), ZoneInfo(portfolio.time_zone))
        for portfolio, day in zip(portfolios, days, strict=True)
    ]
    ((tasks_done,),) = _fetch_rows(
        """SELECT count(*) FROM workbench_task task
           JOIN unnest(%s::bigint[], %s::timestamptz[]) AS today(portfolio_id, midnight)
             ON task.portfolio_id = today.portfolio_id AND task.closed_at >= today.midnight AND task.status = 'DONE'""",
        [_ids(portfolios), midnights],
    )
    return Plan(
        contacts=sum(contacts.values()),
        due=contacts.get("DUE", 0) + contacts.get("LEASED", 0),
        sent=contacts.get("SENT", 0),
        blocked=contacts.get("BLOCKED", 0),
        cancelled=contacts.get("CANCELLED", 0),
        failed=contacts.get("FAILED", 0),
        uncertain=contacts.get("UNCERTAIN", 0),
        tasks_open=tasks_open,
        tasks_late=tasks_late,
        tasks_done=tasks_done,
    )


@dataclass(frozen=True, kw_only=True)
class OpenAlarm:
    """An alarm with what its declaration says of it; `page` is the name of a screen, '' where none is declared."""

    text: str
    portfolio: Portfolio | None
    raised_at: datetime
    is_urgent: bool
    page: str
    page_query: str


def alarms_for(user: User) -> list[OpenAlarm]:
    """Return the open alarms of the user's portfolios, the urgent first, each kind newest first.

    Users who see all portfolios also get those of the installation.
    """
    visible = Q(portfolio__in=portfolios_for(user))
    if portfolio_codes(user) is None:
        visible |= Q(portfolio__isnull=True)
    rows = Alarm.objects.filter(visible, cleared_at__isnull=True).select_related("portfolio")
    return sorted((_open_alarm(alarm) for alarm in rows), key=lambda alarm: not alarm.is_urgent)


def _open_alarm(alarm: Alarm) -> OpenAlarm:
    """Return an alarm with its declaration; one that the product does not raise any more has only its text."""
    rule = alarm_rules().get(alarm.kind)
    return OpenAlarm(
        text=alarm.text,
        portfolio=alarm.portfolio,
        raised_at=alarm.raised_at,
        is_urgent=rule is not None and rule.severity is Severity.URGENT,
        page=rule.page if rule else "",
        page_query=rule.page_query if rule else "",
    )


def latest_loads(user: User, limit: int = 6) -> list[Load]:
    """Return the newest loads of the user's portfolios."""
    return list(Load.objects.filter(portfolio__in=portfolios_for(user)).select_related("portfolio")[:limit])


def _ids(portfolios: Sequence[Portfolio]) -> list[int]:
    return [portfolio.pk for portfolio in portfolios]


def _fetch_rows(sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    """Run a query and return all of its rows, with the columns in the order of its SELECT."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
