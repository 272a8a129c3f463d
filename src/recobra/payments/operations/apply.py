"""Apply money to what is open: the core's waterfall over the ledger, for one payment or for a hundred thousand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection

from recobra.kit import engine, tables
from recobra.portfolio.models import Portfolio
from recobra_core.money import Waterfall, allocate_payments

_OPEN = pa.schema(
    [
        ("group_id", pa.int64()),
        ("account_id", pa.int64()),
        ("instalment_id", pa.int64()),
        ("due_date", pa.date32()),
        ("concept", pa.string()),
        ("open_minor", pa.int64()),
    ]
)
_PAID = pa.schema(
    [
        ("payment_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("account_id", pa.int64()),
        ("amount_minor", pa.int64()),
        ("paid_date", pa.date32()),
    ]
)


def apply(*, portfolio: Portfolio, payments: pa.Table, load_id: int | None, now: datetime) -> None:
    """Write the postings of payments just inserted, keep what could not be applied, and close what is paid up.

    `payments`: payment_id, debtor_id, account_id (null: all accounts of the debtor), amount_minor, paid_date.
    """
    order = _order(portfolio.waterfall)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE paying (payment_id bigint, debtor_id bigint, account_id bigint) ON COMMIT DROP"
        )
        tables.copy_in("paying", payments.select(["payment_id", "debtor_id", "account_id"]))
        cursor.execute("ANALYZE paying")
        # Two payments of one account at once would both see the same open amounts. Not FOR UPDATE: the cycle, for
        # which a payment may wait, checks its references to these rows.
        cursor.execute(
            "SELECT id FROM portfolio_account WHERE id IN (SELECT account_id FROM paying) OR (portfolio_id = %s"
            " AND debtor_id IN (SELECT debtor_id FROM paying WHERE account_id IS NULL)) ORDER BY id FOR NO KEY UPDATE",
            [portfolio.pk],
        )
        touched: list[int] = []
        for together in _in_turn(payments, order):
            shares, remainders = _allocate(together, _open_items(portfolio), order)
            tables.copy_in("portfolio_posting", _postings(shares, load_id, now))
            _keep_remainders(cursor, remainders)
            touched += shares["account_id"].unique().to_pylist()
        cursor.execute(
            """UPDATE portfolio_account SET status = 'PAID'
               WHERE status = 'OPEN' AND id = ANY(%s) AND NOT EXISTS (
                   SELECT FROM portfolio_posting p WHERE p.account_id = portfolio_account.id
                   GROUP BY p.account_id HAVING sum(p.amount_minor) <> 0)""",
            [touched],
        )
        cursor.execute("DROP TABLE paying")


def _order(document: Mapping[str, Any]) -> Waterfall:
    """Read the portfolio's order of application; what is not stated keeps the core's default."""
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in document.items()
    }
    return Waterfall(**given)


def _in_turn(payments: pa.Table, order: Waterfall) -> list[pa.Table]:
    """Return the sets that can be allocated in one pass.

    What is due differs by day where concepts come first; a payment for all accounts of a debtor may want what one
    for a single account has just taken.
    """
    days = sorted(set(payments["paid_date"].to_pylist())) if order.by == "concept" else [None]
    of_day = [
        payments if day is None else payments.filter(pc.equal(payments["paid_date"], pa.scalar(day, pa.date32())))
        for day in days
    ]
    named = [(chosen, pc.is_valid(chosen["account_id"])) for chosen in of_day]
    parts = [part for chosen, one in named for part in (chosen.filter(one), chosen.filter(pc.invert(one)))]
    return [part for part in parts if part.num_rows]


def _open_items(portfolio: Portfolio) -> pa.Table:
    query = """
        WITH touched AS (
            SELECT DISTINCT account_id AS id, account_id AS group_id FROM paying WHERE account_id IS NOT NULL
            UNION ALL
            SELECT a.id, -a.debtor_id FROM portfolio_account a
            WHERE a.portfolio_id = %s AND a.debtor_id IN (SELECT debtor_id FROM paying WHERE account_id IS NULL)
                AND a.status <> 'RECALLED'
        )
        SELECT t.group_id, p.account_id, p.instalment_id, i.due_date, p.concept, sum(p.amount_minor)::bigint
        FROM touched t JOIN portfolio_posting p ON p.account_id = t.id
        JOIN portfolio_instalment i ON i.id = p.instalment_id
        GROUP BY t.group_id, p.account_id, p.instalment_id, i.due_date, p.concept
        HAVING sum(p.amount_minor) > 0"""
    return tables.fetch(query, [portfolio.pk], _OPEN)


def _allocate(payments: pa.Table, items: pa.Table, order: Waterfall) -> tuple[pa.Table, pa.Table]:
    """Return shares (payment_id, account_id, instalment_id, concept, amount_minor, paid_date) and remainders."""
    numbered = items.append_column("item_id", pa.array(range(items.num_rows), pa.int64()))
    latest = max(payments["paid_date"].to_pylist())
    # What is due differs by day only where concepts come first; one compiled order serves all days otherwise.
    statements = _statements(order, latest if order.by == "concept" else date.max)
    given = {"paid": payments.select(_PAID.names).cast(_PAID), "open_items": numbered}
    with engine.duckdb_for_rows(payments.num_rows, user="payments") as duck:
        engine.register_tables(duck, given)
        answer = engine.run_statements(duck, statements)
    return answer["shares"], answer["remainders"]


@lru_cache(maxsize=64)
def _statements(order: Waterfall, as_of: date) -> tuple[engine.Statement, ...]:
    paid = engine.source_table("paid", _PAID)
    paid = paid.mutate(group_id=paid.account_id.fill_null(-paid.debtor_id))
    open_ = engine.source_table("open_items", _OPEN.append(pa.field("item_id", pa.int64())))
    shares, remainders = allocate_payments(
        paid.select("payment_id", "amount_minor", "paid_date", account_id=paid.group_id),
        open_.select("item_id", "due_date", "concept", "open_minor", account_id=open_.group_id),
        order,
        as_of=as_of,
        paid_by=("paid_date",),
    )
    placed = (
        shares.select("payment_id", "item_id", "concept", "amount_minor")
        .inner_join(open_.select("item_id", "account_id", "instalment_id"), "item_id")
        .inner_join(paid.select("payment_id", "paid_date"), "payment_id")
    )
    columns = ["payment_id", "account_id", "instalment_id", "concept", "amount_minor", "paid_date"]
    return (
        engine.compile_statement("shares", placed.select(*columns)),
        engine.compile_statement("remainders", remainders.select("payment_id", "left_minor")),
    )


def _postings(shares: pa.Table, load_id: int | None, now: datetime) -> pa.Table:
    count = shares.num_rows
    return pa.table(
        {
            "account_id": shares["account_id"],
            "instalment_id": shares["instalment_id"],
            "kind": pa.array(["PAYMENT"] * count),
            "concept": shares["concept"],
            "amount_minor": pc.negate(shares["amount_minor"]),
            "value_date": shares["paid_date"],
            "booked_at": pa.array([now] * count, pa.timestamp("us", tz="UTC")),
            "payment_id": shares["payment_id"],
            "load_id": pa.array([load_id] * count, pa.int64()),
        }
    )


def _keep_remainders(cursor: Any, remainders: pa.Table) -> None:
    left = remainders.filter(pc.greater(remainders["left_minor"], 0))
    cursor.execute(
        "UPDATE payments_payment SET unapplied_minor = given.minor"
        " FROM unnest(%s::bigint[], %s::bigint[]) AS given (id, minor) WHERE payments_payment.id = given.id",
        [left["payment_id"].to_pylist(), left["left_minor"].to_pylist()],
    )
