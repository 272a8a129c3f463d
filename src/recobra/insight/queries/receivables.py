"""List of accounts: search, filters, order and pages that stay fast over a million rows.

Each portfolio is read along its own index (portfolio, overdue) and the heads are merged; nothing is ever counted
beyond `COUNT_LIMIT`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from django.core.cache import cache
from django.db import connection

from recobra.access.queries import User
from recobra.portfolio import queries as portfolio_queries
from recobra.portfolio.models import Portfolio

PAGE_SIZE = 50
EXPORT_SIZE = 2000
COUNT_LIMIT = 1000
_NEVER: Final = date(9999, 12, 31)
_BIGINT: Final = 2**63
# sort key -> (SQL over the state `s`, type of the cursor's value, descending)
SORTS: Final = {
    "overdue": ("s.overdue_minor", "bigint", True),
    "balance": ("s.balance_minor", "bigint", True),
    "oldest": (f"coalesce(s.oldest_due_date, '{_NEVER}')", "date", False),
    "recent": ("coalesce(s.oldest_due_date, '0001-01-01')", "date", True),
}


@dataclass(frozen=True, kw_only=True)
class AccountFilters:
    """Filters and order of the list; empty text and None mean no filter. Amounts are overdue, in major units."""

    text: str = ""
    portfolio: str = ""
    bucket: str = ""
    stage: str = ""
    segment: str = ""
    status: str = ""
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    sort: str = "overdue"
    after: str = ""

    @property
    def needs_state(self) -> bool:
        """Tell if only an account that a cycle has classified can pass a filter."""
        return bool(self.bucket or self.stage or self.segment) or self.at_least is not None or self.at_most is not None


@dataclass(frozen=True, kw_only=True)
class AccountRow:
    """One account of the list. `overdue_days` is None while the account has not been classified."""

    account_id: int
    number: str
    debtor_id: int
    debtor_name: str
    portfolio: Portfolio
    product: str
    status: str
    balance_minor: int
    overdue_minor: int | None
    overdue_days: int | None
    bucket: str
    stage: str
    segment: str


@dataclass(frozen=True, kw_only=True)
class AccountPage:
    """Rows, the cursor of the next page ('' on the last) and how many there are, up to COUNT_LIMIT."""

    rows: list[AccountRow]
    following: str
    count: int
    more_than_counted: bool


@dataclass(frozen=True)
class _Query:
    portfolios: list[Portfolio]
    filters: AccountFilters
    ids: list[int] | None


def accounts_page(user: User, filters: AccountFilters, now: datetime, size: int = PAGE_SIZE) -> AccountPage:
    """Return one page of the accounts that pass the filters."""
    query = _prepare_query(user, filters)
    if not query.portfolios or query.ids == []:
        return AccountPage(rows=[], following="", count=0, more_than_counted=False)
    rows, following = _read_part(query, now, size)
    count = _count_accounts(query)
    return AccountPage(
        rows=rows, following=following, count=min(count, COUNT_LIMIT), more_than_counted=count > COUNT_LIMIT
    )


def _read_part(query: _Query, now: datetime, size: int) -> tuple[list[AccountRow], str]:
    """Return the rows after the query's cursor, and the cursor of those that follow ('' on the last)."""
    # One more than a page, to know whether another follows. Accounts that no cycle has seen come last.
    raw = _read_classified(query, size + 1) if not query.filters.after.startswith("new:") else []
    if len(raw) <= size and not query.filters.needs_state:
        raw += _read_unclassified(query, size + 1 - len(raw))
    return _account_rows(raw[:size], query.portfolios, now), raw[size - 1]["cursor"] if len(raw) > size else ""


def valid_cursor(text: str, sort: str) -> str:
    """Return a cursor from a request if it fits the order, else '' (the first page)."""
    # It comes from an address that anybody can change, and its type must be right for SQL.
    key, _colon, last = text.rpartition(":")
    kind = SORTS[sort][1]
    try:
        fits = key == "new" or bool(date.fromisoformat(key) if kind == "date" else abs(int(key)) < _BIGINT)
        return text if fits and 0 <= int(last) < _BIGINT else ""
    except ValueError:
        return ""


