"""Configuring a provider: what is refused, what is kept, and that a secret is seen by nobody again."""

from __future__ import annotations

import json
import logging

import pytest
from django.db import connection

from recobra.approvals.models import SecondPersonRule
from recobra.kit import keys
from recobra.kit.encrypted_field import EncryptedValue
from recobra.kit.encryption import Undecryptable
from recobra.messaging.models import Provider
from recobra.messaging.providers import operations as providers
from recobra.messaging.providers import routing
from tests.people import acting

from .peer import closed_port
from .settings import ACCOUNT_SID

pytestmark = pytest.mark.django_db

TOKEN = "un-secreto-muy-secreto"
SETTINGS = {"account_sid": ACCOUNT_SID, "from_number": "+5115550100", "base_url": "http://127.0.0.1:9"}


@pytest.fixture(autouse=True)
def alone(db):
    """The company wants no second person for ways out; `tests/console/test_two_people.py` has one that does."""
    SecondPersonRule.objects.create(kind="provider", is_required=False)


@pytest.fixture
def save(now):
    """Save Twilio as Darío does; a test says what it changes."""

    def save(**changes):
        fields = {
            "code": "twilio-pe",
            "kind": "twilio_sms",
            "name": "Twilio Perú",
            "settings": SETTINGS,
            "secrets": {"auth_token": TOKEN},
            "rate_per_second": 10.0,
            "price_micros": 80_000,
            "price_currency": "USD",
            "country": "PE",
            "rank": 10,
            "enabled": True,
            "actor": acting("dario", now=now),
        }
        return providers.save_provider(**{**fields, **changes})

    return save


def stored_column(code="twilio-pe"):
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets FROM messaging_provider WHERE code = %s", [code])
        (stored,) = cursor.fetchone()
    return stored


def latest_fact(kind):
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload, actor FROM journal_entry WHERE kind = %s ORDER BY id DESC LIMIT 1", [kind])
        payload, actor = cursor.fetchone()
        return (json.loads(payload) if isinstance(payload, str) else payload), actor


def test_a_provider_is_saved_and_used(save):
    provider = save()
    assert (provider.channel, provider.enabled) == ("sms", True)
    (route, *_) = routing.load_routes().open_routes("sms", "PE")
    assert route.code == "twilio-pe"
    assert route.config.secrets == {"auth_token": TOKEN}
    assert route.config.webhook_url.endswith("/api/webhooks/twilio-pe/")


def test_a_secret_is_seen_by_nobody_again(save, caplog):
    caplog.set_level(logging.DEBUG)
    provider = save()
    providers.test_provider(provider_id=provider.pk, actor=acting("dario", now=provider.created_at))
    (route, *_) = routing.load_routes().open_routes("sms", "PE")
    with connection.cursor() as cursor:
        cursor.execute("SELECT messaging_provider::text FROM messaging_provider")
        stored = str(cursor.fetchall())
        cursor.execute("SELECT journal_entry::text FROM journal_entry")
        journal = str(cursor.fetchall())
    shown = [repr(provider), repr(vars(provider)), repr(route), repr(route.config), stored, journal, caplog.text]
    assert not [text for text in shown if TOKEN in text]
    assert providers.stored_secret_names(provider) == {"auth_token"}


def test_a_secret_that_is_not_given_anew_stays(save):
    save()
    for secrets in ({}, {"auth_token": ""}):
        assert save(secrets=secrets, name="Otro nombre").secrets == {"auth_token": TOKEN}
    assert save(secrets={"auth_token": "nuevo"}).secrets == {"auth_token": "nuevo"}
    with pytest.raises(providers.ProviderRefused) as refused:
        save(secrets={"auth_token": None})
    assert set(refused.value.errors) == {"auth_token"}
    assert Provider.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"kind": "telegraph"}, {"kind"}),
        ({"kind": "sandbox"}, {"kind"}),
        ({"code": "Twilio PE"}, {"code"}),
        ({"name": " "}, {"name"}),
        ({"rate_per_second": 0.0}, {"rate_per_second"}),
        ({"rate_per_second": float("nan")}, {"rate_per_second"}),
        ({"price_micros": -1}, {"price_micros"}),
        ({"price_micros": 10**15 + 1}, {"price_micros"}),
        ({"price_currency": "SOLES"}, {"price_currency"}),
        ({"price_currency": "ITL"}, {"price_currency"}),
        ({"country": "Perú"}, {"country"}),
        ({"rank": -1}, {"rank"}),
        ({"settings": {}}, {"account_sid"}),
        ({"secrets": {}}, {"auth_token"}),
        ({"settings": {**SETTINGS, "account_sid": "x"}}, {"account_sid"}),
        ({"settings": {**SETTINGS, "base_url": "https://api.twilio.com"}}, {"base_url"}),
        ({"name": "", "rank": -1, "settings": {}}, {"name", "rank", "account_sid"}),
    ],
)
def test_what_is_wrong_is_told_by_field_and_nothing_is_saved(save, wrong, fields):
    with pytest.raises(providers.ProviderRefused) as refused:
        save(**wrong)
    assert set(refused.value.errors) == fields
    assert all(refused.value.errors.values())
    assert not Provider.objects.exists()


