"""Configuring the ways out on screen: what is refused, what is shown, and that a secret never comes back."""

from __future__ import annotations

import pytest
from django.conf import settings as installed
from django.db import connection

from recobra.journal.models import Entry
from recobra.kit import clock
from recobra.messaging.models import Provider, WebhookCall
from recobra.messaging.providers import operations, routing
from tests.providers.peer import closed_port

SECRET = "clave-que-nadie-ve"
FORM = {
    "code": "correo-sur",
    "name": "Correo del Sur",
    "country": "",
    "rank": "10",
    "rate_per_second": "20",
    "price": "0.05",
    "price_currency": "USD",
    "enabled": "1",
    "setting-url": "smtp://cobros@127.0.0.1:2525",
    "setting-password": SECRET,
    "setting-from": "Cobranzas <avisos@sur.example>",
}


@pytest.fixture
def saved(at_desk, world):
    answer = at_desk("dario").post("/canales/nuevo/?tipo=smtp", FORM)
    assert answer.status_code == 302, answer.content.decode()
    return Provider.objects.get()


def test_a_provider_is_configured_with_the_fields_its_adapter_asks_for(at_desk, world, saved):
    assert (saved.code, saved.channel) == ("correo-sur", "email")
    assert (saved.price_micros, saved.rate_per_second) == (50_000, 20.0)
    assert saved.settings["url"] == "smtp://cobros@127.0.0.1:2525"
    assert saved.enabled
    assert Entry.objects.filter(kind="provider.saved").count() == 1
    (way, *_) = routing.load_routes().open_routes("email", "PE")
    assert way.config.secrets == {"password": SECRET}


def test_a_kept_secret_is_never_shown_and_stays_when_left_empty(at_desk, saved):
    address = f"/canales/proveedor/{saved.code}/"
    page = at_desk("dario").get(address).content.decode()
    assert SECRET not in page
    assert "ya guardad" in page
    at_desk("dario").post(address, {**FORM, "setting-password": "", "name": "Otro nombre"})
    (way, *_) = routing.load_routes().open_routes("email", "PE")
    assert way.config.secrets == {"password": SECRET}
    assert Provider.objects.get().name == "Otro nombre"


def test_what_is_wrong_is_said_beside_its_field_and_the_secret_is_not_sent_back(at_desk, world):
    wrong = {**FORM, "name": "", "rank": "primero", "price": "nada"}
    answer = at_desk("dario").post("/canales/nuevo/?tipo=smtp", wrong)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert set(answer.context["errors"]) == {"rank", "price"}
    assert SECRET not in page
    answer = at_desk("dario").post("/canales/nuevo/?tipo=smtp", {**FORM, "name": "", "setting-url": ""})
    assert set(answer.context["errors"]) == {"name", "url"}
    assert 'value="correo-sur"' in answer.content.decode()
    assert not Provider.objects.exists()


