"""After a restore nothing leaves until a person says so, and what may have left before the restore does not go twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from recobra.access.actors import actor_for
from recobra.access.permissions import NotAllowed
from recobra.messaging import sending_stop
from recobra.messaging.channels.letter.operations import LettersRefused, print_letters
from recobra.messaging.dispatch.handover import mark_handed_over
from recobra.messaging.dispatch.lease import lease_contacts
from recobra.messaging.dispatch.prepare import prepare_batch
from recobra.messaging.models import Contact, Letter, SendingStop
from recobra.messaging.providers import routing
from recobra.messaging.sending_stop import ResumeRefused, resume_sending, stop_sending
from tests.people import acting

from .smtp_sink import Sink

LEASE = "7f4f1f1e-0000-4000-8000-000000000001"


@pytest.fixture
def server(settings):
    with Sink(faults={}) as sink:
        settings.SMTP_URL = sink.url
        yield sink


def restored(now):
    return stop_sending(state_of=now - timedelta(hours=9), actor=acting("command", now=now))


@pytest.mark.django_db(transaction=True)
def test_nothing_leaves_until_a_person_says_so_and_the_old_plan_never(world, server):
    old, later = world.someone_due(), world.someone_due()
    restored(world.now)
    Contact.objects.filter(pk=later.pk).update(planned_at=world.now + timedelta(minutes=1))
    written = world.someone_due(purpose="MANUAL", body="Le escribo yo.", template_code="")
    Contact.objects.filter(pk=written.pk).update(planned_at=world.now + timedelta(minutes=1))
    assert world.dispatch()["leased"] == 0
    assert not server.accepted
    stop = sending_stop.find_stop()
    assert sending_stop.count_taken_back(stop) == 2
    assert resume_sending(actor=acting("dario", now=world.now)) == 2
    assert not sending_stop.is_stopped()
    for contact in (old, later):
        contact.refresh_from_db()
        assert (contact.status, contact.reason) == ("CANCELLED", "restored")
    world.someone_due()
    assert world.dispatch()["sent"] == 2, "what a person wrote since, and what is planned from now on"
    assert len(world.facts("sending.stopped")) == len(world.facts("sending.resumed")) == 1


@pytest.mark.django_db
def test_what_was_leased_before_is_not_handed_over(world, server):
    contact = world.someone_due()
    lease_contacts(lease=LEASE, now=world.now, limit=10)
    batch = prepare_batch([contact.pk], now=world.now, routes=routing.load_routes())
    restored(world.now)
    assert len(batch.ready) == 1
    assert mark_handed_over(batch.ready, lease=LEASE, now=world.now) == set()


@pytest.mark.django_db
def test_letters_that_waited_are_not_printed(post):
    contact = post.sent(post.debtor())
    Letter.objects.create(contact=contact, reference="R-1", changed_at=post.now)
    restored(post.now)
    actor = acting("carla", now=post.now)
    with pytest.raises(LettersRefused, match="Se restauró un respaldo"):
        print_letters(country="PE", actor=actor)
    assert resume_sending(actor=acting("dario", now=post.now)) == 1
    with pytest.raises(LettersRefused, match="No hay cartas por imprimir"):
        print_letters(country="PE", actor=actor)


@pytest.mark.django_db
def test_who_may_not_manage_ways_out_or_sees_a_part_only_lets_nothing_go(now, cast):
    restored(now)
    assert stop_sending(state_of=None, actor=acting("command", now=now)).pk == restored(now).pk
    with pytest.raises(IntegrityError), transaction.atomic():
        SendingStop.objects.create(began_at=now, began_by="command")
    with pytest.raises(NotAllowed):
        resume_sending(actor=actor_for(cast["carla"], now=now))
    dario = actor_for(cast["dario"], now=now)
    with pytest.raises(NotAllowed):
        resume_sending(actor=replace(dario, portfolio_codes=frozenset({"PE-CONSUMO"})))
    resume_sending(actor=dario)
    with pytest.raises(ResumeRefused):
        resume_sending(actor=dario)
