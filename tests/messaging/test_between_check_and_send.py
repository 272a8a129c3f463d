"""Between the last check and the first byte time passes and things happen: the hours close, a person is left alone."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from recobra.conversations.inbox import take_over
from recobra.conversations.models import Conversation
from recobra.messaging.dispatch.prepare import LEAVES_WITHIN
from recobra.messaging.dispatch.run import dispatch_due
from recobra.messaging.models import Contact
from recobra.portfolio.operations import place_hold
from tests.conversations.test_bot_conversations import Chat, provider, rosa
from tests.messaging.smtp_sink import Sink
from tests.people import acting
from tests.worlds import TODAY

from .test_dispatch import ended

__all__ = ["provider", "rosa"]
pytestmark = pytest.mark.django_db(transaction=True)

CLOSES = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
"""20:00 of that Monday in Lima: Peru, Ley 29571 art. 62.b."""
SLOW = 1.0  # seconds until the server says that it has a message


@pytest.fixture
def slow_server(settings):
    with Sink(faults={}, delay_seconds=SLOW) as sink:
        settings.SMTP_URL = sink.url
        yield sink


def test_the_last_seconds_are_not_for_what_was_judged_before(world, slow_server):
    """Of two messages judged together the second would leave when nobody may be written to any more."""
    first, second = two_due(world)
    early = CLOSES - LEAVES_WITHIN - timedelta(seconds=1)
    gone = Contact.objects.filter(handed_over_at__isnull=False)
    dispatch_due(instant=lambda: CLOSES - LEAVES_WITHIN if gone.exists() else early)
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.status, first.judged_at, first.handed_over_at) == ("SENT", early, early)
    assert first.sent_at == CLOSES - LEAVES_WITHIN, "not when it was judged"
    assert (second.status, second.due_at, second.handed_over_at) == ("DUE", CLOSES, None)
    world.dispatch(now=CLOSES)
    assert ended(second) == ("BLOCKED", "closed_hour")
    assert sum(slow_server.accepted.values()) == 1


def test_what_might_leave_late_waits_for_the_law_s_answer(world, slow_server):
    contact = world.someone_due()
    world.dispatch(now=CLOSES - LEAVES_WITHIN)
    contact.refresh_from_db()
    assert (contact.status, contact.due_at) == ("DUE", CLOSES)
    assert not slow_server.accepted


@pytest.mark.parametrize(
    ("purpose", "status", "reason"), [("CLAIM", "CANCELLED", "hold"), ("MANUAL", "BLOCKED", "held")]
)
def test_who_is_left_alone_from_now_on_gets_nothing_that_was_judged_before(world, slow_server, purpose, status, reason):
    def hold(contact):
        Contact.objects.filter(pk=contact.pk).update(purpose=purpose)
        assert contact.status == "LEASED"
        place_hold(debtor_id=contact.debtor_id, reason="DISPUTE", starts_on=TODAY, actor=acting("ana", now=world.now))

    first, second = two_due(world)
    thread = threading.Thread(target=dispatching, args=(world,))
    thread.start()
    wait_for(lambda: Contact.objects.filter(pk=first.pk, handed_over_at__isnull=False).exists())
    hold(Contact.objects.get(pk=second.pk))
    thread.join(60)
    assert not thread.is_alive()
    assert (ended(first)[0], ended(second)) == ("SENT", (status, reason))
    assert sum(slow_server.accepted.values()) == 1


def test_a_contact_that_somebody_is_changing_holds_nobody_else_up(world, slow_server):
    """A load may take minutes: meanwhile the hours of the others would end."""
    first, changing, last = (world.someone_due(due_at=world.now, priority=n) for n in (1, 2, 3))
    thread = threading.Thread(target=dispatching, args=(world,))
    thread.start()
    wait_for(lambda: Contact.objects.filter(pk=first.pk, handed_over_at__isnull=False).exists())
    with transaction.atomic():
        assert Contact.objects.select_for_update().get(pk=changing.pk).status == "LEASED"
        thread.join(60)
        assert not thread.is_alive()
    assert [ended(each)[0] for each in (first, changing, last)] == ["SENT", "LEASED", "SENT"]
    world.dispatch()
    assert ended(changing) == ("SENT", "")
    assert list(slow_server.accepted.values()) == [1, 1, 1]


def test_a_dispatcher_and_whoever_takes_a_conversation_over_never_wait_for_each_other(world, provider, rosa, cast):
    chat = Chat(world, provider)
    chat.writes("¿cuánto debo?")
    (queued,) = chat.outbox()
    night, ana = chat.at + timedelta(hours=12), cast["ana"].pk
    thread = threading.Thread(target=dispatching, args=(world,), kwargs={"now": night})
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update().get()
        thread.start()
        wait_for(somebody_waits)
        take_over(conversation_id=conversation.pk, to_id=ana, actor=acting("ana", now=chat.at, user_id=ana))
    thread.join(60)
    assert not thread.is_alive()
    assert ended(queued) == ("CANCELLED", "taken_over")


def wait_for(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def somebody_waits():
    """Tell if a connection waits for this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        )
        return cursor.fetchone()[0] > 0


def two_due(world):
    """A dispatcher hands over one message at first, and the second one when it has heard of that."""
    return [world.someone_due(due_at=world.now, priority=n) for n in (1, 2)]


def dispatching(world, **changes):
    try:
        world.dispatch(**changes)
    finally:
        connection.close()
