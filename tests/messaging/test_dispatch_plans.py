"""What a dispatcher asks the database costs in proportion to its batch, whatever PostgreSQL knows of the tables."""

from __future__ import annotations

import json

import pytest
from django.db import connection

from recobra.cli.bench import outbox
from recobra.messaging.dispatch import facts
from recobra.messaging.models import Contact

DEBTORS = 600
INVOICES = 6
"""Of each debtor, beside the one that the outbox brings."""
SHARES = (1, 4, 6, 20)
"""Batches as parts of the outbox: for some sizes PostgreSQL may choose another plan than for others."""
MOST_ROWS = 20
"""The rows that a statement may read for each document that there is. A join without its key reads hundreds."""
_MORE_INVOICES = (
    """INSERT INTO portfolio_account (portfolio_id, debtor_id, external_id, product, status, contract, attributes)
        SELECT portfolio_id, debtor_id, external_id || '-' || g, 'INVOICE', 'OPEN', '', '{}'
        FROM portfolio_account, generate_series(1, %(n)s) g""",
    """INSERT INTO portfolio_instalment (account_id, number, due_date)
        SELECT id, '1', %(day)s::date - (id %% 90)::int - 1 FROM portfolio_account WHERE external_id LIKE 'FR-%%-%%'""",
    """INSERT INTO portfolio_posting (account_id, instalment_id, kind, concept, amount_minor, value_date, booked_at)
        SELECT account_id, id, 'CHARGE', 'PRINCIPAL', 100 + id, due_date, %(now)s FROM portfolio_instalment i
        WHERE NOT EXISTS (SELECT FROM portfolio_posting p WHERE p.instalment_id = i.id)""",
)
# As a table is that was filled a moment ago.
_FORGET = """
    WITH forgotten AS MATERIALIZED (
        SELECT pg_clear_relation_stats(schemaname, tablename), format('%I.%I', schemaname, tablename)::regclass AS id
        FROM pg_tables WHERE schemaname = 'public' AND tablename ~ '^(portfolio|messaging|consent|conversations)_')
    DELETE FROM pg_statistic WHERE starelid IN (SELECT id FROM forgotten)"""


@pytest.fixture
def contact_ids(db, now):
    """The contacts of an outbox, each of a debtor with several invoices."""
    outbox.fill_outbox(messages=DEBTORS, prefix="R-", channel="email", ids=outbox.open_portfolio(now=now), now=now)
    with connection.cursor() as cursor:
        for statement in _MORE_INVOICES:
            cursor.execute(statement, {"n": INVOICES, "day": now.date(), "now": now})
    return list(Contact.objects.order_by("pk").values_list("pk", flat=True))


def count_rows(node):
    """Return the rows that a plan has read, those that it threw away included."""
    read = sum(
        node.get(name, 0)
        for name in (
            "Actual Rows",
            "Rows Removed by Filter",
            "Rows Removed by Join Filter",
            "Rows Removed by Index Recheck",
        )
    )
    return read * node["Actual Loops"] + sum(count_rows(child) for child in node.get("Plans", ()))


def read_rows(contact_ids, now):
    """Return the rows that each statement reads for the facts of contacts, in the order of the statements."""
    asked = []

    def keep(execute, sql, params, many, context):
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        contacts = facts.load_contacts(contact_ids, now=now)
    assert len(contacts) == len(contact_ids)
    assert sum(len(contact.documents) for contact in contacts) == len(contact_ids) * (INVOICES + 1)
    counts = []
    with connection.cursor() as cursor:
        for sql, params in asked:
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params)
            (plan,) = cursor.fetchone()
            plan = json.loads(plan) if isinstance(plan, str) else plan
            counts.append(count_rows(plan[0]["Plan"]))
    return counts


def test_facts_of_a_batch_are_read_in_proportion_with_statistics_and_without(contact_ids, now):
    documents = len(contact_ids) * (INVOICES + 1)
    for is_analysed in (False, True):
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE" if is_analysed else _FORGET)
        for share in SHARES:
            batch = contact_ids[: DEBTORS // share]
            assert max(read_rows(batch, now)) < MOST_ROWS * documents, (is_analysed, share)
