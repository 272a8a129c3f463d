"""What providers report counts once, in whatever order, late or twice; what they say of an address is acted on."""

from __future__ import annotations

import random
import uuid
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recobra.consent.models import ConsentEntry, Silence
from recobra.conversations.webhooks.apply import apply_events
from recobra.messaging.channels.adapter import InboundEvent, ReceiptEvent, TemplateEvent
from recobra.messaging.models import Contact, Provider, Receipt, Template, TemplateRegistration
from recobra.messaging.operations import match_waiting_receipts
from recobra.portfolio.models import ContactPoint
from tests.people import acting

pytestmark = pytest.mark.django_db
DERIVED = ("delivered_at", "read_at", "clicked_at", "undelivered_at", "complained_at", "reached", "status")
FACTS = ("sent", "delivered", "read", "clicked", "undelivered", "complained")


@pytest.fixture
def provider(world):
    return Provider.objects.create(
        code="mensajes", channel="sms", kind="http_sms", name="Mensajes", created_at=world.now, created_by="dario"
    )


@pytest.fixture
def rosa(world):
    return world.debtor()


@pytest.fixture
def number(rosa):
    return ContactPoint.objects.create(debtor=rosa, kind="PHONE", value="+51999888777", valid=True)


@pytest.fixture
def sent(world, provider, rosa, number):
    return handed_over(world, provider, rosa, number, status="SENT", provider_reference="SM1")


def handed_over(world, provider, debtor, point, **changes):
    contact = world.planned(debtor, channel="sms", point_id=point.pk)
    values = {
        "handed_over_at": world.now,
        "local_date": contact.planned_for,
        "attempts": 1,
        "provider": provider,
        "address": point.value,
        **changes,
    }
    if values.get("status") == "SENT":
        values["sent_at"] = world.now
    Contact.objects.filter(pk=contact.pk).update(**values)
    contact.refresh_from_db()
    return contact


def event(world, kind, *, minutes=1, key="", reference="SM1", **changes):
    at = world.now + timedelta(minutes=minutes)
    return ReceiptEvent(
        kind=kind, at=at, event_key=key or f"{reference}:{kind}:{minutes}", provider_reference=reference, **changes
    )


def told(world, provider, *events, later=timedelta(hours=1)):
    apply_events(events=events, provider_id=provider.pk, actor=acting("provider", now=world.now + later))


def story(world, contact):
    contact.refresh_from_db()
    facts = {kind: len(world.facts(f"contact.{kind}")) for kind in FACTS}
    return [getattr(contact, name) for name in DERIVED], facts


def test_a_message_is_delivered_read_and_clicked(world, provider, sent):
    told(world, provider, event(world, "ACCEPTED", minutes=0), event(world, "DELIVERED"))
    told(world, provider, event(world, "READ", minutes=5), event(world, "CLICKED", minutes=6))
    sent.refresh_from_db()
    minutes = [(at - world.now).seconds // 60 for at in (sent.delivered_at, sent.read_at, sent.clicked_at)]
    assert minutes == [1, 5, 6]
    assert sent.reached is True
    assert [len(world.facts(f"contact.{kind}")) for kind in FACTS] == [0, 1, 1, 1, 0, 0]


KINDS = ("ACCEPTED", "DELIVERED", "READ", "CLICKED", "FAILED", "BOUNCED", "COMPLAINED", "NOT_ANSWERED")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seen=st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 9)), min_size=1, max_size=8), chance=st.randoms())
def test_the_same_events_ten_times_in_any_order_and_grouping_give_one_state(world, provider, rosa, seen, chance):
    states = []
    for turn in range(2):
        point = ContactPoint.objects.create(
            debtor=rosa, kind="PHONE", value=f"+519{uuid.uuid4().int % 10**8:08}", valid=True
        )
        Contact.objects.filter(debtor=rosa).update(planned_for="2026-01-01", status="CANCELLED", reason="replanned")
        reference = f"SM{point.pk}"
        contact = handed_over(
            world, provider, rosa, point, status="UNCERTAIN", reason="lost", provider_reference=reference
        )
        events = [event(world, kind, minutes=minutes, reference=reference) for kind, minutes in seen]
        before = {kind: len(world.facts(f"contact.{kind}")) for kind in FACTS}
        if turn:
            events *= 10
            chance.shuffle(events)
        while events:
            size = chance.randint(1, 5) if turn else len(events)
            told(world, provider, *events[:size])
            events = events[size:]
        derived, facts = story(world, contact)
        point.refresh_from_db()
        states.append(
            (
                derived,
                {k: facts[k] - before[k] for k in FACTS},
                point.quality,
                point.retired_at,
                point.opted_out_at is not None,
            )
        )
    assert states[0] == states[1]
    assert max(states[0][1].values()) == 1


