"""A provider whose secrets nobody can read shuts its own way and no other."""

from __future__ import annotations

import pytest

from recobra.kit.encrypted_field import EncryptedValue
from recobra.messaging.models import Contact, Template
from recobra.messaging.providers import operations as providers
from recobra.messaging.providers import routing
from tests.people import acting


def test_secrets_of_another_installation_shut_that_provider_alone(company, now, settings, other_keys):
    settings.DEMO = False
    for code in ("uno", "dos"):
        providers.save_provider(
            code=code,
            kind="twilio_sms",
            name=code,
            rate_per_second=None,
            price_micros=50_000,
            price_currency="USD",
            settings={"account_sid": "AC" + "0" * 32, "from_number": "+15005550006"},
            secrets={"auth_token": "x" * 32},
            country="",
            rank=1,
            enabled=True,
            actor=acting("dario", now=now),
        )
        if code == "uno":
            other_keys()
    assert [way.code for way in routing.load_routes().open_routes("sms", "PE")] == ["dos"]


@pytest.mark.django_db(transaction=True)
def test_where_nobody_can_read_how_to_pay_the_messages_wait(world, other_keys, caplog):
    contact = world.someone_due()
    other_keys()
    assert world.dispatch()["sent"] == 0
    contact.refresh_from_db()
    assert contact.status == "DUE"
    assert "encrypted with another key" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_words_that_nobody_can_read_are_not_sent_and_wait(world):
    by_template = world.someone_due()
    by_hand = world.planned(world.debtor(email="otra@correo.example"), template_code="", body="Hola", purpose="MANUAL")
    lost = EncryptedValue("enc1.00000000.AAAA")
    Template.objects.update(text=lost)
    Contact.objects.filter(pk=by_hand.pk).update(body=lost)
    assert world.dispatch()["sent"] == 0
    for contact in (by_template, by_hand):
        contact.refresh_from_db()
        assert (contact.status, contact.due_at > world.now) == ("DUE", True), contact.reason
