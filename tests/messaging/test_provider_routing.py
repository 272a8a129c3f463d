"""By which provider a message leaves, how fast, and which one is left alone."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest
from django.db import connection, connections

from recobra.messaging.dispatch import dispatcher
from recobra.messaging.models import Contact, ProviderState, Template
from recobra.messaging.providers import routing
from tests.messaging.http_sink import Gateway

from .test_dispatch import NOTHING, ended

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = (
    "{{ acreedor }}: su deuda vencida es {{ total_vencido }}. Cómo pagar: {{ como_pagar }} "
    "Reclamos: {{ como_reclamar }} {{ como_parar }}"
)


@pytest.fixture
def sms(world):
    """Someone with a telephone is due a message by SMS."""
    Template.objects.create(
        code="cobro-sms",
        channel="sms",
        name="SMS",
        subject="",
        text=TEXT,
        html="",
        version=1,
        status="APPROVED",
        created_at=world.now,
        created_by="ana",
    )

    def due(number="+51987654321", **changes):
        debtor = world.debtor()
        debtor.points.update(kind="PHONE", value=number)
        world.owes(debtor)
        return world.planned(debtor, **{"channel": "sms", "template_code": "cobro-sms", **changes})

    return due


@pytest.fixture
def gateway():
    with Gateway(faults={}) as server:
        yield server


def test_an_sms_leaves_by_the_provider_that_is_configured_and_says_so(world, sms, gateway):
    provider = gateway.provider(now=world.now, price_micros=7_900, price_currency="USD")
    contact = sms()
    assert world.dispatch() == NOTHING | {"leased": 1, "sent": 1}
    contact.refresh_from_db()
    assert gateway.numbers == ["+51987654321"]
    assert (contact.provider, contact.provider_reference) == (provider, f"G-{contact.public_id}")
    assert (contact.price_micros, contact.price_currency) == (7_900, "USD")
    assert contact.verdict["zone"] == "America/Lima"
    assert contact.verdict["local"].startswith("2026-11-23T10:00:")
    assert contact.verdict["local"].endswith("-05:00")
    assert contact.verdict["rule"]
    assert contact.verdict["rules_version"]
    assert contact.verdict["facts"]["purpose"] == "CLAIM"


@pytest.mark.parametrize("fault", ["connect drop", "request drop", "accepted drop", "accepted 503", "accepted half"])
def test_what_may_have_arrived_is_uncertain_and_leaves_by_no_other_provider(world, sms, gateway, fault):
    gateway.faults = {fault: 1.0}
    gateway.provider(now=world.now, code="first", rank=1)
    with Gateway(faults={}) as other:
        other.provider(now=world.now, code="second", rank=2)
        contact = sms()
        world.dispatch()
        world.dispatch()
        assert not other.numbers
    assert ended(contact) == ("UNCERTAIN", "lost")


def test_where_the_first_provider_certainly_did_not_take_it_the_next_one_does(world, sms):
    with Gateway(faults={}) as gone:
        gone.provider(now=world.now, code="first", rank=1)
    with Gateway(faults={}) as other:
        second = other.provider(now=world.now, code="second", rank=2)
        contacts = [sms(f"+5198765432{n}") for n in range(4)]
        assert world.dispatch()["sent"] == 4
        assert len(other.numbers) == 4
    for contact in contacts:
        assert ended(contact) == ("SENT", "")
        assert contact.provider == second
        assert contact.attempts == 1


def test_a_provider_of_another_country_is_not_used(world, sms, gateway, settings):
    settings.DEMO = False
    gateway.provider(now=world.now, country="MX")
    contact = sms()
    world.dispatch()
    assert ended(contact) == ("BLOCKED", "no_channel")


def test_the_allowance_is_shared_by_all_who_ask(world, gateway):
    """Two dispatchers at ten a second: over any second no more than ten and what one tenth of a second saves up."""
    provider = gateway.provider(now=world.now, rate_per_second=10)
    granted, done = [], threading.Event()

    def ask():
        while not done.is_set():
            if routing.take_allowance(provider_id=provider.pk, wanted=5):
                granted.append(time.monotonic())
            time.sleep(0.005)
        connections.close_all()

    crew = [threading.Thread(target=ask) for _ in range(2)]
    for thread in crew:
        thread.start()
    time.sleep(3)
    done.set()
    for thread in crew:
        thread.join()
    fullest = max(sum(begin <= at < begin + 1 for at in granted) for begin in granted)
    assert 8 <= fullest <= 11
    assert 20 <= len(granted) <= 31


def test_a_slow_provider_does_not_keep_the_others_waiting(world, sms, gateway, monkeypatch):
    gateway.provider(now=world.now, rate_per_second=2)
    monkeypatch.setattr(dispatcher, "LIMITED_SECONDS", 0.6)
    for n in range(5):
        sms(f"+5198765432{n}")
    letters = [world.someone_due() for _ in range(5)]
    world.dispatch(limit=7)
    assert [ended(each)[0] for each in letters] == ["SENT"] * 5
    assert 1 <= len(gateway.numbers) <= 2


def test_answers_go_before_everything_else(world, sms, gateway):
    gateway.provider(now=world.now)
    sms("+51911111111")
    later = sms("+51922222222")
    Contact.objects.filter(pk=later.pk).update(priority=0)
    world.dispatch(limit=1)
    assert gateway.numbers == ["+51922222222"]


def test_after_so_many_failures_in_a_row_the_provider_rests_for_all_and_is_tried_once(world, gateway):
    provider = gateway.provider(now=world.now)
    ask = {"provider_id": provider.pk, "wanted": 10}
    assert routing.take_allowance(**ask) == 10
    for _ in range(routing.FAILURES_TO_OPEN):
        assert routing.load_routes().open_routes("sms", "PE")
        routing.record_failure(provider.pk)
    assert not routing.load_routes().open_routes("sms", "PE")
    assert routing.take_allowance(**ask) == 0
    _rest_is_over(provider)
    assert routing.load_routes().open_routes("sms", "PE")
    assert [routing.take_allowance(**ask), routing.take_allowance(**ask)] == [1, 0], "one trial, by one dispatcher"
    routing.record_failure(provider.pk)
    state = ProviderState.objects.get()
    assert state.failures == routing.FAILURES_TO_OPEN + 1
    assert not routing.load_routes().open_routes("sms", "PE")
    _rest_is_over(provider)
    assert routing.take_allowance(**ask) == 1
    routing.record_success(provider.pk)
    assert routing.take_allowance(**ask) == 10


def _rest_is_over(provider):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_providerstate SET open_until = clock_timestamp() - interval '1 second'"
            " WHERE provider_id = %s",
            [provider.pk],
        )


def test_a_provider_that_does_not_answer_is_given_few_messages(world, sms, gateway):
    """Nobody knows what became of those; the rest waits for a better hour."""
    gateway.faults = {"accepted drop": 1.0}
    gateway.provider(now=world.now)
    for n in range(40):
        sms(f"+519876543{n:02}")
    world.dispatch()
    statuses = Counter(Contact.objects.values_list("status", flat=True))
    assert statuses == {"UNCERTAIN": routing.FAILURES_TO_OPEN, "DUE": 40 - routing.FAILURES_TO_OPEN}


def test_settings_that_cannot_be_used_leave_everything_as_it_was(world, sms, gateway):
    gateway.provider(now=world.now, settings={"document": "name: nothing else"})
    contact = sms()
    assert world.dispatch()["sent"] == 0
    assert ended(contact) == ("DUE", "")
    assert contact.attempts == 0
