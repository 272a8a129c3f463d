"""Two cycles at once, and a payment in the middle of one: nothing is planned twice, nobody is written to after paying."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from recobra.contact.models import Contact
from recobra.payments import operations as payments
from recobra.strategy import operations as strategy
from recobra.strategy.models import Firing
from recobra.strategy.operations import cycle
from tests import receivables

from .test_daily_cycle import MONDAY, consumer, run

__all__ = ["consumer"]


@pytest.fixture
def several(transactional_db, consumer):
    """Five loans of five debtors, twenty days late."""
    return [
        receivables.account(consumer, receivables.debtor(consumer, name), f"L-{name}", (MONDAY - timedelta(20), 50_000))
        for name in ("Rosa", "Luis", "Marta", "Julio", "Elba")
    ]


def beside(work):
    """Run work in a thread with a database connection of its own; return what it answered."""
    answers = []

    def body():
        try:
            answers.append(work())
        finally:
            connection.close()

    thread = threading.Thread(target=body)
    thread.start()
    return thread, answers


def test_two_cycles_at_once_plan_nothing_twice(several, now):
    threads = [beside(lambda: run(now)) for _ in range(2)]
    for thread, _answers in threads:
        thread.join(120)
    planned = sorted(answers[0]["contacts_planned"] for _thread, answers in threads)
    assert planned == [0, 5]
    assert Contact.objects.count() == 5
    assert Firing.objects.filter(contact_id__isnull=False).count() == 5


def test_who_pays_while_the_cycle_decides_is_not_planned(several, now, monkeypatch):
    paying = several[0]
    decide = cycle.run

    def decide_while_paying(duck, recipe):
        decisions = decide(duck, recipe)
        thread, _answers = beside(
            lambda: payments.record_payment(
                portfolio_id=paying.portfolio_id,
                debtor_id=paying.debtor_id,
                account_id=paying.pk,
                amount_minor=10_000,
                paid_date=MONDAY,
                reference="R-1",
                actor="ana",
                now=now,
            )
        )
        thread.join(60)
        return decisions

    monkeypatch.setattr(cycle, "run", decide_while_paying)
    assert strategy.run_cycle(as_of=MONDAY, actor="dario", now=now)["contacts_planned"] == 4
    assert not Contact.objects.filter(debtor_id=paying.debtor_id, status="DUE").exists()
