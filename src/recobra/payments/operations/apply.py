"""Application of payments to open amounts: the core's waterfall over the ledger, for one payment or many."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection

from recobra.kit import engine, tables
from recobra.portfolio.models import Portfolio
from recobra_core.money import Waterfall, allocate_payments

_OPEN_ITEMS = pa.schema(
    [
        ("group_id", pa.int64()),
        ("account_id", pa.int64()),
        ("instalment_id", pa.int64()),
        ("due_date", pa.date32()),
        ("concept", pa.string()),
        ("open_minor", pa.int64()),
    ]
)
_PAYMENTS = pa.schema(
    [
        ("payment_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("account_id", pa.int64()),
        ("amount_minor", pa.int64()),
        ("paid_date", pa.date32()),
    ]
)


def apply_payments(*, portfolio: Portfolio, payments: pa.Table, load_id: int | None, now: datetime) -> None:
    """Write the postings of payments just inserted, keep what could not be applied, and close paid accounts.

    `payments`: payment_id, debtor_id, account_id (null: all accounts of the debtor), amount_minor, paid_date.
    """
    # What the portfolio leaves out keeps the default of the core.
    settings: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in portfolio.waterfall.items()
    }
    waterfall = Waterfall(**settings)
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
        paid_accounts: list[int] = []
        for batch in _split_into_passes(payments, waterfall):
            # Open amounts anew for each pass: the one before has lowered them.
            shares, remainders = _allocate_payments(batch, _fetch_open_items(portfolio), waterfall)
            tables.copy_in("portfolio_posting", _build_postings(shares, load_id, now))
            unapplied = remainders.filter(pc.greater(remainders["left_minor"], 0))
            cursor.execute(
                "UPDATE payments_payment SET unapplied_minor = given.minor"
                " FROM unnest(%s::bigint[], %s::bigint[]) AS given (id, minor) WHERE payments_payment.id = given.id",
                [unapplied["payment_id"].to_pylist(), unapplied["left_minor"].to_pylist()],
            )
            paid_accounts += shares["account_id"].unique().to_pylist()
        cursor.execute(
            """UPDATE portfolio_account SET status = 'PAID'
               WHERE status = 'OPEN' AND id = ANY(%s) AND NOT EXISTS (
                   SELECT FROM portfolio_posting p WHERE p.account_id = portfolio_account.id
                   GROUP BY p.account_id HAVING sum(p.amount_minor) <> 0)""",
            [paid_accounts],
        )
        cursor.execute("DROP TABLE paying")


def _split_into_passes(payments: pa.Table, waterfall: Waterfall) -> list[pa.Table]:
    """Return the payments in sets that can each be allocated in one pass."""
    # What is due differs by day where concepts come first.
    days = sorted(set(payments["paid_date"].to_pylist())) if waterfall.by == "concept" else [None]
    by_day = [
        payments if day is None else payments.filter(pc.equal(payments["paid_date"], pa.scalar(day, pa.date32())))
        for day in days
    ]
    passes: list[pa.Table] = []
    for of_day in by_day:
        # A payment for all accounts of a debtor would otherwise take what one for a single account has just taken.
        has_account = pc.is_valid(of_day["account_id"])
        passes += [of_day.filter(has_account), of_day.filter(pc.invert(has_account))]
    return [payments for payments in passes if payments.num_rows]


def _fetch_open_items(portfolio: Portfolio) -> pa.Table:
    """Return the open amounts of the accounts being paid; `group_id` is the account, or minus the debtor for all."""
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
    return tables.fetch(query, [portfolio.pk], _OPEN_ITEMS)


def _allocate_payments(payments: pa.Table, items: pa.Table, waterfall: Waterfall) -> tuple[pa.Table, pa.Table]:
    """Return shares (payment_id, account_id, instalment_id, concept, amount_minor, paid_date) and remainders."""
    numbered = items.append_column("item_id", pa.array(range(items.num_rows), pa.int64()))
    latest = max(payments["paid_date"].to_pylist())
    # The day matters only where concepts come first; otherwise one compiled waterfall serves all days.
    statements = _compile_statements(waterfall, latest if waterfall.by == "concept" else date.max)
    arrow_tables = {"paid": payments.select(_PAYMENTS.names).cast(_PAYMENTS), "open_items": numbered}
    with engine.duckdb_for_rows(payments.num_rows, user="payments") as duck:
        engine.register_tables(duck, arrow_tables)
        results = engine.run_statements(duck, statements)
    return results["shares"], results["remainders"]


@lru_cache(maxsize=64)
def _compile_statements(waterfall: Waterfall, as_of: date) -> tuple[engine.Statement, ...]:
    """Return the statements that allocate payments: `shares` and `remainders` of the tables `paid` and `open_items`."""
    paid = engine.source_table("paid", _PAYMENTS)
    paid = paid.mutate(group_id=paid.account_id.fill_null(-paid.debtor_id))
    open_ = engine.source_table("open_items", _OPEN_ITEMS.append(pa.field("item_id", pa.int64())))
    shares, remainders = allocate_payments(
        paid.select("payment_id", "amount_minor", "paid_date", account_id=paid.group_id),
        open_.select("item_id", "due_date", "concept", "open_minor", account_id=open_.group_id),
        waterfall,
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


def _build_postings(shares: pa.Table, load_id: int | None, now: datetime) -> pa.Table:
    """Return the postings of shares of payments, with the columns of the ledger's table."""
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