@pytest.mark.parametrize(
    "case",
    [
        ("PE", "0.0079", "USD", 7_900, "0.0079", "USD 0.0079"),
        ("PE", "0,0079", "USD", 7_900, "0.0079", "USD 0.0079"),
        ("PE", "1,250.5", "PEN", 1_250_500_000, "1250.5", "S/ 1,250.50"),
        ("CL", "0,0079", "USD", 7_900, "0,0079", "US$0,0079"),
        ("CL", "0,0079", "PEN", 7_900, "0,0079", "S/ 0.0079"),
        ("CL", "18,5", "CLP", 18_500_000, "18,5", "$18,5"),
        ("CL", "1.250", "CLP", 1_250_000_000, "1250", "$1.250"),
        ("CO", "18.5", "COP", 18_500_000, "18,5", "$18,50"),
        ("CO", "0,000001", "COP", 1, "0,000001", "$0,000001"),
        ("PE", "", "PEN", 0, "0", "S/ 0.00"),
    ],
)
def test_a_price_below_a_cent_goes_in_and_comes_back_as_it_was(at_desk, world, case):
    country, typed, currency, micros, written, listed = case
    world.portfolio.country = country
    world.portfolio.save()
    dario, address = at_desk("dario"), f"/canales/proveedor/{FORM['code']}/"
    dario.post("/canales/nuevo/?tipo=smtp", {**FORM, "price": typed, "price_currency": currency})
    assert Provider.objects.get().price_micros == micros
    assert dario.get(address).context["values"]["price"] == written
    dario.post(address, {**FORM, "price": written, "price_currency": currency})
    assert Provider.objects.get().price_micros == micros
    assert listed in dario.get("/canales/").content.decode().replace("\xa0", " ")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("0.0000079", "0.0000079 tiene 7 decimales; se esperan como mucho 6."),
        ("0,00000795", "0,00000795 tiene 8 decimales; se esperan como mucho 6."),
        ("ocho", "ocho no es un precio que se pueda leer: se espera uno como 0.0079."),
        ("1e-3", "1e-3 no es un precio que se pueda leer: se espera uno como 0.0079."),
        ("1.5.5", "1.5.5 no es un precio que se pueda leer: se espera uno como 0.0079."),
        ("-0.01", "Se espera un precio de 0 a 1000000000."),
        ("9" * 20, "Se espera un precio de 0 a 1000000000."),
    ],
)
def test_a_price_that_cannot_be_kept_is_refused_with_what_was_found(at_desk, world, typed, said):
    answer = at_desk("dario").post("/canales/nuevo/?tipo=smtp", {**FORM, "price": typed})
    assert (answer.status_code, answer.context["errors"]) == (422, {"price": said})
    assert not Provider.objects.exists()


def test_a_new_provider_does_not_take_the_place_of_another(at_desk, saved):
    answer = at_desk("dario").post("/canales/nuevo/?tipo=smtp", {**FORM, "name": "Intruso"})
    assert answer.status_code == 422
    assert Provider.objects.get().name == "Correo del Sur"


def test_the_test_button_says_the_providers_own_answer(at_desk, saved, settings):
    address = f"/canales/proveedor/{saved.code}/"
    at_desk("dario").post(address, {**FORM, "setting-url": closed_port().replace("http", "smtp")})
    answer = at_desk("dario").post(f"{address}probar/", headers={"HX-Request": "true"})
    saved.refresh_from_db()
    assert saved.tested_well is False
    assert saved.tested_answer
    assert "Falla" in answer.content.decode()
    assert "<html" not in answer.content.decode()
    assert at_desk("dario").post(f"{address}probar/").status_code == 302


def test_a_provider_is_switched_off_and_on(at_desk, saved):
    for on in ("0", "1"):
        at_desk("dario").post(f"/canales/proveedor/{saved.code}/encender/", {"on": on})
        saved.refresh_from_db()
        assert saved.enabled is (on == "1")


def test_a_provider_taken_out_of_use_forgets_its_secrets(at_desk, saved):
    at_desk("dario").post(f"/canales/proveedor/{saved.code}/retirar/")
    saved.refresh_from_db()
    assert (saved.enabled, saved.secrets) == (False, {})
    assert operations.stored_secret_names(saved) == frozenset()


def test_a_provider_that_rests_says_until_when(at_desk, saved):
    for _failure in range(routing.FAILURES_TO_OPEN):
        routing.record_failure(saved.pk)
    page = at_desk("dario").get("/canales/").content.decode()
    assert "En reposo" in page
    with connection.cursor() as cursor:
        cursor.execute("UPDATE messaging_providerstate SET open_until = now() - interval '1 hour'")
    assert "En reposo" not in at_desk("dario").get("/canales/").content.decode()


def test_the_list_says_that_a_demonstration_sends_nothing_away(at_desk, world, settings):
    settings.DEMO = True
    assert "nada sale de esta máquina" in at_desk("dario").get("/canales/").content.decode()
    settings.DEMO = False
    page = at_desk("dario").get("/canales/").content.decode()
    assert "nada sale de esta máquina" not in page
    assert "Sin proveedor" in page


