"""Planning twice plans once, and what is planned can be taken back."""

from __future__ import annotations

import threading

import pyarrow as pa
import pytest
from django.db import connections, transaction

from recobra.messaging import operations as messaging
from recobra.messaging import snapshot
from recobra.messaging.models import Contact
from recobra.messaging.outbox import wake_up
from recobra.messaging.outbox.plan import PLANNED
from tests.people import acting
from tests.worlds import TODAY

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_same_plan_twice_is_written_once(world):
    rows = [world.row(world.debtor()) for _ in range(3)]
    rows.append(world.row(world.debtor(), status="BLOCKED", reason="held", rule="ALL/hold", article="ILLNESS"))
    table = pa.Table.from_pylist(rows, schema=PLANNED)
    first = messaging.plan_contacts(contacts=table, actor=acting("cycle", now=world.now))
    again = messaging.plan_contacts(contacts=table, actor=acting("cycle", now=world.now))
    assert first.num_rows == 4
    assert set(first.column_names) == {"debtor_id", "channel", "contact_id"}
    assert again.num_rows == 0
    assert Contact.objects.count() == 4
    blocked = Contact.objects.get(status="BLOCKED")
    assert (blocked.reason, blocked.rule, blocked.article) == ("held", "ALL/hold", "ILLNESS")
    assert [row[0] for row in world.facts("contact.blocked")] == [blocked.pk]


def test_an_empty_plan_is_no_plan(world):
    assert messaging.plan_contacts(contacts=PLANNED.empty_table(), actor=acting("cycle", now=world.now)).num_rows == 0
    assert messaging.cancel_planned(debtor_ids=[], reason="payment", actor=acting("cycle", now=world.now)) == 0


def test_taking_back_leaves_what_was_sent_and_other_people_alone(world):
    mine, other = world.someone_due(), world.someone_due()
    sent = world.planned(mine.debtor, planned_for=TODAY.replace(day=20))
    Contact.objects.filter(pk=sent.pk).update(status="SENT", handed_over_at=world.now)
    count = messaging.cancel_planned(
        debtor_ids=[mine.debtor_id], reason="payment", actor=acting("intake", now=world.now)
    )
    assert count == 1
    assert dict(Contact.objects.values_list("pk", "status")) == {mine.pk: "CANCELLED", other.pk: "DUE", sent.pk: "SENT"}
    assert world.facts("contact.cancelled") == [(mine.pk, "payment")]


def test_history_has_what_may_have_been_received(world):
    contacts = [world.someone_due() for _ in range(4)]
    for contact, status in zip(contacts, ["SENT", "UNCERTAIN", "FAILED", "DUE"], strict=True):
        handed_over = world.now if status in {"SENT", "UNCERTAIN"} else None
        Contact.objects.filter(pk=contact.pk).update(
            status=status, handed_over_at=handed_over, local_date=TODAY, reason="x"
        )
    everyone = snapshot.contact_history(None, since=TODAY)
    assert everyone["debtor_id"].to_pylist() == [contacts[0].debtor_id, contacts[1].debtor_id]
    assert everyone["channel"].to_pylist() == ["email", "email"]
    assert snapshot.contact_history([contacts[1].debtor_id], since=TODAY).num_rows == 1
    assert snapshot.contact_history(None, since=TODAY.replace(day=24)).num_rows == 0


def test_a_dispatcher_that_waits_is_called_when_the_plan_is_committed(world):
    listening, called, stop = threading.Event(), threading.Event(), threading.Event()

    def wait():
        wake_up.listen_for_calls()
        listening.set()
        wake_up.wait_for_call(seconds=300, is_stopping=stop.is_set)
        called.set()
        connections.close_all()

    waiting = threading.Thread(target=wait)
    waiting.start()
    try:
        assert listening.wait(30)
        with transaction.atomic():
            world.someone_due()
            assert not called.wait(0.3), "nothing can be sent yet"
        assert called.wait(30)
    finally:
        stop.set()
        waiting.join(30)
