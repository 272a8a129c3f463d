"""Debtors who are joined while messages leave: one person gets one message of a step, and what he said holds."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections
from django.test import Client

from recobra.access.actors import actor_for
from recobra.compliance.retention import requests
from recobra.conversations.models import Conversation
from recobra.conversations.webhooks.apply import apply_events
from recobra.journal.seal import seal_journal
from recobra.journal.seal_signature import trusted_signers
from recobra.journal.verification import verify_journal
from recobra.messaging.channels.adapter import InboundEvent
from recobra.messaging.models import Contact
from recobra.messaging.tokens import unsubscribe_url
from recobra.portfolio.debtor_joins import join_debtors, part_debtors
from tests.compliance import forgotten
from tests.messaging.smtp_sink import Sink
from tests.people import acting

pytestmark = pytest.mark.django_db(transaction=True)


def join(kept, joined, world):
    """Join two debtors in a thread with a database connection of its own, as a person does beside the dispatcher."""

    def body():
        actor = acting("dario", now=world.now)
        join_debtors(kept_id=kept.debtor_id, joined_id=joined.debtor_id, reason="DOCUMENT", actor=actor)
        connections.close_all()

    thread = threading.Thread(target=body)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


def ended(contact):
    contact.refresh_from_db()
    return contact.status, contact.reason


class Server(Sink):
    """Takes the first message and is busy with the second, meanwhile both debtors are joined."""

    def __init__(self, between, **more):
        super().__init__(faults={}, **more)
        self.between = between
        self.seen = 0

    def _fault(self, stage, writer):
        if stage == "dot":
            self.seen += 1
            if self.seen == 2:
                self.between()
                self._refuse("452", writer)
                return True
        return super()._fault(stage, writer)


@pytest.mark.parametrize("first_stays", [True, False])
def test_who_is_joined_while_one_of_two_messages_waits_for_another_try_gets_one(world, settings, first_stays):
    first, second = world.someone_due(), world.someone_due()
    kept, joined = (first, second) if first_stays else (second, first)
    with Server(lambda: join(kept, joined, world)) as sink:
        settings.SMTP_URL = sink.url
        assert world.dispatch()["sent"] == 1
    waiting = next(each for each in (first, second) if ended(each)[0] != "SENT")
    assert ended(waiting) == ("CANCELLED", "joined")
    assert sum(sink.accepted.values()) == 1


def test_the_message_of_who_was_joined_is_tried_again_where_that_of_who_stays_was_taken_back(world, settings):
    waiting, later = world.someone_due(), world.someone_due(due_at=world.now.replace(hour=22))

    class Busy(Server):
        def _fault(self, stage, writer):
            self.seen += stage == "dot"
            return super()._fault(stage, writer)

    with Busy(lambda: join(later, waiting, world)) as sink:
        settings.SMTP_URL = sink.url
        world.dispatch()
    assert ended(later) == ("CANCELLED", "joined")
    assert ended(waiting) == ("DUE", "")
    assert (waiting.debtor_id, waiting.is_doubled) == (later.debtor_id, False)


@pytest.fixture(autouse=True)
def _static_root(settings):
    """WhiteNoise warns of a missing folder for collected files; in tests none are collected."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


def hear(channel, address, text, world, **more):
    event = InboundEvent(
        address=address, text=text, at=world.now, event_key=f"e{text}", provider_reference=f"r{text}", **more
    )
    apply_events(events=[event], provider_id=None, channel=channel, actor=acting("provider", now=world.now))


def test_what_the_other_says_after_the_join_is_heard_for_both(world):
    kept, joined = world.someone_due(), world.someone_due()
    debtor, gone = kept.debtor, joined.debtor
    number = gone.points.create(kind="PHONE", value="+51999888777", valid=True)
    Contact.objects.filter(pk=joined.pk).update(status="SENT", handed_over_at=world.now, sent_at=world.now)
    join(kept, joined, world)
    link = "/d/baja/" + unsubscribe_url(joined.public_id).rpartition("/d/baja/")[2]
    assert Client().post(link).status_code == 200
    assert debtor.points.get(value=joined.point.value).opted_out_at is not None
    assert debtor.points.get(value=kept.point.value).opted_out_at is None
    due = world.planned(debtor, point_id=number.pk, channel="whatsapp")
    hear("whatsapp", number.value, "Hola, quiero pagar", world)
    assert ended(due) == ("CANCELLED", "replied")
    assert Conversation.objects.get(channel="whatsapp").debtor == debtor
    due = world.planned(debtor, point_id=number.pk, channel="sms")
    hear("sms", number.value, "BAJA", world)
    assert ended(due)[0] == "CANCELLED"
    assert debtor.points.get(pk=number.pk).opted_out_at is not None
    hear("email", joined.point.value, "No me escriban más", world, answers_id=joined.public_id)
    assert set(Conversation.objects.values_list("debtor", flat=True)) == {debtor.pk}
    verdict = world.planned(debtor, point_id=number.pk, channel="sms")
    world.dispatch(now=world.now + timedelta(minutes=1))
    assert ended(verdict)[0] == "BLOCKED"


@pytest.mark.parametrize("is_parted", [False, True])
def test_who_was_joined_is_erased_with_who_stays_and_alone_once_parted(company, cast, is_parted):
    now = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
    kept, joined = forgotten.settle(company, 2)
    actor = acting("dario", now=now)
    made = join_debtors(kept_id=kept.pk, joined_id=joined.pk, reason="DOCUMENT", actor=actor)
    if is_parted:
        part_debtors(join_id=made.pk, reason="MISTAKE", actor=actor)
    manager = actor_for(cast["carla"], now=now)
    asked = requests.record_request(
        debtor_id=kept.pk, kind="ERASURE", asked_on=now.date(), note="Por carta", today=now.date(), actor=manager
    )
    requests.answer_erasure(request_id=asked.pk, day=now.date(), actor=manager)
    for debtor in (kept, joined):
        debtor.refresh_from_db()
    assert kept.erased_at is not None
    assert "Olvidada" not in kept.name
    assert (joined.erased_at is None, "Olvidada" in joined.name) == (is_parted, is_parted)
    values = list(joined.points.values_list("value", flat=True))
    assert values == ([forgotten.phone(1)] if is_parted else [])
    assert not kept.points.filter(value__startswith="+").exists()
    seal_journal(now=now)
    assert verify_journal(signers=trusted_signers(now=now)).first_altered is None
