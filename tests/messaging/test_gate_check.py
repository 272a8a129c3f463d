"""What is looked at once more before a message leaves: wishes, numbers, preferred hours, the company's own rules."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from recobra.consent.models import ConsentEntry, Silence
from recobra.conversations.models import Conversation
from recobra.messaging import snapshot
from recobra.messaging.models import Contact, MailboxMessage
from recobra.policy import company_rules as house_rules
from recobra.portfolio.models import Account, Debtor
from recobra.strategy.models import AccountState
from tests.people import acting
from tests.worlds import TODAY

from .test_dispatch import NOTHING, ended

pytestmark = pytest.mark.django_db(transaction=True)


def entry(world, contact, act, **changes):
    return ConsentEntry.objects.create(
        **{
            "at": world.now,
            "kind": contact.point.kind,
            "value": contact.point.value,
            "channel": "email",
            "act": act,
            "source": "KEYWORD",
            "actor": "debtor",
            **changes,
        }
    )


def test_a_silent_address_stays_silent_for_a_debtor_who_was_loaded_later(world):
    contact = world.someone_due()
    said = entry(world, contact, "OPTED_OUT")
    Silence.objects.create(kind="EMAIL", value=contact.point.value, since=world.now, entry=said)
    assert world.dispatch() == NOTHING | {"leased": 1, "blocked": 1}
    assert ended(contact) == ("BLOCKED", "opted_out")


@pytest.mark.parametrize(
    ("last", "channel", "end"),
    [
        ("WITHDRAWN", "email", ("BLOCKED", "no_consent")),
        ("WITHDRAWN", "sms", ("SENT", "")),
        ("GRANTED", "email", ("SENT", "")),
    ],
)
def test_the_last_word_about_a_channel_counts_before_what_was_loaded(world, last, channel, end):
    contact = world.someone_due()
    contact.point.consent = last == "WITHDRAWN"
    contact.point.save()
    entry(world, contact, "GRANTED" if last == "WITHDRAWN" else "WITHDRAWN", at=world.now - timedelta(days=2))
    entry(world, contact, last, channel=channel, at=world.now - timedelta(days=1))
    if channel != "email":
        entry(world, contact, "GRANTED")
    world.dispatch()
    assert ended(contact) == end


def test_an_address_that_the_channel_cannot_reach_is_not_used(world):
    contact = world.someone_due()
    contact.point.unusable_for = ["email"]
    contact.point.save()
    world.dispatch()
    assert ended(contact) == ("BLOCKED", "bad_contact_point")


@pytest.mark.parametrize(
    ("begin", "end", "closes", "due"),
    [
        (time(9), time(12), None, None),  # it is ten in the morning
        (time(14), time(16), None, datetime(2026, 11, 23, 19, 0, tzinfo=UTC)),
        (time(14), time(16), datetime(2026, 11, 23, 18, 0, tzinfo=UTC), None),  # the window shuts before
        (time(7), time(9), None, datetime(2026, 11, 24, 12, 0, tzinfo=UTC)),
    ],
)
def test_preferred_hours_put_a_message_off(world, begin, end, closes, due):
    contact = world.someone_due(closes_at=closes)
    Debtor.objects.update(preferred_from=begin, preferred_to=end)
    world.dispatch()
    contact.refresh_from_db()
    assert (contact.status, contact.due_at) == (("SENT", world.now) if due is None else ("DUE", due))


def test_preferred_hours_never_keep_a_message_for_ever(world):
    contact = world.someone_due(planned_for=TODAY - timedelta(days=1))
    Debtor.objects.update(preferred_from=time(7), preferred_to=time(9))
    world.dispatch()
    assert ended(contact) == ("SENT", "")


def test_a_rule_of_the_company_blocks_by_its_own_name(world):
    rule = {"rules": [{"channels": ["email"], "windows": {"mon-fri": "12:00-18:00"}}]}
    house_rules.save_company_rule(code="casa", portfolio_id=None, document=rule, actor=acting("ana", now=world.now))
    contact = world.someone_due()
    world.dispatch()
    contact.refresh_from_db()
    assert (contact.status, contact.due_at) == ("DUE", datetime(2026, 11, 23, 17, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("stage", "end"),
    [("JUDICIAL", "stage_barred"), ("ADMINISTRATIVE", ""), (None, "unknown_stage")],
)
def test_what_the_company_does_not_do_in_a_stage_does_not_leave_in_it(world, stage, end):
    rule = {"rules": [{"channels": ["email"], "stages": ["JUDICIAL"], "never": True}]}
    house_rules.save_company_rule(code="casa", portfolio_id=None, document=rule, actor=acting("ana", now=world.now))
    contact = world.someone_due()
    if stage:
        account = Account.objects.get(debtor=contact.debtor)
        AccountState.objects.create(
            account=account,
            portfolio_id=account.portfolio_id,
            debtor_id=contact.debtor_id,
            balance_minor=1,
            overdue_minor=1,
            bucket="x",
            stage=stage,
            segment="",
            stage_since=TODAY,
        )
    world.dispatch()
    assert ended(contact) == ("BLOCKED" if end else "SENT", end)


def test_an_answer_leaves_as_it_was_written_and_counts_against_no_cap(world):
    first = world.someone_due()
    world.dispatch()
    talk = Conversation.objects.create(
        channel="email",
        address=first.point.value,
        debtor=first.debtor,
        opened_at=world.now,
        last_at=world.now,
        last_inbound_at=world.now,
    )
    answer = world.planned(
        first.debtor,
        template_code="",
        purpose="REPLY",
        priority=0,
        conversation_id=talk.pk,
        subject="Su consulta",
        body="Recibimos su mensaje.",
        author="ana",
        replies_to_at=world.now,
    )
    assert world.dispatch() == NOTHING | {"leased": 1, "sent": 1}
    answer.refresh_from_db()
    assert (answer.body, answer.author, answer.template) == ("Recibimos su mensaje.", "ana", None)
    assert b"Recibimos su mensaje." in bytes(MailboxMessage.objects.order_by("-pk")[0].raw)
    assert snapshot.contact_history([first.debtor_id], since=TODAY).num_rows == 1


def test_a_call_that_nobody_took_is_known_to_have_reached_nobody(world):
    contact = world.someone_due()
    world.dispatch()
    reached = []
    for said in (None, False, True):
        Contact.objects.filter(pk=contact.pk).update(reached=said)
        reached += snapshot.contact_history(None, since=TODAY)["reached"].to_pylist()
    assert reached == [True, False, True]
