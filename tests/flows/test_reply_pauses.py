"""Who has written is answered before anything that was planned goes out."""

from datetime import date, timedelta

import pytest
from django.db import transaction

from recobra.consent import operations as consent
from recobra.consent.models import ConsentEntry
from recobra.journal.operations import record
from recobra.messaging import operations as messaging
from recobra.messaging.models import Contact
from recobra.portfolio.models import ContactPoint
from recobra.strategy import operations as strategy
from tests import receivables
from tests.people import acting
from tests.worlds import add_library

MONDAY = date(2026, 11, 23)


@pytest.fixture
def late(company, now):
    add_library(now)
    strategy.ensure_ready_made(actor=acting("dario", now=now))
    strategy.assign_strategy(portfolio_id=company.pk, code="consumo", actor=acting("dario", now=now))
    receivables.fresh_load(company, as_of=MONDAY, now=now)
    loan = receivables.account(company, receivables.debtor(company, "Rosa"), "L-1", (MONDAY - timedelta(20), 50_000))
    strategy.run_cycle(as_of=MONDAY, actor=acting("dario", now=now))
    return loan


def writes(debtor_id, now):
    with transaction.atomic():
        record("conversation.received", at=now, actor="debtor", debtor_id=debtor_id)


def test_what_was_planned_gives_way_to_the_answer(late, now):
    writes(late.debtor_id, now)
    assert list(Contact.objects.values_list("status", "reason")) == [("CANCELLED", "replied")]


def test_an_answer_that_waits_stays(late, now):
    Contact.objects.update(purpose="REPLY")
    writes(late.debtor_id, now)
    assert Contact.objects.get().status == "DUE"


def test_a_silenced_number_that_a_load_brings_again_stays_silent(company, now):
    consent.record_opt_out(kind="PHONE", value="+51987654321", source=ConsentEntry.Source.KEYWORD, now=now)
    rosa = receivables.debtor(company, "Rosa")
    point = ContactPoint.objects.create(debtor=rosa, kind="PHONE", value="+51987654321", valid=True)
    with transaction.atomic():
        record("load.done", at=now, actor="intake", portfolio_id=company.pk)
    point.refresh_from_db()
    assert point.opted_out_at == now


def test_a_process_that_has_decided_again_can_still_judge_what_leaves(late, company, now):
    """Both work on the engine at hand, and both know a table of candidates."""
    ines = receivables.debtor(company, "Inés")
    receivables.account(company, ines, "L-2", (MONDAY - timedelta(20), 30_000))
    strategy.redecide_debtors(debtor_ids=[ines.pk], actor=acting("ana", now=now))
    assert Contact.objects.filter(status="DUE").count() == 2
    assert messaging.dispatch_once(now=now)["sent"] == 2
    strategy.redecide_debtors(debtor_ids=[ines.pk], actor=acting("ana", now=now))
    assert Contact.objects.count() == 2
