"""Planning twice plans once, and what is planned can be taken back."""

from __future__ import annotations

import random
import threading
import time

import pyarrow as pa
import pytest
from django.db import connection, connections, transaction

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


def test_each_slot_is_written_once_however_the_rows_come(world):
    """The rows of two plans, against what a loop over them would write."""
    debtors = [world.debtor() for _ in range(3)]
    choice = random.Random(11)
    plans = [[_any_row(world, choice, debtors) for _ in range(60)] for _ in range(2)]
    taken = set()
    expected = []
    for plan in plans:
        for row in sorted(plan, key=lambda row: row["debtor_id"]):
            is_refusal = row["status"] == "BLOCKED"
            slot = (row["debtor_id"], row["channel"], row["planned_for"], is_refusal and row["step_key"])
            if is_refusal or row["purpose"] != "REPLY":
                if slot in taken:
                    continue
                taken.add(slot)
            expected.append((*slot[:3], row["status"], row["step_key"], row["purpose"], row["subject"]))
    written = [contact_id for plan in plans for contact_id in world.plan_rows(plan)]
    names = ("debtor_id", "channel", "planned_for", "status", "step_key", "purpose", "subject")
    stored = Contact.objects.order_by("pk")
    assert [tuple(getattr(contact, name) for name in names) for contact in stored] == expected
    assert written == list(Contact.objects.order_by("pk").values_list("pk", flat=True))
    assert len(written) == Contact.objects.values("public_id").distinct().count() > 30


def _any_row(world, choice, debtors):
    status = choice.choice(["DUE", "DUE", "BLOCKED"])
    return world.row(
        choice.choice(debtors),
        status=status,
        reason="held" if status == "BLOCKED" else None,
        channel=choice.choice(["email", "sms"]),
        planned_for=TODAY.replace(day=choice.choice([20, 21])),
        step_key=choice.choice(["recordatorio", "aviso"]),
        purpose=choice.choice(["CLAIM", "REPLY"]),
        subject=f"Asunto {choice.random()}",
        priority=5,
        author="",
    )


def test_who_plans_the_same_contact_at_the_same_moment_finds_it_written(world):
    debtors = [world.debtor() for _ in range(3)]
    written = []

    def plan_everybody():
        try:
            written.extend(contact.debtor_id for contact in world.plan_rows([world.row(each) for each in debtors]))
        finally:
            connection.close()

    beside = threading.Thread(target=plan_everybody)
    with transaction.atomic():
        first = world.planned(debtors[1])
        beside.start()
        _wait_for_a_lock()
    beside.join(60)
    assert written == [debtors[0].pk, debtors[2].pk]
    assert list(Contact.objects.filter(debtor=debtors[1])) == [first]
    assert Contact.objects.count() == 3


def _wait_for_a_lock():
    """Return once some connection waits for another's transaction."""
    for _try in range(200):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("Nobody waits for the contact that is being written.")


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
