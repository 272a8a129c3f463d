"""What the server does with a message decides whether it is over, may be tried again, or nobody knows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from recobra.messaging.channels.email.server import ServerUnsuitable
from recobra.messaging.models import Contact
from recobra.portfolio.models import ContactPoint
from tests.messaging.smtp_sink import Sink
from tests.worlds import soon

from .test_dispatch import NOTHING, ended

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        ("mail 451", "DUE", ""),
        ("rcpt 450", "DUE", ""),
        ("data 451", "DUE", ""),
        ("mail drop", "DUE", ""),
        ("data drop", "DUE", ""),
        ("dot 452", "DUE", ""),
        ("rcpt 550", "FAILED", "refused"),
        ("dot 554", "FAILED", "refused"),
        ("dot drop", "UNCERTAIN", "lost"),
        ("accepted drop", "UNCERTAIN", "lost"),
        ("greet 421", "DUE", ""),
        ("greet drop", "DUE", ""),
    ],
)
def test_what_the_server_did_decides_whether_it_may_be_tried_again(world, settings, fault, status, reason):
    contact = world.someone_due()
    with Sink(faults={fault: 1.0}) as sink:
        settings.SMTP_URL = sink.url
        world.dispatch()
    assert ended(contact) == (status, reason)
    assert contact.answer
    assert contact.attempts == (0 if fault.startswith("greet") else 1), "a server out of reach has not seen it"
    if status == "DUE":
        assert contact.due_at > world.now
        assert contact.handed_over_at is None
    if status == "UNCERTAIN":
        with Sink(faults={}) as sink:
            settings.SMTP_URL = sink.url
            assert world.dispatch(now=world.now + timedelta(hours=1)) == NOTHING
        assert not sink.accepted


def test_putting_off_ends_after_so_many_tries(world, settings):
    contact = world.someone_due()
    now = world.now
    with Sink(faults={"rcpt 450": 1.0}) as sink:
        settings.SMTP_URL = sink.url
        for _ in range(6):
            world.dispatch(now=now)
            contact.refresh_from_db()
            now = max(now, contact.due_at)
    assert ended(contact) == ("FAILED", "too_many_tries")
    assert "greylisted" in contact.answer


def test_an_address_that_does_not_exist_is_retired(world, settings):
    contact = world.someone_due()
    with Sink(faults={"rcpt 550": 1.0}) as sink:
        settings.SMTP_URL = sink.url
        world.dispatch()
    point = ContactPoint.objects.get(pk=contact.point_id)
    assert (point.retired_at, point.quality) == (soon(world.now), 0)


def test_a_server_that_cannot_be_reached_spares_the_rest(world, settings):
    contacts = [world.someone_due() for _ in range(6)]
    with Sink(faults={}) as sink:
        settings.SMTP_URL = sink.url
    assert world.dispatch()["sent"] == 0
    assert Contact.objects.filter(due_at__gt=world.now).count() == 3
    assert Contact.objects.filter(status="DUE").count() == len(contacts)


def test_a_server_that_is_away_for_hours_ends_nothing(world, settings):
    contact = world.someone_due()
    with Sink(faults={}) as sink:
        settings.SMTP_URL = sink.url
    for minutes in range(0, 40, 2):
        world.dispatch(now=world.now + timedelta(minutes=minutes))
    assert ended(contact) == ("DUE", "")
    with Sink(faults={}) as sink:
        settings.SMTP_URL = sink.url
        assert world.dispatch(now=world.now + timedelta(minutes=42))["sent"] == 1


def test_a_wrong_server_address_is_said_and_leaves_everything_as_it_was(world, settings):
    contact = world.someone_due()
    settings.SMTP_URL = "smtp://mail.example:25"
    with pytest.raises(ServerUnsuitable, match="nothing leaves the machine"):
        world.dispatch()
    assert ended(contact) == ("DUE", "")
    assert contact.attempts == 0
