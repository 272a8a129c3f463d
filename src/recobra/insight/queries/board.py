"""Inicio's figures: cash, ageing, today's plan, alarms and loads of the portfolios of one currency."""

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
from recobra.portfolio.models import Portfolio
from recobra.portfolio.queries import portfolios_for
from recobra.strategy.models import Alarm
from recobra_core.stages.limits import DEFAULT_BUCKETS, UNKNOWN_BUCKET

CHART_DAYS: Final = 30
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
    """One bucket of what is outstanding."""

    bucket: str
    accounts: int
    amount_minor: int


@dataclass(frozen=True, kw_only=True)
class Ageing:
    """Buckets that add up to the outstanding: what is not yet due stands in the first."""

    rows: list[AgeingRow]
    total_minor: int
    overdue_minor: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Today's contacts by what became of them, and people's work."""

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
    """Return the currency in which most accounts owe: amounts of two currencies cannot be compared."""
    sql = """SELECT portfolio_id, count(*) FROM portfolio_account
             WHERE portfolio_id = ANY(%s) AND status = 'OPEN' GROUP BY portfolio_id"""
    accounts = dict(_fetch_rows(sql, [_ids([each for portfolios in groups.values() for each in portfolios])]))
    return max(groups, key=lambda code: sum(accounts.get(each.pk, 0) for each in groups[code]))


def main_country(user: User) -> str:
    """Return the country in whose form a user reads figures of no portfolio: that of Inicio, '' without portfolios."""
    groups, key = portfolios_by_currency(user), f"main-country:{user.pk}"
    seen = {each.country for portfolios in groups.values() for each in portfolios}
    if len(seen) < 2:
        return next(iter(seen), "")
    # Every page asks, and accounts are counted to answer: an hour old will do, while it is one of theirs.
    found = str(cache.get(key, ""))
    if found not in seen:
        found = groups[main_currency(groups)][0].country
        cache.set(key, found, 3600)
    return found


def cash_received(portfolios: Sequence[Portfolio], now: datetime) -> Cash:
    """Add up payments of the last days, this week (from Monday) and this month."""
    last = max(_today(portfolio, now) for portfolio in portfolios)
    first = min(last - timedelta(days=CHART_DAYS - 1), last.replace(day=1), last - timedelta(days=last.weekday()))
    sql = """SELECT paid_date, sum(amount_minor) FROM payments_payment WHERE portfolio_id = ANY(%s)
             AND paid_date BETWEEN %s AND %s AND reversed_at IS NULL GROUP BY paid_date"""
    by_day = {day: int(total) for day, total in _fetch_rows(sql, [_ids(portfolios), first, last])}
    since = {name: sum(total for day, total in by_day.items() if day >= start) for name, start in _starts(last)}
    shown = [last - timedelta(days=back) for back in reversed(range(CHART_DAYS))]
    return Cash(**since, days=[(day, by_day.get(day, 0)) for day in shown])


def _starts(last: date) -> list[tuple[str, date]]:
    monday = last - timedelta(days=last.weekday())
    return [("today_minor", last), ("week_minor", monday), ("month_minor", last.replace(day=1))]


def ageing_by_bucket(portfolios: Sequence[Portfolio]) -> Ageing:
    """Add up the outstanding by bucket from the accounts' states; accounts no cycle has seen come from the ledger."""
    sql = """SELECT bucket, count(*), coalesce(sum(overdue_minor), 0), coalesce(sum(balance_minor - overdue_minor), 0)
             FROM strategy_accountstate WHERE portfolio_id = ANY(%s) AND balance_minor <> 0 GROUP BY bucket"""
    accounts: dict[str, int] = defaultdict(int)
    amounts: dict[str, int] = defaultdict(int)
    for bucket, count, overdue, rest in _fetch_rows(sql, [_ids(portfolios)]):
        accounts[bucket] += count
        amounts[bucket] += int(overdue)
        # Without a due date nothing can be called «not yet due».
        amounts[bucket if bucket == UNKNOWN_BUCKET else NOT_DUE] += int(rest)
    accounts[NOT_CLASSIFIED], amounts[NOT_CLASSIFIED] = _not_classified(portfolios)
    known = [bucket.key for bucket in DEFAULT_BUCKETS]
    order = [*known, *sorted(set(amounts) - {*known, NOT_CLASSIFIED}), NOT_CLASSIFIED]
    rows = [AgeingRow(bucket=key, accounts=accounts[key], amount_minor=amounts[key]) for key in order]
    shown = [row for row in rows if row.bucket in known or row.amount_minor or row.accounts]
    late = sum(row.amount_minor for row in shown if row.bucket not in {NOT_DUE, NOT_CLASSIFIED, UNKNOWN_BUCKET})
    return Ageing(rows=shown, total_minor=sum(row.amount_minor for row in shown), overdue_minor=late)


