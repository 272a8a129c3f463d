"""An erasure beside a load, a dispatcher and another erasure: nobody comes back, and nothing is half erased."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest
from django.db import connection

from recobra.access.actors import actor_for
from recobra.compliance.models import Closing
from recobra.compliance.retention import requests, schedule
from recobra.consent.models import ConsentEntry
from recobra.conversations.models import Conversation
from recobra.conversations.webhooks.apply import apply_events
from recobra.intake import portfolio_lock
from recobra.intake.portfolio_lock import lock_portfolio
from recobra.intake.refusals import LoadRefused
from recobra.journal.models import Entry
from recobra.messaging.channels.adapter import InboundEvent
from recobra.messaging.dispatch.lease import lease_contacts
from recobra.messaging.models import Contact
from recobra.portfolio.models import Debtor
from tests import databases
from tests.people import acting

from . import forgotten

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LEASE = "7f4f1f1e-0000-4000-8000-000000000002"
WAITING = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
ERASE_POINTS = "UPDATE portfolio_contactpoint SET value = 'anonymised:1', retired_at = now() WHERE debtor_id = %s"
LOCKED = "SELECT pg_advisory_lock{}(hashtext('intake'), %s)"


def night():
    return schedule.erase_due(day=NOW.date(), actor=acting("night", now=NOW))


@pytest.fixture
def elsewhere():
    """Another connection to the database."""
    with psycopg.connect(databases.url_of(), autocommit=True) as server:
        yield server


@pytest.mark.django_db
def test_nobody_is_erased_while_a_file_of_the_creditor_is_loaded(company, cast, elsewhere):
    (debtor,) = forgotten.settle(company, 1)
    manager = actor_for(cast["carla"], now=NOW)
    request = requests.record_request(
        debtor_id=debtor.pk, kind="ERASURE", asked_on=NOW.date(), note="Por carta", today=NOW.date(), actor=manager
    )
    elsewhere.execute(LOCKED.format(""), [company.pk])
    with pytest.raises(requests.RequestRefused, match="Se está cargando"):
        requests.answer_erasure(request_id=request.pk, day=NOW.date(), actor=manager)
    request.refresh_from_db()
    assert request.answered_at is None, "it waits for its answer"
    request.delete()
    assert night().blocked == {"load_running": 1}
    elsewhere.execute("SELECT pg_advisory_unlock_all()")
    assert night().anonymised == 1


@pytest.mark.django_db
def test_a_load_waits_for_an_erasure_and_not_for_another_load(company, elsewhere, monkeypatch):
    elsewhere.execute(LOCKED.format("_shared"), [company.pk])
    threading.Timer(0.3, lambda: elsewhere.execute("SELECT pg_advisory_unlock_all()")).start()
    with lock_portfolio(company.pk):
        pass
    elsewhere.execute(LOCKED.format(""), [company.pk])
    with pytest.raises(LoadRefused), lock_portfolio(company.pk):
        pass
    elsewhere.execute("SELECT pg_advisory_unlock_all()")
    elsewhere.execute(LOCKED.format("_shared"), [company.pk])
    monkeypatch.setattr(portfolio_lock, "WAIT_SECONDS", 0.2)
    with pytest.raises(LoadRefused), lock_portfolio(company.pk):
        pass


@pytest.mark.django_db
def test_who_has_a_message_under_way_is_not_erased_and_who_is_being_erased_gets_none(company):
    (debtor,) = forgotten.settle(company, 1)
    contact = Contact.objects.filter(debtor=debtor).first()
    Contact.objects.filter(pk=contact.pk).update(status="DUE", due_at=NOW, handed_over_at=None)
    assert lease_contacts(lease=LEASE, now=NOW, limit=10) == [contact.pk]
    assert night().blocked == {"message_under_way": 1}
    Contact.objects.filter(pk=contact.pk).update(handed_over_at=NOW)
    assert night().blocked == {"message_under_way": 1}
    contact.refresh_from_db()
    assert contact.address


@pytest.mark.django_db(transaction=True)
def test_a_dispatcher_passes_over_a_debtor_who_is_being_erased(company, elsewhere):
    (debtor,) = forgotten.settle(company, 1)
    Contact.objects.filter(debtor=debtor).update(status="DUE", due_at=NOW, handed_over_at=None)
    with elsewhere.transaction():
        elsewhere.execute("SELECT FROM portfolio_debtor WHERE id = %s FOR UPDATE", [debtor.pk])
        assert lease_contacts(lease=LEASE, now=NOW, limit=10) == []


@pytest.mark.django_db(transaction=True)
def test_two_erasures_at_once_erase_each_person_once(company, monkeypatch):
    monkeypatch.setattr(schedule, "BATCH_SIZE", 4)
    forgotten.settle(company, 12)

    def erase():
        try:
            return night().anonymised
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        counts = [each.result(60) for each in (pool.submit(erase), pool.submit(erase))]
    assert sum(counts) == 12
    assert Entry.objects.filter(kind="debtor.erased").values("debtor_id").distinct().count() == 12
    assert Debtor.objects.filter(erased_at__isnull=False).count() == 12
    assert not Closing.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("words", ["Hola", "BAJA"])
def test_who_writes_while_being_erased_writes_from_a_number_that_nobody_has(company, elsewhere, words):
    _silent, debtor = forgotten.settle(company, 2)
    contact = Contact.objects.get(debtor=debtor)
    number = debtor.points.get().value
    Contact.objects.filter(pk=contact.pk).update(address=number, provider_reference="wamid.1", channel="whatsapp")
    event = InboundEvent(
        address=number, text=words, at=NOW, event_key="e", provider_reference="r", context_reference="wamid.1"
    )

    def write():
        try:
            apply_events(events=[event], provider_id=None, channel="whatsapp", actor=acting("provider", now=NOW))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with elsewhere.transaction():
            elsewhere.execute("SELECT FROM portfolio_debtor WHERE id = %s FOR UPDATE", [debtor.pk])
            writing = pool.submit(write)
            while not elsewhere.execute(WAITING).fetchone()[0]:
                assert not writing.done()
            elsewhere.execute(ERASE_POINTS, [debtor.pk])
            elsewhere.execute("UPDATE portfolio_debtor SET erased_at = now() WHERE id = %s", [debtor.pk])
        writing.result(60)
    assert Conversation.objects.get(channel="whatsapp").debtor is None
    assert [entry.debtor for entry in ConsentEntry.objects.filter(at=NOW)] == [None] * (words == "BAJA")
