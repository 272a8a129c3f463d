"""Money in hand is looked at before anybody is asked for money."""

from datetime import date, timedelta

import pyarrow as pa
import pytest

from recobra.insight.queries import aging
from recobra.payments import operations as payments
from recobra.payments.operations.record import ROWS
from recobra.payments.owed import fetch_statements, read_open_items
from recobra.portfolio.models import Account, Hold
from recobra.portfolio.snapshot import Scope
from recobra_core.stages import Limits
from tests import receivables
from tests.people import acting

PAID_ON = date(2026, 11, 26)
DAY = date(2026, 11, 27)


@pytest.fixture
def payer(company, now):
    """Rosa paid 150.00 on 100.00, and has a new invoice of 40.00 since."""
    person = receivables.debtor(company, "Rosa")
    first = receivables.account(company, person, "C1", (date(2026, 11, 1), 10_000))
    payments.record_payment(
        portfolio_id=company.pk,
        debtor_id=person.pk,
        account_id=first.pk,
        amount_minor=15_000,
        paid_date=PAID_ON,
        reference="OPC-1",
        actor=acting("ana", now=now + timedelta(days=4)),
    )
    receivables.account(company, person, "C5", (date(2026, 11, 10), 4_000))
    return person


def asked_for(person, day=DAY):
    statement = fetch_statements({person.pk: day})[person.pk]
    return [(document.number, document.owed_minor) for document in (*statement.overdue, *statement.upcoming)]


def open_amounts(company, day=DAY):
    items = read_open_items(Scope(portfolio_ids=[company.pk]), as_of=day)
    return sorted(items["open_minor"].to_pylist())


def test_who_has_paid_enough_is_asked_for_nothing(payer, company):
    assert asked_for(payer) == []
    assert open_amounts(company) == []
    ageing = aging.ageing_on_day(portfolio_ids=[company.pk], limits=Limits(), as_of=DAY)
    assert sum(row["amount_minor"] for row in ageing) == 0


def test_the_oldest_debt_is_counted_first_and_the_rest_is_asked_for(payer, company):
    other = receivables.debtor(company, "Luz")
    receivables.account(company, other, "D1", (date(2026, 11, 1), 700))
    receivables.account(company, payer, "C6", (date(2026, 11, 12), 3_000))
    assert asked_for(payer) == [("C6/1", 2_000)]
    assert sum(fetch_statements({payer.pk: DAY})[payer.pk].overdue[0].concepts_minor.values()) == 2_000
    assert open_amounts(company) == [700, 2_000]


def test_money_counts_from_the_day_it_came(payer, company):
    yesterday = PAID_ON - timedelta(days=1)
    assert asked_for(payer, yesterday) == [("C5/1", 4_000)]
    assert open_amounts(company, yesterday) == [4_000, 10_000]


def test_what_the_creditor_took_back_takes_no_money(payer, company):
    recalled = receivables.account(company, payer, "C0", (date(2026, 9, 1), 9_000))
    Account.objects.filter(pk=recalled.pk).update(status=Account.Status.RECALLED)
    assert asked_for(payer) == []
    assert open_amounts(company) == [9_000]


def test_what_is_disputed_takes_no_money_from_what_is_asked_for(payer, company, now):
    disputed = receivables.account(company, payer, "C0", (date(2026, 9, 1), 9_000))
    Hold.objects.create(
        debtor=payer, account=disputed, reason="DISPUTE", starts_on=PAID_ON, author="ana", created_at=now
    )
    assert open_amounts(company) == [8_000]
    assert asked_for(payer) == [("C0/1", 8_000)]


def test_money_in_hand_that_finds_no_open_amount_stays_in_hand(payer, company, now):
    account = Account.objects.get(external_id="C5")
    row = {"debtor_id": payer.pk, "account_id": account.pk, "amount_minor": 4_500, "paid_date": DAY, "reference": "1"}
    payments.record_payments(
        portfolio_id=company.pk,
        rows=pa.Table.from_pylist([row], schema=ROWS),
        source="INFERRED",
        load_id=1,
        actor=acting("intake", now=now + timedelta(days=5)),
    )
    assert payer.payments.get().unapplied_minor == 1_000
    assert open_amounts(company) == []


def test_money_that_went_back_is_not_in_hand(payer, company, now):
    payment = payer.payments.get()
    actor = acting("ana", now=now + timedelta(days=4))
    payments.reverse_payment(payment_id=payment.pk, reason="devuelto", actor=actor)
    assert sorted(amount for _number, amount in asked_for(payer)) == [4_000, 10_000]
