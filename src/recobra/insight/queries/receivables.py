"""List of accounts: search, filters, order and pages that stay fast over a million rows.

Each portfolio is read along its own index (portfolio, overdue) and the heads are merged; nothing is ever counted
beyond `COUNT_LIMIT`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

from django.core.cache import cache
from django.db import connection

from recobra.access.queries import User
from recobra.insight.queries import readiness
from recobra.portfolio import queries as portfolio_queries
from recobra.portfolio.models import Portfolio
from recobra.portfolio.own_columns import own_columns, parse_value
from recobra_core.money import exponent_of

PAGE_SIZE = 50
EXPORT_SIZE = 2000
COUNT_LIMIT = 1000
SEGMENTS_CACHE_SECONDS = 60
_NEVER: Final = date(9999, 12, 31)
_BIGINT: Final = 2**63
_UNCLASSIFIED_CURSOR: Final = "new:"


class SortOrder(NamedTuple):
    """An order of the list: an SQL expression over the state `s`, its type in a cursor, and the direction."""

    expression: str
    sql_type: Literal["bigint", "date"]
    is_descending: bool


SORTS: Final = {
    "overdue": SortOrder("s.overdue_minor", "bigint", is_descending=True),
    "balance": SortOrder("s.balance_minor", "bigint", is_descending=True),
    # An account that is not overdue comes last in both orders by date.
    "oldest": SortOrder(f"coalesce(s.oldest_due_date, '{_NEVER}')", "date", is_descending=False),
    "recent": SortOrder("coalesce(s.oldest_due_date, '0001-01-01')", "date", is_descending=True),
}


@dataclass(frozen=True, kw_only=True)
class AccountFilters:
    """Filters and order of the list; empty text and None mean no filter. Amounts are overdue, in major units.

    `missing` is what an account lacks (`readiness.LACKS`, any of it or nothing), `near_limitation` that its oldest debt
    is prescribed within `readiness.NEAR_DAYS`; both of open accounts. `own` is the name of a column of the portfolios'
    own, `own_value` what it must hold, as it was typed; '' is any value. `account_ids` are the only
    accounts to be shown, those of the saved group `group`.
    """

    text: str = ""
    portfolio: str = ""
    bucket: str = ""
    stage: str = ""
    segment: str = ""
    status: str = ""
    missing: str = ""
    near_limitation: bool = False
    group: str = ""
    own: str = ""
    own_value: str = ""
    account_ids: tuple[int, ...] | None = None
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
    """One account of the list. `overdue_days` is None while the account has not been classified.

    `document` is the debtor's, so that a number that is the same can be masked. `missing` and `prescribed_on` are
    there where they were filtered by. `attributes` hold the values of the portfolio's own columns.
    """

    account_id: int
    number: str
    document: str
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
    missing: tuple[str, ...] = ()
    prescribed_on: date | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AccountPage:
    """Rows, the cursor of the next page ('' on the last) and how many there are, up to COUNT_LIMIT."""

    rows: list[AccountRow]
    following: str
    count: int
    more_than_counted: bool


@dataclass(frozen=True)
class _Query:
    """What to read: `ids` are the accounts that the search text found, None where nothing was searched."""

    portfolios: list[Portfolio]
    filters: AccountFilters
    ids: list[int] | None
    now: datetime


def accounts_page(user: User, filters: AccountFilters, now: datetime, size: int = PAGE_SIZE) -> AccountPage:
    """Return one page of the accounts that pass the filters, beginning after the cursor `filters.after`."""
    query = _prepare_query(user, filters, now)
    if not query.portfolios or query.ids == []:
        return AccountPage(rows=[], following="", count=0, more_than_counted=False)
    rows, following = _read_part(query, size)
    count = _count_accounts(query)
    return AccountPage(
        rows=rows, following=following, count=min(count, COUNT_LIMIT), more_than_counted=count > COUNT_LIMIT
    )


def _read_part(query: _Query, size: int) -> tuple[list[AccountRow], str]:
    """Return the rows after the query's cursor, and the cursor of those that follow ('' on the last)."""
    # One more than a page, to know whether another follows. Accounts that no cycle has classified come last.
    limit = size + 1
    rows: list[dict[str, Any]] = []
    if not query.filters.after.startswith(_UNCLASSIFIED_CURSOR):
        rows = _read_classified(query, limit)
    if len(rows) < limit and not query.filters.needs_state:
        rows += _read_unclassified(query, limit - len(rows))
    shown = rows[:size]
    following = shown[-1]["cursor"] if len(rows) > size else ""
    return _account_rows(shown, query), following


