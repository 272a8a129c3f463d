"""What a dispatcher asks the database costs in proportion to its batch, whatever PostgreSQL knows of the tables."""

from __future__ import annotations

import pytest
from django.db import connection

from recobra.cli.bench import outbox
from recobra.messaging.dispatch import facts
from recobra.messaging.models import Contact
from tests import plans

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


@pytest.fixture
def contact_ids(db, now):
    """The contacts of an outbox, each of a debtor with several invoices."""
    outbox.fill_outbox(messages=DEBTORS, prefix="R-", channel="email", ids=outbox.open_portfolio(now=now), now=now)
    with connection.cursor() as cursor:
        for statement in _MORE_INVOICES:
            cursor.execute(statement, {"n": INVOICES, "day": now.date(), "now": now})
    return list(Contact.objects.order_by("pk").values_list("pk", flat=True))


def read_rows(contact_ids, now):
    """Return the rows that each statement reads for the facts of contacts, in the order of the statements."""
    loaded = []
    statements = plans.find_statements(lambda: loaded.extend(facts.load_contacts(contact_ids, now=now)))
    assert len(loaded) == len(contact_ids)
    assert sum(len(contact.documents) for contact in loaded) == len(contact_ids) * (INVOICES + 1)
    return [plans.count_rows_read(sql, parameters) for sql, parameters in statements]


def test_facts_of_a_batch_are_read_in_proportion_with_statistics_and_without(contact_ids, now):
    documents = len(contact_ids) * (INVOICES + 1)
    for is_analysed in (False, True):
        plans.set_statistics(are_there=is_analysed)
        for share in SHARES:
            batch = contact_ids[: DEBTORS // share]
            assert max(read_rows(batch, now)) < MOST_ROWS * documents, (is_analysed, share)
