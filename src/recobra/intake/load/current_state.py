"""What the database knows about a portfolio, fetched only as far as the file makes it necessary."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
from django.db import connection

from recobra.intake.load.bulk_copy import copy
from recobra.intake.stage.load_context import Job
from recobra.kit import tables

IN_FLIGHT: Final = 100_000  # ids that a transaction still open during the last load may have taken
ACCOUNTS: Final = pa.schema(
    [("id", pa.int64()), ("account", pa.string()), ("debtor_id", pa.int64()), ("status", pa.string())]
)
LEDGER: Final = pa.schema(
    [
        ("account_id", pa.int64()),
        ("instalment_id", pa.int64()),
        ("number", pa.string()),
        ("due", pa.date32()),
        ("concept", pa.string()),
        ("amount_minor", pa.int64()),
    ]
)


def accounts(job: Job) -> None:
    """Make `known_accounts` (id, account, debtor_id, status): all of the portfolio."""
    query = "SELECT id, external_id, debtor_id, status FROM portfolio_account WHERE portfolio_id = %s"
    job.put("known_accounts", tables.fetch(query, [job.owner.portfolio_id], ACCOUNTS))


def touched(job: Job, *, load_id: int, last_posting: int) -> None:
    """Make `touched` (id): accounts whose ledger got postings beside those of the last load."""
    query = "SELECT DISTINCT account_id FROM portfolio_posting WHERE id > %s AND load_id IS DISTINCT FROM %s"
    rows = tables.fetch(query, [last_posting - IN_FLIGHT, load_id], pa.schema([("id", pa.int64())]))
    job.put("touched", rows)


def last_posting() -> int:
    """Return the highest posting id there is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM portfolio_posting")
        (highest,) = cursor.fetchone()
    return int(highest)


def send(job: Job, table: str, definition: str, query: str) -> int:
    """Hand rows to PostgreSQL as a temporary table and return how many."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL client_min_messages = warning; DROP TABLE IF EXISTS {table}")
        cursor.execute(f"CREATE TEMP TABLE {table} ({definition}) ON COMMIT DROP")
        copy(job, table, query)
        cursor.execute(f"ANALYZE {table}")
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def ledger(job: Job, *, of: str) -> None:
    """Make `known_ledger`: what each instalment of the accounts in query `of` owes by concept."""
    send(job, "intake_wanted", "account_id bigint", f"SELECT * FROM ({of}) AS wanted (account_id)")
    query = (
        "SELECT i.account_id, i.id, i.number, i.due_date, p.concept, sum(p.amount_minor)::bigint "
        "FROM intake_wanted w JOIN portfolio_instalment i ON i.account_id = w.account_id "
        "LEFT JOIN portfolio_posting p ON p.account_id = w.account_id AND p.instalment_id = i.id "
        "GROUP BY i.account_id, i.id, i.number, i.due_date, p.concept"
    )
    job.put("known_ledger", tables.fetch(query, [], LEDGER))


def debtors(job: Job) -> None:
    """Make `known_debtors` (id, key): those of the creditor that the file names, over all portfolios."""
    schema = pa.schema([("id", pa.int64()), ("key", pa.string())])
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM portfolio_debtor WHERE creditor_id = %s)", [job.owner.creditor_id])
        (any_known,) = cursor.fetchone()
    if not any_known:
        job.put("known_debtors", schema.empty_table())
        return
    send(job, "intake_people", "key text", "SELECT key FROM people")
    query = (
        "SELECT d.id, d.external_id FROM intake_people p JOIN portfolio_debtor d "
        "ON d.external_id = p.key AND d.creditor_id = %s"
    )
    job.put("known_debtors", tables.fetch(query, [job.owner.creditor_id], schema))