def accounts_by_id(user: User, account_ids: Sequence[int], now: datetime) -> list[AccountRow]:
    """Return some accounts of a user's portfolios, those that owe most first."""
    filters = AccountFilters(account_ids=tuple(account_ids))
    return accounts_page(user, filters, now, size=max(len(account_ids), 1)).rows


def valid_cursor(text: str, sort: str) -> str:
    """Return a cursor from a request if it fits the order, else '' (the first page).

    A cursor is `value:account id` of the last row shown, such as `150000:42`, or `new:account id` among the accounts
    that no cycle has classified.
    """
    # It comes from an address that anybody can change, and its type must be right for SQL.
    value, _colon, account_id = text.rpartition(":")
    try:
        if not 0 <= int(account_id) < _BIGINT:
            return ""
        if f"{value}:" == _UNCLASSIFIED_CURSOR:
            return text
        if SORTS[sort].sql_type == "date":
            date.fromisoformat(value)
            return text
        return text if abs(int(value)) < _BIGINT else ""
    except ValueError:
        return ""


def all_accounts(user: User, filters: AccountFilters, now: datetime, size: int = EXPORT_SIZE) -> Iterator[AccountRow]:
    """Yield all accounts that pass the filters, for an export: searched once, never counted."""
    query = _prepare_query(user, replace(filters, after=""), now)
    if not query.portfolios or query.ids == []:
        return
    while True:
        rows, following = _read_part(query, size)
        yield from rows
        if not following:
            return
        query = replace(query, filters=replace(query.filters, after=following))


def segments_in_use(user: User) -> list[str]:
    """Return the segments in use in the user's portfolios, as of a minute ago."""
    ids = [portfolio.pk for portfolio in portfolio_queries.portfolios_for(user)]
    # DISTINCT reads every row of the portfolios, which is why the answer is kept for a minute.
    sql = "SELECT DISTINCT segment FROM strategy_accountstate WHERE portfolio_id = ANY(%s) AND segment <> '' ORDER BY 1"

    def read_segments() -> list[str]:
        return [row["segment"] for row in _fetch_dicts(sql, [ids])]

    # Users with the same portfolios share an answer; a key of the cache is short, however many they are.
    key = f"segments:{hashlib.sha256(str(sorted(ids)).encode()).hexdigest()}"
    return list(cache.get_or_set(key, read_segments, SEGMENTS_CACHE_SECONDS) or [])


def _prepare_query(user: User, filters: AccountFilters, now: datetime) -> _Query:
    """Return the user's portfolios that the filters let through, and the accounts that the search text finds."""
    portfolios = [
        portfolio
        for portfolio in portfolio_queries.portfolios_for(user)
        if not filters.portfolio or portfolio.code == filters.portfolio
    ]
    if filters.near_limitation:
        # Where the law names no years, nothing is known to be near.
        portfolios = [portfolio for portfolio in portfolios if readiness.near_due_days(portfolio, now)]
    ids = portfolio_queries.search_accounts(user, filters.text) if filters.text.strip() else None
    if filters.account_ids is not None:
        wanted = set(filters.account_ids)
        ids = list(wanted if ids is None else wanted.intersection(ids))
    return _Query(portfolios, filters, ids, now)


def _read_classified(query: _Query, limit: int) -> list[dict[str, Any]]:
    """Return the first classified accounts after the cursor: the head of each portfolio, merged in the chosen order."""
    sort = SORTS[query.filters.sort]
    order = "DESC" if sort.is_descending else "ASC"
    beyond = "<" if sort.is_descending else ">"
    heads = []
    parameters: list[Any] = []
    for portfolio in query.portfolios:
        condition, condition_parameters = _classified_condition(query, portfolio)
        parameters += condition_parameters
        if query.filters.after:
            # A row comparison goes on along the index; OFFSET would read all pages before.
            last_value, last_id = query.filters.after.rsplit(":", 1)
            condition += f" AND ({sort.expression}, s.account_id) {beyond} (%s::{sort.sql_type}, %s)"
            parameters += [last_value, int(last_id)]
        heads.append(
            f"(SELECT s.*, {sort.expression} AS sort_value FROM {_tables_to_read(query)} WHERE {condition}"
            f" ORDER BY {sort.expression} {order}, s.account_id {order} LIMIT %s)"
        )
        parameters.append(limit)
    return _fetch_dicts(
        f"""SELECT head.account_id, account.external_id AS number, account.debtor_id, debtor.name AS debtor_name,
                debtor.national_id AS document,
                account.portfolio_id, account.product, account.status, head.balance_minor, head.overdue_minor,
                head.oldest_due_date, head.bucket, head.stage, head.segment, account.attributes::text AS attributes,
                head.sort_value::text || ':' || head.account_id AS cursor
            FROM ({" UNION ALL ".join(heads)}) head
            JOIN portfolio_account account ON account.id = head.account_id
            JOIN portfolio_debtor debtor ON debtor.id = account.debtor_id
            ORDER BY head.sort_value {order}, head.account_id {order} LIMIT %s""",
        [*parameters, limit],
    )


