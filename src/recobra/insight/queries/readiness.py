"""What an account lacks before it can be worked by the machine, and debts that are about to be prescribed.

An account is ready with a valid identity document of its debtor, a contract, a way to reach the debtor and a due date.
A contract is asked for only where a mapping of the portfolio says which column holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.core.cache import cache
from django.db import connection

from recobra.portfolio.models import Portfolio
from recobra_core.law.limitation import NEAR_DAYS, due_days_near_limitation, prescribed_on

# The portfolios of which a mapping, in its newest version, says where the contract stands; read once for all accounts.
_WITH_CONTRACTS: Final = """SELECT newest.portfolio_id FROM (
        SELECT DISTINCT ON (portfolio_id, name) portfolio_id, document
        FROM intake_mapping ORDER BY portfolio_id, name, version DESC
    ) newest WHERE newest.document #> '{account,contract}' IS NOT NULL"""
COUNTS_CACHE_SECONDS: Final = 300
LACKS: Final = {
    "document": (
        "EXISTS (SELECT FROM portfolio_debtor lacking WHERE lacking.id = a.debtor_id "
        "AND (lacking.national_id = '' OR lacking.national_id_valid = false))"
    ),
    "contract": f"(a.contract = '' AND a.portfolio_id IN ({_WITH_CONTRACTS}))",
    "contact": (
        "NOT EXISTS (SELECT FROM portfolio_contactpoint point WHERE point.debtor_id = a.debtor_id "
        "AND point.valid AND point.retired_at IS NULL)"
    ),
    "due_date": (
        "NOT EXISTS (SELECT FROM portfolio_instalment dated WHERE dated.account_id = a.id "
        "AND dated.due_date IS NOT NULL)"
    ),
}
"""What an account may lack, and the SQL that says so of an account `a`."""
ANY: Final = "any"
NOTHING: Final = "nothing"
# The oldest day on which an account that no cycle has classified owes something.
OLDEST_DUE: Final = """(SELECT min(dated.due_date) FROM portfolio_instalment dated WHERE dated.account_id = a.id
    AND (SELECT sum(amount_minor) FROM portfolio_posting WHERE account_id = a.id AND instalment_id = dated.id) > 0)"""


def lack_condition(lack: str) -> str:
    """Return SQL for the open accounts `a` that lack one of LACKS, ANY of them or NOTHING."""
    lacks_any = f"({' OR '.join(LACKS.values())})"
    condition = {ANY: lacks_any, NOTHING: f"NOT {lacks_any}"}.get(lack) or LACKS[lack]
    return f"a.status = 'OPEN' AND {condition}"


def lacks_of(account_ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """Return what each account lacks, in the order of LACKS."""
    columns = ", ".join(LACKS.values())
    rows = _fetch_rows(f"SELECT a.id, {columns} FROM portfolio_account a WHERE a.id = ANY(%s)", [list(account_ids)])
    return {
        account_id: tuple(lack for lack, is_lacking in zip(LACKS, lacking, strict=True) if is_lacking)
        for account_id, *lacking in rows
    }


def near_limitation(portfolio: Portfolio, oldest_due_date: date | None, *, today: date) -> date | None:
    """Return the day on which the oldest debt of an account is prescribed if that is near or past, else None."""
    if oldest_due_date is None:
        return None
    day = prescribed_on(portfolio.country, due=oldest_due_date, day=today)
    return day if day is not None and (day - today).days <= NEAR_DAYS else None


def near_due_days(portfolio: Portfolio, now: datetime) -> tuple[date, date] | None:
    """Return the due dates, later than the first and up to the second, of debts prescribed within NEAR_DAYS.

    None where the law of the country names no years.
    """
    return due_days_near_limitation(portfolio.country, day=portfolio.local_day(now))


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """The open accounts of a portfolio: all, those that lack something by what, those ready, those near prescription.

    `near_limitation` is None where the law of the country names no years. `has_contracts`: whether a contract is asked
    for at all.
    """

    portfolio: Portfolio
    accounts: int
    lacking: dict[str, int]
    ready: int
    near_limitation: int | None
    has_contracts: bool


def count_readiness(portfolios: Sequence[Portfolio], now: datetime) -> list[Readiness]:
    """Return the figures of each portfolio, as of some minutes ago: a million accounts take seconds to count."""
    found = []
    with_contracts = {portfolio_id for (portfolio_id,) in _fetch_rows(_WITH_CONTRACTS, [])}
    for portfolio in portfolios:
        key = f"readiness:{portfolio.pk}:{portfolio.local_day(now)}"
        figures = cache.get(key)
        if figures is None:
            figures = _count(portfolio, now)
            cache.set(key, figures, COUNTS_CACHE_SECONDS)
        accounts, ready, near, *lacking = figures
        found.append(
            Readiness(
                portfolio=portfolio,
                accounts=accounts,
                lacking=dict(zip(LACKS, lacking, strict=True)),
                ready=ready,
                near_limitation=near,
                has_contracts=portfolio.pk in with_contracts,
            )
        )
    return found


def _count(portfolio: Portfolio, now: datetime) -> list[int | None]:
    """Return accounts, ready ones, those near prescription, and those that lack each of LACKS."""
    window = near_due_days(portfolio, now)
    after, until = window or (None, None)
    lacking = ", ".join(f"count(*) FILTER (WHERE {lack})" for lack in LACKS)
    columns = ", ".join(f"{condition} AS {lack}" for lack, condition in LACKS.items())
    (figures,) = _fetch_rows(
        f"""
        WITH a AS (
            SELECT id, portfolio_id, debtor_id, contract FROM portfolio_account
            WHERE portfolio_id = %s AND status = 'OPEN'
        ),
        judged AS (
            SELECT {columns}, coalesce(state.oldest_due_date, CASE WHEN state.account_id IS NULL THEN {OLDEST_DUE} END)
                AS oldest
            FROM a LEFT JOIN strategy_accountstate state ON state.account_id = a.id
        )
        SELECT count(*), count(*) FILTER (WHERE NOT ({" OR ".join(LACKS)})),
            count(*) FILTER (WHERE oldest > %s AND oldest <= %s), {lacking}
        FROM judged
        """,
        [portfolio.pk, after, until],
    )
    accounts, ready, near, *rest = figures
    return [accounts, ready, near if window else None, *rest]


def _fetch_rows(sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