def test_the_faults_of_a_gateway_document_are_told_with_their_lines(save):
    with pytest.raises(providers.ProviderRefused) as refused:
        save(kind="http_sms", settings={"document": "name: x\nrequest:\n  method: PUT\n"}, secrets={})
    assert "Line 3, request.method: found «PUT»; expected one of: POST, GET." in refused.value.errors["document"]


def test_a_provider_does_not_change_its_kind(save):
    save()
    with pytest.raises(providers.ProviderRefused) as refused:
        save(kind="twilio_voice")
    assert set(refused.value.errors) == {"kind"}


def test_what_changed_is_a_fact_without_what_it_is(save, now):
    save()
    save(name="Otro", secrets={"auth_token": "nuevo"})
    payload, actor = latest_fact("provider.saved")
    assert sorted(payload["changed"]) == ["name", "secrets"]
    assert (payload["provider"], actor) == ("twilio-pe", "dario")


def test_the_test_button_says_what_it_found_and_keeps_it(save, now):
    provider = save(settings={**SETTINGS, "base_url": closed_port()})
    check = providers.test_provider(provider_id=provider.pk, actor=acting("dario", now=now))
    provider.refresh_from_db()
    assert (check.ok, provider.tested_well, provider.tested_at) == (False, False, now)
    assert provider.tested_answer == check.answer != ""
    assert latest_fact("provider.tested")[0]["ok"] is False
    assert save(settings=SETTINGS).tested_at is None, "other settings were not tested"


def test_a_provider_is_switched_off_and_on_and_retired(save, now):
    provider, by = save(), {"actor": acting("dario", now=now)}
    providers.enable_provider(provider_id=provider.pk, enabled=False, **by)
    assert not [route for route in routing.load_routes().open_routes("sms", "PE") if route.code == "twilio-pe"]
    providers.enable_provider(provider_id=provider.pk, enabled=True, **by)
    assert [route for route in routing.load_routes().open_routes("sms", "PE") if route.code == "twilio-pe"]
    providers.retire_provider(provider_id=provider.pk, **by)
    provider.refresh_from_db()
    assert (provider.enabled, provider.secrets) == (False, {})
    with pytest.raises(providers.ProviderRefused):
        providers.enable_provider(provider_id=provider.pk, enabled=True, **by)


def test_under_another_key_a_secret_is_lost_and_must_be_given_again(save, other_keys, now):
    save()
    other_keys()
    assert providers.stored_secret_names(Provider.objects.get()) == frozenset()
    with pytest.raises(providers.ProviderRefused):
        save(secrets={})
    (provider,) = Provider.objects.all()
    assert not providers.test_provider(provider_id=provider.pk, actor=acting("dario", now=now)).ok
    save(secrets={"auth_token": TOKEN})
    assert providers.stored_secret_names(Provider.objects.get()) == {"auth_token"}


def test_a_new_key_takes_over_from_the_old_one_as_providers_are_saved(save, other_keys, now):
    save()
    other_keys()
    assert providers.stored_secret_names(Provider.objects.get()) == frozenset(), "this is another installation"
    save(secrets={"auth_token": TOKEN})
    new = keys.add_key(now=now)
    assert Provider.objects.get().secrets == {"auth_token": TOKEN}
    Provider.objects.update(tested_at=now, tested_well=True)
    again = save(secrets={})
    assert again.tested_at == now, "the same secrets are no other settings"
    assert latest_fact("provider.saved")[0]["changed"] == []
    assert stored_column().startswith(f"enc1.{new.id}.")
    assert Provider.objects.get().secrets == {"auth_token": TOKEN}


def test_the_same_secrets_never_look_the_same_and_open_in_their_own_row_alone(save):
    save()
    first = stored_column()
    save(code="otro")
    second = stored_column(code="otro")
    assert first != second
    assert TOKEN not in first + second
    Provider.objects.filter(code="otro").update(secrets=EncryptedValue(first))
    with pytest.raises(Undecryptable):
        assert Provider.objects.get(code="otro").secrets
    save(code="otro", secrets={"auth_token": "ñ"})
    assert Provider.objects.get(code="otro").secrets == {"auth_token": "ñ"}


def test_an_encrypted_column_takes_no_plain_text(save):
    save()
    with pytest.raises(TypeError, match="encrypted"):
        Provider.objects.update(secrets={"auth_token": TOKEN})
    with pytest.raises(TypeError, match="encrypted"):
        Provider.objects.filter(secrets={"auth_token": TOKEN}).exists()


def test_every_kind_has_a_form():
    kinds = {kind.kind: kind for kind in providers.list_kinds()}
    assert {"sendgrid", "twilio_sms", "twilio_voice", "http_sms", "whatsapp"} <= set(kinds)
    assert "sandbox" not in kinds
    for kind in kinds.values():
        names = [setting.name for setting in kind.settings]
        assert len(names) == len(set(names))
        assert str(kind.label)
        assert all(str(setting.label) for setting in kind.settings)
