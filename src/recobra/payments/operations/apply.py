"""Application of payments to open amounts: the core's waterfall over the ledger, for one payment or many."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection

from recobra.kit import engine, tables
from recobra.policy.portfolio_policies import PolicyHistory, policy_histories
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


def apply_payments(*, portfolio: Portfolio, payments: pa.Table, load_id: int | None, now: datetime) -> dict[int, int]:
    """Write the postings of payments and close paid accounts; return what could not be applied.

    `payments`: payment_id, debtor_id, account_id (null: all accounts of the debtor), amount_minor, paid_date. Each is
    applied in the order of its day of payment. The result holds an amount in minor units by the id of each payment of
    which something is left; it is added to what the payment has in hand.
    """
    policies = policy_histories([portfolio.pk])[portfolio.pk]
    left_minor: dict[int, int] = {}
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
        for waterfall, batch in _split_into_passes(payments, policies):
            # Open amounts anew for each pass: the one before has lowered them.
            shares, remainders = _allocate_payments(batch, _fetch_open_items(portfolio), waterfall)
            tables.copy_in("portfolio_posting", _build_postings(shares, load_id, now))
            unapplied = remainders.filter(pc.greater(remainders["left_minor"], 0))
            payment_ids = unapplied["payment_id"].to_pylist()
            amounts_minor = unapplied["left_minor"].to_pylist()
            cursor.execute(
                "UPDATE payments_payment payment SET unapplied_minor = unapplied_minor + unapplied.amount_minor"
                " FROM unnest(%s::bigint[], %s::bigint[]) AS unapplied (payment_id, amount_minor)"
                " WHERE payment.id = unapplied.payment_id",
                [payment_ids, amounts_minor],
            )
            left_minor.update(zip(payment_ids, amounts_minor, strict=True))
            paid_accounts += shares["account_id"].unique().to_pylist()
        cursor.execute(
            """UPDATE portfolio_account account SET status = 'PAID'
               WHERE status = 'OPEN' AND id = ANY(%s) AND NOT EXISTS (
                   SELECT FROM portfolio_posting posting WHERE posting.account_id = account.id
                   GROUP BY posting.account_id HAVING sum(posting.amount_minor) <> 0)""",
            [paid_accounts],
        )
        cursor.execute("DROP TABLE paying")
    return left_minor


def _split_into_passes(payments: pa.Table, policies: PolicyHistory) -> list[tuple[Waterfall, pa.Table]]:
    """Return the payments in sets that can each be allocated in one pass, the earlier ones first, with their order."""
    orders: list[tuple[Waterfall, list[date]]] = []
    for day in sorted(set(payments["paid_date"].to_pylist())):
        waterfall = policies.on(day).waterfall
        # What is due differs by day where concepts come first.
        if orders and orders[-1][0] == waterfall and waterfall.by != "concept":
            orders[-1][1].append(day)
        else:
            orders.append((waterfall, [day]))
    passes: list[tuple[Waterfall, pa.Table]] = []
    for waterfall, days in orders:
        batch = payments.filter(pc.is_in(payments["paid_date"], pa.array(days, pa.date32())))
        # A payment for all accounts of a debtor would otherwise take what one for a single account has just taken.
        has_account = pc.is_valid(batch["account_id"])
        passes.append((waterfall, batch.filter(has_account)))
        passes.append((waterfall, batch.filter(pc.invert(has_account))))
    return [(waterfall, batch) for waterfall, batch in passes if batch.num_rows]


def _fetch_open_items(portfolio: Portfolio) -> pa.Table:
    """Return the open amounts of the accounts being paid; `group_id` is the account, or minus the debtor for all."""
    query = """
        WITH payable AS (
            SELECT DISTINCT account_id AS id, account_id AS group_id FROM paying WHERE account_id IS NOT NULL
            UNION ALL
            -- The creditor collects a recalled account itself: nothing is applied to it unless a payment names it.
            SELECT account.id, -account.debtor_id FROM portfolio_account account
            WHERE account.portfolio_id = %s AND account.status <> 'RECALLED'
                AND account.debtor_id IN (SELECT debtor_id FROM paying WHERE account_id IS NULL)
        )
        SELECT
            payable.group_id,
            posting.account_id,
            posting.instalment_id,
            instalment.due_date,
            posting.concept,
            sum(posting.amount_minor)::bigint
        FROM payable
        JOIN portfolio_posting posting ON posting.account_id = payable.id
        JOIN portfolio_instalment instalment ON instalment.id = posting.instalment_id
        GROUP BY
            payable.group_id, posting.account_id, posting.instalment_id, instalment.due_date, posting.concept
        HAVING sum(posting.amount_minor) > 0"""
    return tables.fetch(query, [portfolio.pk], _OPEN_ITEMS)


def _allocate_payments(payments: pa.Table, items: pa.Table, waterfall: Waterfall) -> tuple[pa.Table, pa.Table]:
    """Return shares (payment_id, account_id, instalment_id, concept, amount_minor, paid_date) and remainders."""
    numbered = items.append_column("item_id", pa.array(range(items.num_rows), pa.int64()))
    # The day matters only where concepts come first; otherwise one compiled waterfall serves all days.
    as_of = max(payments["paid_date"].to_pylist()) if waterfall.by == "concept" else date.max
    statements = _compile_statements(waterfall, as_of)
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
