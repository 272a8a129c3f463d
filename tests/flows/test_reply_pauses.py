"""Who has written is answered before anything that was planned goes out."""

from datetime import date, timedelta

import pytest
from django.db import transaction

from recobra.consent import operations as consent
from recobra.consent.models import ConsentEntry
from recobra.conversations.facts import ConversationReceived
from recobra.conversations.models import Conversation
from recobra.intake.facts import LoadDone
from recobra.journal.operations import record_fact
from recobra.messaging import operations as messaging
from recobra.messaging.models import Contact
from recobra.portfolio.models import ContactPoint
from recobra.strategy import operations as strategy
from tests import receivables
from tests.people import acting
from tests.worlds import add_library

MONDAY = date(2026, 11, 23)
_COUNTS = ("rows", "accepted", "rejected", "created", "updated", "unchanged", "gone", "payments", "amount_minor")
_LOADED = LoadDone(load_id=1, as_of=MONDAY, currency="PEN", accounts=1, **dict.fromkeys(_COUNTS, 0))


@pytest.fixture
def late(company, now):
    add_library(now)
    strategy.ensure_ready_made(actor=acting("dario", now=now))
    strategy.assign_strategy(portfolio_id=company.pk, code="consumo", actor=acting("dario", now=now))
    receivables.fresh_load(company, as_of=MONDAY, now=now)
    loan = receivables.account(company, receivables.debtor(company, "Rosa"), "L-1", (MONDAY - timedelta(20), 50_000))
    strategy.run_cycle(as_of=MONDAY, actor=acting("dario", now=now))
    return loan


def write_to_us(debtor_id, now):
    """Let a debtor write, as far as plans know of it."""
    with transaction.atomic():
        chat = Conversation.objects.create(
            channel="whatsapp", address="+51987654321", debtor_id=debtor_id, opened_at=now, last_at=now
        )
        chat.messages.create(direction="IN", text="Hola", at=now, received_at=now)
        received = ConversationReceived(conversation_id=chat.pk, channel=chat.channel)
        record_fact(received, actor=acting("debtor", now=now), debtor_id=debtor_id)


def test_what_was_planned_gives_way_to_the_answer(late, now):
    write_to_us(late.debtor_id, now)
    assert list(Contact.objects.values_list("status", "reason")) == [("CANCELLED", "replied")]


def test_an_answer_that_waits_stays(late, now):
    Contact.objects.update(purpose="REPLY")
    write_to_us(late.debtor_id, now)
    assert Contact.objects.get().status == "DUE"


def test_a_silenced_number_that_a_load_brings_again_stays_silent(company, now):
    consent.record_opt_out(
        kind="PHONE", value="+51987654321", source=ConsentEntry.Source.KEYWORD, actor=acting("debtor", now=now)
    )
    rosa = receivables.debtor(company, "Rosa")
    point = ContactPoint.objects.create(debtor=rosa, kind="PHONE", value="+51987654321", valid=True)
    with transaction.atomic():
        record_fact(_LOADED, actor=acting("intake", now=now), portfolio_id=company.pk)
    point.refresh_from_db()
    assert point.opted_out_at == now


def test_a_process_that_has_decided_again_can_still_judge_what_leaves(late, company, now):
    """Both work on the engine at hand, and both know a table of candidates."""
    ines = receivables.debtor(company, "Inés")
    receivables.account(company, ines, "L-2", (MONDAY - timedelta(20), 30_000))
    strategy.redecide_debtors(debtor_ids=[ines.pk], actor=acting("ana", now=now))
    assert Contact.objects.filter(status="DUE").count() == 2
    assert messaging.dispatch_once(actor=acting("dispatch", now=now))["sent"] == 2
    strategy.redecide_debtors(debtor_ids=[ines.pk], actor=acting("ana", now=now))
    assert Contact.objects.count() == 2