def test_every_kind_has_its_form_and_a_webhook_where_it_is_called_back(at_desk, world):
    for kind in operations.list_kinds():
        page = at_desk("dario").get(f"/canales/nuevo/?tipo={kind.kind}").content.decode()
        assert all(f'name="setting-{each.name}"' in page for each in kind.settings)
    now = clock.now()
    for kind, code in (("whatsapp", "wa"), ("letters", "carta")):
        channel = "whatsapp" if kind == "whatsapp" else "letter"
        Provider.objects.create(
            code=code, kind=kind, channel=channel, name=code, created_at=now, created_by="dario", enabled=False
        )
    assert f"{installed.PUBLIC_URL}/api/webhooks/wa/" in at_desk("dario").get("/canales/proveedor/wa/").content.decode()
    assert "/api/webhooks/" not in at_desk("dario").get("/canales/proveedor/carta/").content.decode()


def test_only_the_administrator_configures_the_ways_out(at_desk, saved):
    for name in ("ana", "bruno", "carla", "hilda"):
        assert at_desk(name).get("/canales/").status_code == 403
        assert at_desk(name).post(f"/canales/proveedor/{saved.code}/encender/", {"on": "0"}).status_code == 403


def test_without_a_mail_server_the_page_says_that_mail_waits(at_desk, world, settings):
    settings.SMTP_URL, settings.DEMO = "", False
    assert "los correos esperan" in at_desk("dario").get("/canales/").content.decode()
    settings.SMTP_URL = "smtp://mail.example:25"
    assert "El servidor de correo de la instalación." in at_desk("dario").get("/canales/").content.decode()


def test_what_a_provider_says_of_the_account_is_shown_and_a_person_sends_again(at_desk, saved, world):
    WebhookCall.objects.create(
        provider=saved, received_at=clock.now(), digest="d", body=b"x", unused=["field:calls", "status:dreamt"]
    )
    Provider.objects.update(stopped_at=clock.now(), stopped_reason="DISABLE")
    desk, address = at_desk("dario"), f"/canales/proveedor/{saved.code}/"
    page = desk.get(address).content.decode()
    for words in (
        "Detenido por el proveedor",
        "DISABLE",
        "field:calls",
        "Aquí nadie lee lo que los deudores responden",
    ):
        assert words in page
    assert "Detenido por el proveedor" in desk.get("/canales/").content.decode()
    assert routing.load_routes().open_routes("email", "PE") == []
    assert desk.post(f"{address}reanudar/").status_code == 302
    assert routing.load_routes().open_routes("email", "PE")
    assert "Detenido" not in desk.get(address).content.decode()


def test_the_mailbox_of_a_sender_is_set_on_its_form_and_its_password_kept_secret(at_desk, saved):
    mailbox = {
        "setting-password": "",
        "setting-reply_to": "avisos@sur.example",
        "setting-imap_url": "imap://avisos@127.0.0.1:1143",
        "setting-imap_password": "otra-clave",
    }
    answer = at_desk("dario").post(f"/canales/proveedor/{saved.code}/", {**FORM, **mailbox})
    assert answer.status_code == 302, answer.content.decode()
    provider = Provider.objects.get()
    assert provider.settings["imap_url"] == "imap://avisos@127.0.0.1:1143"
    assert dict(provider.secrets) == {"password": SECRET, "imap_password": "otra-clave"}
    page = at_desk("dario").get(f"/canales/proveedor/{saved.code}/").content.decode()
    assert "otra-clave" not in page
    assert "El buzón se leerá en el próximo minuto" in page
    elsewhere = {**FORM, **mailbox, "setting-imap_url": "imap://avisos@127.0.0.1:2143", "setting-imap_password": ""}
    assert at_desk("dario").post(f"/canales/proveedor/{saved.code}/", elsewhere).status_code == 422