def test_a_receipt_that_is_faster_than_our_own_commit_waits_for_its_contact(world, provider, rosa, number):
    told(world, provider, event(world, "DELIVERED", reference="SM7"))
    assert Receipt.objects.get().contact is None
    contact = handed_over(world, provider, rosa, number, status="SENT", provider_reference="SM7")
    assert match_waiting_receipts(actor=acting("provider", now=world.now + timedelta(hours=1))) == 1
    contact.refresh_from_db()
    assert contact.delivered_at == world.now + timedelta(minutes=1)
    assert match_waiting_receipts(actor=acting("provider", now=world.now + timedelta(hours=1))) == 0
    assert len(world.facts("contact.delivered")) == 1


def test_another_providers_reference_is_another_message(world, provider, sent):
    other = Provider.objects.create(
        code="otro", channel="sms", kind="http_sms", name="Otro", created_at=world.now, created_by="dario"
    )
    told(world, other, event(world, "DELIVERED"))
    told(world, provider, event(world, "DELIVERED"))
    sent.refresh_from_db()
    assert sent.receipts.count() == 1
    assert Receipt.objects.count() == 2


def test_a_receipt_says_how_an_uncertain_contact_ended(world, provider, rosa, number):
    contact = handed_over(world, provider, rosa, number, status="UNCERTAIN", reason="lost")
    told(world, provider, event(world, "DELIVERED", reference="", key="a", public_id=contact.public_id))
    contact.refresh_from_db()
    assert (contact.status, contact.sent_at, contact.reason) == ("SENT", world.now, "")
    assert len(world.facts("contact.sent")) == 1


def test_what_turned_uncertain_after_its_receipt_came_is_settled_by_it(world, provider, rosa, number):
    contact = handed_over(world, provider, rosa, number, status="LEASED", lease=uuid.uuid4())
    told(world, provider, event(world, "DELIVERED", reference="", key="a", public_id=contact.public_id))
    contact.refresh_from_db()
    assert contact.status == "LEASED"  # its dispatcher will say
    Contact.objects.filter(pk=contact.pk).update(status="UNCERTAIN", reason="dispatcher_died")
    match_waiting_receipts(actor=acting("provider", now=world.now + timedelta(hours=1)))
    contact.refresh_from_db()
    assert contact.status == "SENT"


def test_what_arrived_although_the_provider_had_said_no_is_not_sent_again(world, provider, rosa, number):
    contact = handed_over(world, provider, rosa, number, status="DUE", handed_over_at=None)
    told(world, provider, event(world, "FAILED", reference="", key="f", public_id=contact.public_id))
    contact.refresh_from_db()
    assert contact.status == "DUE"
    told(world, provider, event(world, "DELIVERED", reference="", key="d", public_id=contact.public_id))
    contact.refresh_from_db()
    assert contact.status == "SENT"
    assert contact.handed_over_at is not None
    assert contact.local_date == contact.planned_for


def test_an_address_that_does_not_exist_is_retired_for_everybody(world, provider, sent, number):
    theirs = ContactPoint.objects.create(debtor=world.debtor(), kind="PHONE", value=number.value, valid=True)
    told(world, provider, event(world, "BOUNCED", permanent=True))
    for point in (number, theirs):
        point.refresh_from_db()
        assert point.quality == 0
        assert point.retired_at == world.now + timedelta(minutes=1)
    sent.refresh_from_db()
    assert sent.status == "SENT"
    assert sent.undelivered_at == world.now + timedelta(minutes=1)
    assert len(world.facts("contact.undelivered")) == 1