def all_accounts(user: User, filters: AccountFilters, now: datetime, size: int = EXPORT_SIZE) -> Iterator[AccountRow]:
    """Yield all accounts that pass the filters, for an export: searched once, never counted."""
    query = _prepare_query(user, replace(filters, after=""))
    if not query.portfolios or query.ids == []:
        return
    while True:
        rows, following = _read_part(query, now, size)
        yield from rows
        if not following:
            return
        query = replace(query, filters=replace(query.filters, after=following))


def segments_in_use(user: User) -> list[str]:
    """Return the segments in use in the user's portfolios, as of a minute ago."""
    ids = [portfolio.pk for portfolio in portfolio_queries.portfolios_for(user)]
    # DISTINCT reads every row of the portfolios, which is why the answer is kept for a minute.
    sql = "SELECT DISTINCT segment FROM strategy_accountstate WHERE portfolio_id = ANY(%s) AND segment <> '' ORDER BY 1"

    def read() -> list[str]:
        return [row["segment"] for row in _fetch_dicts(sql, [ids])]

    return list(cache.get_or_set(f"segments:{sorted(ids)}".replace(" ", ""), read, 60) or [])


def _prepare_query(user: User, filters: AccountFilters) -> _Query:
    portfolios = [
        portfolio
        for portfolio in portfolio_queries.portfolios_for(user)
        if not filters.portfolio or portfolio.code == filters.portfolio
    ]
    ids = portfolio_queries.search_accounts(user, filters.text) if filters.text.strip() else None
    return _Query(portfolios, filters, ids)


def _read_classified(query: _Query, limit: int) -> list[dict[str, Any]]:
    """Return the first classified accounts: the head of each portfolio in the chosen order, merged."""
    key, kind, descending = SORTS[query.filters.sort]
    order = "DESC" if descending else "ASC"
    parts, values = [], []
    for portfolio in query.portfolios:
        where, own = _classified_condition(query, portfolio)
        if query.filters.after:
            # A row comparison goes on along the index; OFFSET would read all pages before.
            last_key, last_id = query.filters.after.rsplit(":", 1)
            where += f" AND ({key}, s.account_id) {'<' if descending else '>'} (%s::{kind}, %s)"
            own += [last_key, int(last_id)]
        parts.append(
            f"(SELECT s.*, {key} AS key FROM {_tables_to_read(query)} WHERE {where}"
            f" ORDER BY {key} {order}, s.account_id {order} LIMIT %s)"
        )
        values += [*own, limit]
    return _fetch_dicts(
        f"SELECT s.account_id, a.external_id AS number, a.debtor_id, d.name AS debtor_name, a.portfolio_id, a.product,"
        f" a.status, s.balance_minor, s.overdue_minor, s.oldest_due_date, s.bucket, s.stage, s.segment,"
        f" s.key::text || ':' || s.account_id AS cursor"
        f" FROM ({' UNION ALL '.join(parts)}) s JOIN portfolio_account a ON a.id = s.account_id"
        f" JOIN portfolio_debtor d ON d.id = a.debtor_id ORDER BY s.key {order}, s.account_id {order} LIMIT %s",
        [*values, limit],
    )


def _read_unclassified(query: _Query, limit: int) -> list[dict[str, Any]]:
    """Return accounts that no cycle has seen yet: they come last, by id, with the balance of their ledger."""
    where, values = _unclassified_condition(query)
    after = query.filters.after
    last = int(after.removeprefix("new:")) if after.startswith("new:") else 0
    rows = _fetch_dicts(
        f"SELECT a.id AS account_id, a.external_id AS number, a.debtor_id, d.name AS debtor_name, a.portfolio_id,"
        f" a.product, a.status, NULL AS overdue_minor, NULL AS oldest_due_date, '' AS bucket, '' AS stage,"
        f" '' AS segment, 'new:' || a.id AS cursor FROM portfolio_account a"
        f" JOIN portfolio_debtor d ON d.id = a.debtor_id WHERE {where} AND a.id > %s ORDER BY a.id LIMIT %s",
        [*values, last, limit],
    )
    balances = portfolio_queries.sum_balances(row["account_id"] for row in rows)
    return [{**row, "balance_minor": balances.get(row["account_id"], 0)} for row in rows]