def _read_unclassified(query: _Query, limit: int) -> list[dict[str, Any]]:
    """Return the first accounts after the cursor that no cycle has classified, by id, with their ledger's balance."""
    condition, parameters = _unclassified_condition(query)
    after = query.filters.after
    last_id = 0
    if after.startswith(_UNCLASSIFIED_CURSOR):
        last_id = int(after.removeprefix(_UNCLASSIFIED_CURSOR))
    oldest = readiness.OLDEST_DUE if query.filters.near_limitation else "NULL"
    rows = _fetch_dicts(
        f"""SELECT a.id AS account_id, a.external_id AS number, a.debtor_id, debtor.name AS debtor_name,
                debtor.national_id AS document, a.portfolio_id, a.product, a.status, NULL AS overdue_minor,
                {oldest} AS oldest_due_date, '' AS bucket, '' AS stage, '' AS segment,
                a.attributes::text AS attributes,
                '{_UNCLASSIFIED_CURSOR}' || a.id AS cursor
            FROM portfolio_account a
            JOIN portfolio_debtor debtor ON debtor.id = a.debtor_id
            WHERE {condition} AND a.id > %s ORDER BY a.id LIMIT %s""",
        [*parameters, last_id, limit],
    )
    balances = portfolio_queries.sum_balances(row["account_id"] for row in rows)
    return [{**row, "balance_minor": balances.get(row["account_id"], 0)} for row in rows]


def _count_accounts(query: _Query) -> int:
    """Return how many accounts pass the filters; beyond COUNT_LIMIT the figure only tells that there are more."""
    limit = COUNT_LIMIT + 1
    parts = []
    parameters: list[Any] = []
    for portfolio in query.portfolios:
        condition, condition_parameters = _classified_condition(query, portfolio)
        parts.append(f"(SELECT 1 FROM {_tables_to_read(query)} WHERE {condition} LIMIT %s)")
        parameters += [*condition_parameters, limit]
    count = _fetch_count(f"SELECT count(*) FROM ({' UNION ALL '.join(parts)}) classified", parameters)
    if count <= COUNT_LIMIT and not query.filters.needs_state:
        condition, parameters = _unclassified_condition(query)
        unclassified = f"SELECT 1 FROM portfolio_account a WHERE {condition} LIMIT %s"
        count += _fetch_count(f"SELECT count(*) FROM ({unclassified}) unclassified", [*parameters, limit])
    return count


def _tables_to_read(query: _Query) -> str:
    """Return the FROM of classified accounts: the states as `s`, and the accounts as `a` where a filter needs them."""
    # Joining the account doubles the work, so only where a filter needs it.
    filters = query.filters
    needs_account = filters.status or filters.missing or filters.near_limitation or filters.own
    joined = " JOIN portfolio_account a ON a.id = s.account_id" if needs_account else ""
    return f"strategy_accountstate s{joined}"


def _classified_condition(query: _Query, portfolio: Portfolio) -> tuple[str, list[Any]]:
    """Return the condition for the classified accounts of one portfolio, and its parameters.

    It reads the tables of `_tables_to_read`.
    """
    filters = query.filters
    minor_units = 10 ** exponent_of(portfolio.currency)
    at_least_minor = None if filters.at_least is None else int(filters.at_least * minor_units)
    at_most_minor = None if filters.at_most is None else int(filters.at_most * minor_units)
    tests: list[tuple[str, object]] = [
        ("s.portfolio_id = %s", portfolio.pk),
        ("s.bucket = %s", filters.bucket),
        ("s.stage = %s", filters.stage),
        ("s.segment = %s", filters.segment),
        ("a.status = %s", filters.status),
        ("s.account_id = ANY(%s)", query.ids),
        ("s.overdue_minor >= %s", at_least_minor),
        ("s.overdue_minor <= %s", at_most_minor),
    ]
    conditions = []
    parameters = []
    for condition, parameter in tests:
        # None and '' are filters that are not set.
        if parameter not in (None, ""):
            conditions.append(condition)
            parameters.append(parameter)
    if filters.missing:
        conditions.append(readiness.lack_condition(filters.missing))
    if filters.near_limitation:
        conditions.append("a.status = 'OPEN' AND s.oldest_due_date > %s AND s.oldest_due_date <= %s")
        parameters += readiness.near_due_days(portfolio, query.now) or (None, None)
    if filters.own:
        condition, values = _own_condition(portfolio, filters)
        conditions.append(condition)
        parameters += values
    return " AND ".join(conditions), parameters