def test_a_number_without_the_channel_is_only_unusable_for_it(world, provider, sent, number):
    told(world, provider, event(world, "FAILED", permanent=True, unusable=True))
    told(world, provider, event(world, "FAILED", permanent=True, unusable=True, minutes=2))
    number.refresh_from_db()
    assert (number.unusable_for, number.retired_at, number.quality) == (["sms"], None, 50)


def test_a_message_that_did_not_arrive_this_once_makes_the_number_less_promising(world, provider, sent, number):
    told(world, provider, event(world, "FAILED"), event(world, "FAILED", minutes=2))
    told(world, provider, event(world, "FAILED"))
    number.refresh_from_db()
    assert number.retired_at is None
    assert number.quality < 20


@pytest.mark.parametrize(("channel", "reached"), [("ivr", False), ("sms", None)])
def test_nobody_answered(world, provider, sent, channel, reached):
    Contact.objects.filter(pk=sent.pk).update(channel=channel)
    told(world, provider, event(world, "NOT_ANSWERED"))
    sent.refresh_from_db()
    assert sent.reached is reached
    told(world, provider, event(world, "ANSWERED", minutes=9))
    sent.refresh_from_db()
    assert sent.reached is True


@pytest.mark.parametrize("kind", ["COMPLAINED", "OPTED_OUT"])
def test_who_complains_to_the_provider_hears_no_more(world, provider, sent, number, kind):
    waiting = world.planned(number.debtor, channel="whatsapp", point_id=number.pk)
    told(world, provider, event(world, kind))
    number.refresh_from_db()
    waiting.refresh_from_db()
    assert number.opted_out_at == world.now + timedelta(minutes=1)
    assert waiting.status == "CANCELLED"
    entry = ConsentEntry.objects.get()
    assert (entry.act, entry.source, entry.contact_id) == ("OPTED_OUT", "PROVIDER", sent.pk)


def test_hundreds_of_receipts_are_few_statements(world, provider, rosa, django_assert_max_num_queries):
    events = []
    for n in range(300):
        debtor = world.debtor() if n < 5 else rosa
        events.append(event(world, "DELIVERED", reference=f"X{n}", key=f"{debtor.pk}:{n}"))
    random.Random(7).shuffle(events)
    with django_assert_max_num_queries(10):
        told(world, provider, *events)
    assert Receipt.objects.count() == 300


def test_the_newest_word_on_a_template_counts(world, provider):
    made = Template.objects.create(
        code="aviso",
        version=1,
        channel="whatsapp",
        name="Aviso",
        subject="",
        text="Hola",
        html="",
        created_at=world.now,
        created_by="ana",
        language="es",
    )
    provider.kind = "whatsapp"
    provider.save()
    kept = TemplateRegistration.objects.create(
        template=made, provider=provider, name="aviso_v1", status="PENDING", asked_at=world.now
    )

    def decision(status, minutes):
        at = world.now + timedelta(minutes=minutes)
        return TemplateEvent(name="aviso_v1", language="es", status=status, at=at, event_key=f"t{minutes}")

    told(world, provider, decision("APPROVED", 5), decision("PENDING", 1))
    told(world, provider, decision("APPROVED", 5))
    kept.refresh_from_db()
    assert kept.status == "APPROVED"
    assert len(world.facts("template.decided_by_provider")) == 1


def test_an_alta_that_the_gateway_tells_again_does_not_end_a_later_silence(world, provider, number):
    def says(text, minutes):
        at = world.now + timedelta(minutes=minutes)
        written = InboundEvent(address=number.value, text=text, at=at, event_key=text, provider_reference=text)
        apply_events(events=[written], provider_id=provider.pk, actor=acting("provider", now=at))

    for minutes, word in enumerate(("ALTA", "BAJA", "ALTA")):
        says(word, minutes)
    assert Silence.objects.filter(value=number.value).exists()
    number.refresh_from_db()
    assert number.opted_out_at is not None