def _count_accounts(query: _Query) -> int:
    """Count up to one more than COUNT_LIMIT."""
    parts, values = [], []
    for portfolio in query.portfolios:
        where, own = _classified_condition(query, portfolio)
        parts.append(f"(SELECT 1 FROM {_tables_to_read(query)} WHERE {where} LIMIT %s)")
        values += [*own, COUNT_LIMIT + 1]
    count = _fetch_count(f"SELECT count(*) FROM ({' UNION ALL '.join(parts)}) s", values)
    if count <= COUNT_LIMIT and not query.filters.needs_state:
        where, values = _unclassified_condition(query)
        body = f"SELECT 1 FROM portfolio_account a WHERE {where} LIMIT %s"
        count += _fetch_count(f"SELECT count(*) FROM ({body}) a", [*values, COUNT_LIMIT + 1])
    return count


def _tables_to_read(query: _Query) -> str:
    # Joining the account doubles the work, so only where a filter needs it.
    joined = " JOIN portfolio_account a ON a.id = s.account_id" if query.filters.status else ""
    return f"strategy_accountstate s{joined}"


def _classified_condition(query: _Query, portfolio: Portfolio) -> tuple[str, list[Any]]:
    """Return the condition of one portfolio's accounts that a cycle has classified, and its values."""
    filters, factor = query.filters, 10 ** get_currency_precision(portfolio.currency)
    tests: list[tuple[str, Any]] = [("s.portfolio_id = %s", portfolio.pk)]
    tests += [(f"s.{name} = %s", getattr(filters, name)) for name in ("bucket", "stage", "segment")]
    tests += [("a.status = %s", filters.status), ("s.account_id = ANY(%s)", query.ids)]
    tests += [("s.overdue_minor >= %s", None if filters.at_least is None else int(filters.at_least * factor))]
    tests += [("s.overdue_minor <= %s", None if filters.at_most is None else int(filters.at_most * factor))]
    active = [(test, value) for test, value in tests if value not in (None, "")]
    return " AND ".join(test for test, _value in active), [value for _test, value in active]


def _unclassified_condition(query: _Query) -> tuple[str, list[Any]]:
    where = "a.portfolio_id = ANY(%s) AND NOT EXISTS (SELECT FROM strategy_accountstate s WHERE s.account_id = a.id)"
    values: list[Any] = [[portfolio.pk for portfolio in query.portfolios]]
    if query.filters.status:
        where, values = f"{where} AND a.status = %s", [*values, query.filters.status]
    if query.ids is not None:
        where, values = f"{where} AND a.id = ANY(%s)", [*values, query.ids]
    return where, values


def _account_rows(rows: list[dict[str, Any]], portfolios: list[Portfolio], now: datetime) -> list[AccountRow]:
    by_id = {portfolio.pk: portfolio for portfolio in portfolios}
    today = {portfolio.pk: now.astimezone(ZoneInfo(portfolio.time_zone)).date() for portfolio in portfolios}
    accounts = []
    for row in rows:
        portfolio_id, due_date = row["portfolio_id"], row["oldest_due_date"]
        late_days = max((today[portfolio_id] - due_date).days, 0) if due_date else 0
        accounts.append(
            AccountRow(
                **{name: row[name] for name in row if name not in {"cursor", "oldest_due_date", "portfolio_id"}},
                portfolio=by_id[portfolio_id],
                overdue_days=late_days if row["bucket"] else None,
            )
        )
    return accounts


def _fetch_dicts(sql: str, values: list[Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _fetch_count(sql: str, values: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.fetchone()[0])