def _not_classified(portfolios: Sequence[Portfolio]) -> tuple[int, int]:
    sql = """SELECT count(*), coalesce(sum(owed), 0) FROM (
                 SELECT sum(p.amount_minor) AS owed FROM portfolio_account a
                 JOIN portfolio_posting p ON p.account_id = a.id
                 WHERE a.portfolio_id = ANY(%s)
                 AND NOT EXISTS (SELECT FROM strategy_accountstate s WHERE s.account_id = a.id)
                 GROUP BY a.id HAVING sum(p.amount_minor) <> 0) fresh"""
    ((count, owed),) = _fetch_rows(sql, [_ids(portfolios)])
    return count, int(owed)


def plan_of_today(portfolios: Sequence[Portfolio], now: datetime) -> Plan:
    """Count today's contacts and tasks, each portfolio by its own calendar day."""
    days = [_today(portfolio, now) for portfolio in portfolios]
    pairs = [_ids(portfolios), days]
    contacts = dict(
        _fetch_rows(
            """SELECT c.status, count(*) FROM messaging_contact c
               JOIN unnest(%s::bigint[], %s::date[]) AS here(portfolio_id, day)
                 ON c.portfolio_id = here.portfolio_id AND c.planned_for = here.day GROUP BY c.status""",
            pairs,
        )
    )
    ((open_now, late),) = _fetch_rows(
        """SELECT count(*), count(*) FILTER (WHERE t.due_date < here.day) FROM workbench_task t
           JOIN unnest(%s::bigint[], %s::date[]) AS here(portfolio_id, day) ON t.portfolio_id = here.portfolio_id
           WHERE t.status = 'OPEN' AND t.due_date <= here.day""",
        pairs,
    )
    starts = [datetime.combine(_today(each, now), datetime.min.time(), ZoneInfo(each.time_zone)) for each in portfolios]
    ((done,),) = _fetch_rows(
        """SELECT count(*) FROM workbench_task t
           JOIN unnest(%s::bigint[], %s::timestamptz[]) AS here(portfolio_id, start)
             ON t.portfolio_id = here.portfolio_id AND t.closed_at >= here.start AND t.status = 'DONE'""",
        [_ids(portfolios), starts],
    )
    return Plan(
        contacts=sum(contacts.values()),
        due=contacts.get("DUE", 0) + contacts.get("LEASED", 0),
        **{name.lower(): contacts.get(name, 0) for name in ("SENT", "BLOCKED", "CANCELLED", "FAILED", "UNCERTAIN")},
        tasks_open=open_now,
        tasks_late=late,
        tasks_done=done,
    )


def alarms_for(user: User) -> list[Alarm]:
    """Return the open alarms of the user's portfolios; those of the installation go to who sees all of it."""
    seen = Q(portfolio__in=portfolios_for(user))
    if portfolio_codes(user) is None:
        seen |= Q(portfolio__isnull=True)
    return list(Alarm.objects.filter(seen, cleared_at__isnull=True).select_related("portfolio"))


def latest_loads(user: User, limit: int = 6) -> list[Load]:
    """Return the newest loads of the user's portfolios."""
    return list(Load.objects.filter(portfolio__in=portfolios_for(user)).select_related("portfolio")[:limit])


def _today(portfolio: Portfolio, now: datetime) -> date:
    return now.astimezone(ZoneInfo(portfolio.time_zone)).date()


def _ids(portfolios: Sequence[Portfolio]) -> list[int]:
    return [portfolio.pk for portfolio in portfolios]


def _fetch_rows(sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
