"""A page reads in proportion to what there is, whatever PostgreSQL knows of the tables behind it."""

from __future__ import annotations

from functools import partial

import pytest

from recobra.cli.bench import outbox
from recobra.consent.models import ConsentEntry
from recobra.kit import clock
from recobra.portfolio.models import ContactPoint, Debtor
from tests import plans

DEBTORS = 1_000
MOST_ROWS = 20 * DEBTORS
"""The rows that a statement may read: a list goes through its table and some beside it; a bad join reads a million."""


@pytest.fixture
def pages(company):
    """The pages of a portfolio that many owe, each an invoice, and each with a message to come; a tenth opted out."""
    now = clock.now()
    outbox.fill_outbox(messages=DEBTORS, prefix="R-", channel="email", ids=outbox.open_portfolio(now=now), now=now)
    for point in ContactPoint.objects.order_by("pk")[: DEBTORS // 10]:
        words = {"act": "OPTED_OUT", "source": "STAFF", "debtor_id": point.debtor_id, "actor": "ana"}
        ConsentEntry.objects.create(at=now, kind=point.kind, value=point.value, **words)
    debtor = Debtor.objects.order_by("pk")[DEBTORS // 2]
    return (f"/ficha/{debtor.pk}/", "/cartera/", "/mensajes/", "/cumplimiento/", "/")


def test_pages_read_in_proportion_with_statistics_and_without(at_desk, pages):
    carla = at_desk("carla")
    for is_analysed in (False, True):
        plans.set_statistics(are_there=is_analysed)
        for page in pages:
            statements = plans.find_statements(partial(carla.get, page))
            assert statements, page
            for sql, parameters in statements:
                assert plans.count_rows_read(sql, parameters) < MOST_ROWS, (is_analysed, page, sql)
