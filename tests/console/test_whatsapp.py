"""WhatsApp from its beginning: a provider set up, templates approved by Meta, conversations begun with them."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

import pytest
from django.test import Client

from recobra.access.actors import Service, service_actor
from recobra.kit import clock
from recobra.messaging.models import Contact, Provider, Template
from recobra.messaging.providers import number_limits
from recobra.messaging.templates.whatsapp_approval import synchronise_templates
from recobra.portfolio.models import ContactPoint
from tests import receivables
from tests.messaging.smtp_sink import Sink
from tests.providers.meta_server import open_meta

from .following import follow, work_off
from .test_countries import text
from .test_reminders import messages, owes, run_day

pytestmark = pytest.mark.django_db(transaction=True)
TUESDAY = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
FORM = {
    "code": "wa",
    "name": "WhatsApp del Sur",
    "country": "",
    "rank": "10",
    "price": "0.02",
    "price_currency": "USD",
    "enabled": "1",
    "setting-phone_number_id": "11",
    "setting-account_id": "22",
    "setting-token": "EAAB",
    "setting-app_secret": "secreto",
    "setting-verify_token": "palabra",
}


@pytest.fixture
def meta():
    with open_meta() as server:
        yield server


@pytest.fixture
def mail():
    with Sink(faults={}) as server:
        yield server


@pytest.fixture
def office(clock_at, request, meta, at_desk, settings):
    """The small world under the consumer strategy on a Tuesday, with a WhatsApp provider set up on screen."""
    clock_at(TUESDAY)
    settings.DEMO, settings.INNER_HOSTS = False, [urlsplit(meta.url).netloc]
    settings.SMTP_URL = request.getfixturevalue("mail").url
    world = request.getfixturevalue("world")
    Contact.objects.filter(status="DUE").delete()
    follow(world, clock.now())
    answer = at_desk("dario").post("/canales/nuevo/?tipo=whatsapp", {**FORM, "setting-base_url": meta.url})
    assert answer.status_code == 302, text(answer)
    return world


@pytest.fixture
def reminder(office):
    return Template.objects.get(code="recordatorio", channel="whatsapp", country="", tone="")


def by_phone(office, name, phone):
    """Write somebody who is late and has a telephone alone."""
    person = receivables.debtor(office.portfolio, name, email=None)
    ContactPoint.objects.create(debtor=person, kind="PHONE", value=phone, valid=True)
    receivables.account(office.portfolio, person, f"P-{name}", (date(2026, 11, 21), 30_000))
    return person


def call_of_meta(field, value):
    """Call as Meta does, signed."""
    body = json.dumps({"entry": [{"id": "22", "changes": [{"field": field, "value": value}]}]}).encode()
    signature = "sha256=" + hmac.new(b"secreto", body, hashlib.sha256).hexdigest()
    answer = Client().post(
        "/api/webhooks/wa/", body, content_type="application/json", headers={"X-Hub-Signature-256": signature}
    )
    assert answer.status_code == 200, answer.content
    work_off()


def decision(name, event, **more):
    call_of_meta(
        "message_template_status_update",
        {"message_template_name": name, "message_template_language": "es", "event": event, **more},
    )


def page_of(client, template):
    return text(client.get(f"/mensajes/plantillas/{template.pk}/"))


def test_a_conversation_begins_with_a_template_that_meta_approved(at_desk, office, meta, reminder):
    carla, address = at_desk("carla"), f"/mensajes/plantillas/{reminder.pk}/"
    rosa = by_phone(office, "Rosa", "+51987654321")
    run_day(at_desk)
    assert "Rosa" not in messages(at_desk, "canal=whatsapp"), "Meta knows no template yet"
    before = page_of(carla, reminder)
    assert "WhatsApp del Sur No enviada a Meta" in before
    assert "toman el siguiente canal" in before, before[before.find("Qué dice Meta") :][:900]
    wa = Provider.objects.get(code="wa").pk
    assert "no se envió a Meta" not in text(
        carla.post(address + "meta/enviar/", {"proveedor": wa, "categoria": "UTILITY"}, follow=True)
    )
    ((name, template),) = meta.templates.items()
    assert (template["language"], template["category"]) == ("es", "UTILITY")
    assert "Esperando a Meta" in page_of(carla, reminder)
    decision(name, "APPROVED")
    assert "Las conversaciones empiezan con esta versión." in page_of(carla, reminder)
    by_phone(office, "Hugo", "+51987654322")
    run_day(at_desk)
    sent = {each["to"]: each["template"] for each in meta.sent}
    assert "51987654322" in sent
    assert sent["51987654322"]["name"] == name
    said = [parameter["text"] for parameter in sent["51987654322"]["components"][0]["parameters"]]
    assert "Hugo" in said[0]
    row = messages(at_desk, "estado=SENT")["Hugo"]
    assert (row.channel, row.template_code) == ("whatsapp", "recordatorio")
    assert row.provider_reference.startswith("wamid.")

    # A new version waits for Meta, and the one before it goes on.
    carla.post(address + "editar/", {"text": reminder.text.replace("Gracias", "Muchas gracias"), "settings": "1"})
    second = Template.objects.get(code="recordatorio", channel="whatsapp", country="", tone="", version=2)
    carla.post(f"/mensajes/plantillas/{second.pk}/presentar/")
    waiting = at_desk("dario").get(f"/mensajes/plantillas/{second.pk}/").context["approval"]
    at_desk("dario").post(f"/aprobaciones/{waiting.pk}/aprobar/", {"motivo": "Bien"})
    assert "Hasta que Meta apruebe esta versión, las conversaciones empiezan con la versión 1" in page_of(carla, second)
    by_phone(office, "Inés", "+51987654323")
    run_day(at_desk)
    assert meta.sent[-1]["to"] == "51987654323"
    assert meta.sent[-1]["template"]["name"] == name
    assert not Contact.objects.filter(debtor=rosa, status="FAILED").exists()


def test_a_rejection_is_explained_and_a_lost_call_is_found_by_asking(at_desk, office, meta, reminder):
    dario, carla = at_desk("dario"), at_desk("carla")
    shown = text(dario.get("/canales/proveedor/wa/"))
    assert "no se han enviado a Meta" in shown
    sent = text(dario.post("/canales/proveedor/wa/meta/plantillas/", follow=True))
    assert "plantillas enviadas a Meta" in sent
    name = next(name for name, each in meta.templates.items() if name == f"recordatorio_{reminder.pk}")
    decision(name, "REJECTED", reason="PROMOTIONAL", rejection_info={"recommendation": "Remove the discount."})
    page = page_of(carla, reminder)
    for said in ("Rechazada por Meta", "lee una oferta", "«Remove the discount.»", "Edítela como versión nueva"):
        assert said in page, said
    assert "Rechazada por Meta" in text(carla.get("/mensajes/plantillas/?canal=whatsapp"))
    meta.decide(name, "APPROVED", quality_score={"score": "YELLOW"})
    assert "1 decisión nueva" in text(carla.post(f"/mensajes/plantillas/{reminder.pk}/meta/preguntar/", follow=True))
    assert "Las conversaciones empiezan con esta versión." in page_of(carla, reminder)
    # What nobody asks for is asked for every hour.
    meta.decide(name, "PAUSED")
    assert synchronise_templates(actor=service_actor(Service.PROVIDER, now=clock.now())) == 1
    assert "Pausada por Meta" in page_of(carla, reminder)
    assert carla.post("/canales/proveedor/wa/meta/plantillas/").status_code == 403


def test_a_number_writes_first_to_no_more_people_than_meta_lets_it(at_desk, office, meta, reminder, monkeypatch):
    dario = at_desk("dario")
    at_desk("carla").post(
        f"/mensajes/plantillas/{reminder.pk}/meta/enviar/",
        {"proveedor": Provider.objects.get(code="wa").pk, "categoria": "UTILITY"},
    )
    meta.number["messaging_limit_tier"] = "TIER_50"
    meta.decide(f"recordatorio_{reminder.pk}", "APPROVED")
    shown = text(dario.post("/canales/proveedor/wa/meta/preguntar/", follow=True))
    assert "Alta" in shown
    assert "50 personas en 24 horas" in shown
    monkeypatch.setitem(number_limits.LIMITS, "TIER_50", 2)
    for n in range(3):
        by_phone(office, f"Persona {n}", f"+5198765432{n}")
    run_day(at_desk)
    assert len(meta.sent) == 2
    rows = messages(at_desk, "canal=whatsapp")
    assert sorted(row.status for row in rows.values()) == ["DUE", "SENT", "SENT"]
    assert "0 más" in text(dario.get("/canales/proveedor/wa/"))


def test_who_owes_and_has_an_address_is_written_to_by_mail_meanwhile(at_desk, office, meta):
    owes(office, "Teresa", days=3)
    run_day(at_desk)
    assert messages(at_desk, "estado=SENT")["Teresa"].channel == "email"
    assert meta.sent == []