def _own_condition(portfolio: Portfolio, filters: AccountFilters) -> tuple[str, list[Any]]:
    """Return the condition that an account `a` of a portfolio has the wanted value in a column of its own.

    A text holds what was typed, whatever its capitals; any other value is that one. A portfolio that does not declare
    the column, or of which what was typed is no value, has none.
    """
    column = own_columns(portfolio).get(filters.own)
    if column is None or column.is_private:
        return "FALSE", []
    if not filters.own_value:
        return "(a.attributes ->> %s) IS NOT NULL", [column.name]
    if column.type == "text":
        pattern = re.sub(r"([\\%_])", r"\\\1", filters.own_value)
        return "(a.attributes ->> %s) ILIKE %s", [column.name, f"%{pattern}%"]
    value = parse_value(column, filters.own_value, portfolio)
    if value is None:
        return "FALSE", []
    return "a.attributes @> %s::jsonb", [json.dumps({column.name: value})]


def _unclassified_condition(query: _Query) -> tuple[str, list[Any]]:
    """Return the condition over accounts `a` that no cycle has classified, and its parameters."""
    conditions = [
        "a.portfolio_id = ANY(%s)",
        "NOT EXISTS (SELECT FROM strategy_accountstate s WHERE s.account_id = a.id)",
    ]
    parameters: list[Any] = [[portfolio.pk for portfolio in query.portfolios]]
    if query.filters.status:
        conditions.append("a.status = %s")
        parameters.append(query.filters.status)
    if query.ids is not None:
        conditions.append("a.id = ANY(%s)")
        parameters.append(query.ids)
    if query.filters.missing:
        conditions.append(readiness.lack_condition(query.filters.missing))
    if query.filters.near_limitation:
        near = [(portfolio.pk, readiness.near_due_days(portfolio, query.now)) for portfolio in query.portfolios]
        oldest = readiness.OLDEST_DUE
        each = f"(a.portfolio_id = %s AND {oldest} > %s AND {oldest} <= %s)"
        conditions.append(f"a.status = 'OPEN' AND ({' OR '.join([each] * len(near))})")
        for portfolio_id, due_days in near:
            parameters += [portfolio_id, *(due_days or (None, None))]
    if query.filters.own:
        each_own = []
        for portfolio in query.portfolios:
            condition, values = _own_condition(portfolio, query.filters)
            each_own.append(f"(a.portfolio_id = %s AND {condition})")
            parameters += [portfolio.pk, *values]
        conditions.append(f"({' OR '.join(each_own)})")
    return " AND ".join(conditions), parameters


def _account_rows(rows: list[dict[str, Any]], query: _Query) -> list[AccountRow]:
    """Return rows of SQL as accounts, with the days past due of today in each portfolio's own time zone."""
    portfolio_by_id = {portfolio.pk: portfolio for portfolio in query.portfolios}
    today = {portfolio.pk: portfolio.local_day(query.now) for portfolio in query.portfolios}
    lacks = readiness.lacks_of(row["account_id"] for row in rows) if query.filters.missing else {}
    accounts = []
    for row in rows:
        portfolio_id = row["portfolio_id"]
        overdue_days = None
        prescribed_on = None
        if query.filters.near_limitation:
            place = portfolio_by_id[portfolio_id]
            prescribed_on = readiness.near_limitation(place, row["oldest_due_date"], today=today[portfolio_id])
        if row["bucket"]:
            oldest_due_date = row["oldest_due_date"]
            overdue_days = max((today[portfolio_id] - oldest_due_date).days, 0) if oldest_due_date else 0
        accounts.append(
            AccountRow(
                account_id=row["account_id"],
                number=row["number"],
                document=row["document"],
                debtor_id=row["debtor_id"],
                debtor_name=row["debtor_name"],
                portfolio=portfolio_by_id[portfolio_id],
                product=row["product"],
                status=row["status"],
                balance_minor=row["balance_minor"],
                overdue_minor=row["overdue_minor"],
                overdue_days=overdue_days,
                bucket=row["bucket"],
                stage=row["stage"],
                segment=row["segment"],
                missing=lacks.get(row["account_id"], ()),
                prescribed_on=prescribed_on,
                attributes=json.loads(row["attributes"]),
            )
        )
    return accounts


def _fetch_dicts(sql: str, values: list[Any]) -> list[dict[str, Any]]:
    """Run a query and return its rows by the names of their columns."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _fetch_count(sql: str, values: list[Any]) -> int:
    """Run a query of one count and return it."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        (count,) = cursor.fetchone()
    return int(count)
