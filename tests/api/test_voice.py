"""An automatic call asks us what to say; the keys that were pressed are acted on once, and no debt is told before."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from recobra.agreements.models import Promise
from recobra.consent.models import ConsentEntry
from recobra.kit import clock
from recobra.kit.encrypted_field import EncryptedValue
from recobra.messaging.channels.twilio_voice.links import voice_url
from recobra.messaging.models import Contact
from recobra.portfolio.models import ContactPoint
from tests import policies

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = "+51999888777"
DEBT = "Su cuota vencida es de S/ 123.45"


@pytest.fixture
def ringing(world, providers):
    debtor = world.debtor(national_id="45678901")
    world.owes(debtor)
    point = ContactPoint.objects.create(debtor=debtor, kind="PHONE", value=NUMBER, valid=True)
    contact = world.planned(debtor, channel="ivr", point_id=point.pk)
    Contact.objects.filter(pk=contact.pk).update(
        status="SENT",
        sent_at=world.now,
        handed_over_at=world.now,
        address=NUMBER,
        body=EncryptedValue(Contact._meta.get_field("body").seal(DEBT, row=contact.public_id)),
        provider=providers["llamadas"],
        provider_reference="CA1",
    )
    return contact


def press(caller, contact, digits="", step="greeting", **more):
    address = voice_url(contact.public_id, "llamadas").removeprefix(caller.public)
    query = "".join(f"&{name}={value}" for name, value in more.items())
    path = f"{address}?step={step}{query}"
    fields = {"CallSid": "CA1", "From": "+15005550006", "To": NUMBER, "AnsweredBy": "human"}
    return caller.twilio(fields | ({"Digits": digits} if digits else {}), path=path)


def test_nothing_of_the_debt_is_said_before_the_digits_are_right(caller, ringing):
    status, content_type, greeting = press(caller, ringing)
    assert (status, content_type) == (200, "text/xml; charset=utf-8")
    assert "Banco Sur" in greeting
    assert "123.45" not in greeting
    assert "123.45" not in press(caller, ringing, "1111", step="identity")[2]
    assert DEBT in press(caller, ringing, "8901", step="identity")[2]
    ringing.refresh_from_db()
    assert ringing.reached is True


def test_not_me_on_the_keypad_retires_the_number_and_once(caller, ringing, world):
    for _ in range(2):
        assert press(caller, ringing, "1", step="stop")[0] == 200
    assert ringing.point.__class__.objects.get(pk=ringing.point_id).retired_at is not None
    entry = ConsentEntry.objects.get()
    assert (entry.act, entry.source, entry.channel) == ("NOT_ME", "KEYPAD", "ivr")
    assert press(caller, ringing)[2].count("<Say") == 0  # the number is silent now


def test_a_promise_and_the_wish_for_a_person_are_told_once(caller, ringing, world):
    for _ in range(2):
        press(caller, ringing, "1", step="confirm", days=3)
        press(caller, ringing, "3", step="menu")
    assert len(world.facts("promise.registered")) == len(world.facts("person.asked")) == 1
    promise = Promise.objects.get()
    assert (promise.amount_minor, promise.channel, promise.contact, promise.registered_by) == (
        12_345,
        "ivr",
        ringing,
        "debtor",
    )


def test_a_promise_of_what_was_paid_meanwhile_is_left_to_a_person(caller, ringing, world):
    world.pays(ringing.debtor.accounts.get())
    press(caller, ringing, "1", step="confirm", days=3)
    assert not Promise.objects.exists()
    assert [reason for _contact, reason in world.facts("person.asked")] == ["promise"]


def test_how_to_pay_is_sent_as_an_answer_by_sms(caller, ringing):
    for _ in range(2):
        press(caller, ringing, "1", step="menu")
    answer = Contact.objects.get(channel="sms")
    assert (answer.purpose, answer.status, answer.priority, answer.point_id) == ("REPLY", "DUE", 0, ringing.point_id)
    assert "bancosur.example" in answer.body


def test_a_call_to_somebody_whose_time_zone_is_unknown_goes_on(caller, ringing):
    Contact.objects.filter(pk=ringing.pk).update(zones="")
    assert DEBT in press(caller, ringing, "8901", step="identity")[2]


def test_a_forged_call_hears_nothing_and_a_made_up_address_is_not_found(caller, ringing):
    path = voice_url(ringing.public_id, "llamadas").removeprefix(caller.public)
    assert caller.twilio({"CallSid": "CA1", "Digits": "9"}, secret="otra", path=path)[0] == 403
    assert caller.twilio({"CallSid": "CA1"}, path="/api/voice/llamadas/abc:falsa/")[0] == 404
    Contact.objects.filter(pk=ringing.pk).update(status="CANCELLED", reason="payment")
    assert "<Say" not in press(caller, ringing)[2]
    assert not ConsentEntry.objects.exists()


def test_a_call_whose_provider_has_unreadable_secrets_is_told_to_come_again(caller, ringing, other_keys):
    other_keys()
    assert press(caller, ringing)[::2] == (503, "")


@pytest.fixture
def monday(monkeypatch):
    """A morning on which people are there; the server reads this clock."""
    moment = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: moment)
    return moment.date()


@pytest.mark.parametrize("is_holiday", [False, True])
def test_nobody_is_put_through_on_a_holiday_of_the_company(caller, ringing, providers, monday, is_holiday):
    provider = providers["llamadas"]
    provider.settings = {**provider.settings, "person_number": "+5115550199"}
    provider.save(update_fields=["settings"])
    if is_holiday:
        policies.put_in_force(ringing.portfolio, holidays=[{"day": monday.isoformat(), "name": "Aniversario"}])
    press(caller, ringing, "8901", step="identity")
    assert ("+5115550199" in press(caller, ringing, "3", step="menu")[2]) is not is_holiday
