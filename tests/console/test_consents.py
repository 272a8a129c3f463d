"""What a debtor wishes: seen by who sees the case, put down by a gestora, taken back by nobody of staff."""

from __future__ import annotations

import pytest
from django.urls import get_resolver

from recobra.consent.models import ConsentEntry, Silence
from recobra.consent.opt_out import record_opt_out
from recobra.kit import clock
from recobra.messaging.models import Contact
from recobra.portfolio.models import ContactPoint, Debtor
from tests.people import acting

from .test_countries import text


@pytest.fixture
def maria(world):
    return world.debtors["María"]


@pytest.fixture
def phone(maria):
    return maria.points.get(kind="PHONE")


def put_down(client, point, **form):
    address = f"/ficha/{point.debtor_id}/voluntad/{point.pk}/anotar/"
    return client.post(address, form, follow=True)


def test_an_opt_out_put_down_by_a_gestora_holds_at_once_and_everywhere(at_desk, maria, phone):
    twin = Debtor.objects.create(
        creditor=maria.creditor, external_id="CLI-9", name="Otra persona", country="PE", national_id="", kind=maria.kind
    )
    ContactPoint.objects.create(debtor=twin, kind="PHONE", value=phone.value, valid=True)
    Contact.objects.filter(debtor=maria, status="DUE").update(point=phone, channel="sms")
    page = text(put_down(at_desk("ana"), phone, act="OPTED_OUT", said="Que no la llamemos más"))
    assert Silence.objects.filter(value=phone.value).exists()
    assert not Contact.objects.filter(debtor=maria, status="DUE").exists()
    assert "2 datos de contacto" in page
    (entry,) = ConsentEntry.objects.all()
    assert (entry.act, entry.source, entry.actor, entry.said) == (
        "OPTED_OUT",
        "STAFF",
        "ana",
        "Que no la llamemos más",
    )
    assert "Que no la llamemos más" in page
    other = text(at_desk("ana").get(f"/ficha/{maria.pk}/voluntad/"))
    assert "en silencio" in other


def test_nobody_of_staff_can_take_an_opt_out_back(at_desk, maria, phone):
    put_down(at_desk("ana"), phone, act="OPTED_OUT")
    for act in ("RESUMED", "resume", ""):
        assert put_down(at_desk("carla"), phone, act=act).status_code == 404
    put_down(at_desk("carla"), phone, act="GRANTED", channel="sms", said="Lo pidió por teléfono hoy")
    assert Silence.objects.filter(value=phone.value).exists()
    body = at_desk("carla").get(f"/ficha/{maria.pk}/voluntad/").content.decode()
    assert "Nadie del personal" in text(at_desk("carla").get(f"/ficha/{maria.pk}/voluntad/"))
    assert "RESUMED" not in body
    console = next(each for each in get_resolver().url_patterns if getattr(each, "app_name", "") == "console")
    resuming = {each.name for each in console.url_patterns if "resume" in (each.name or "")}
    # A campaign, a provider that had stopped our account, and all sending after a restore: none gives a consent.
    assert resuming == {"campaign-resume", "installation-resume", "provider-resume"}


def test_a_wrong_person_is_never_looked_for_there_again(at_desk, maria, phone):
    put_down(at_desk("ana"), phone, act="NOT_ME", said="Contestó otra señora")
    phone.refresh_from_db()
    assert phone.retired_at is not None
    assert Silence.objects.filter(value=phone.value).exists()


def test_an_authorisation_needs_its_proof(at_desk, maria, phone):
    page = text(put_down(at_desk("ana"), phone, act="GRANTED", channel="whatsapp", said="sí"))
    assert "Indique cómo se autorizó" in page
    assert not ConsentEntry.objects.exists()
    put_down(at_desk("ana"), phone, act="GRANTED", channel="email", said="Lo dijo por teléfono el lunes")
    assert not ConsentEntry.objects.exists(), "a telephone has no mail"
    page = text(
        put_down(at_desk("ana"), phone, act="GRANTED", channel="whatsapp", said="Lo dijo por teléfono el lunes")
    )
    phone.refresh_from_db()
    assert phone.granted_for == ["whatsapp"]
    assert "Lo dijo por teléfono el lunes" in page
    put_down(at_desk("ana"), phone, act="WITHDRAWN", channel="whatsapp")
    phone.refresh_from_db()
    assert (phone.granted_for, phone.denied_for) == ([], ["whatsapp"])


def test_what_another_person_said_of_the_same_number_is_not_told(at_desk, maria, phone, world):
    jose = world.debtors["José"]
    shared = ContactPoint.objects.create(debtor=jose, kind="PHONE", value=phone.value, valid=True)
    record_opt_out(
        point_id=shared.pk, source="STAFF", said="Soy José y es mi vida", actor=acting("bruno", now=clock.now())
    )
    page = text(at_desk("ana").get(f"/ficha/{maria.pk}/voluntad/"))
    assert "Soy José" not in page
    assert "otra persona con el mismo número" in page
    assert "Pidió no recibir más mensajes" in page


def test_who_sees_cases_sees_wishes_masked_and_puts_nothing_down(at_desk, maria, phone):
    put_down(at_desk("ana"), phone, act="OPTED_OUT", said="Me llaman al +51987654321")
    page = at_desk("hilda").get(f"/ficha/{maria.pk}/voluntad/").content.decode()
    assert "+51987654321" not in page
    assert "voluntad/" not in page.split("<main")[1].replace(f"/ficha/{maria.pk}/voluntad/", "")
    assert put_down(at_desk("hilda"), phone, act="NOT_ME").status_code == 403
    assert put_down(at_desk("dario"), phone, act="NOT_ME").status_code == 403


def test_a_point_of_somebody_else_is_not_found(at_desk, world, maria):
    other = world.debtors["José"].points.first()
    answer = at_desk("ana").post(f"/ficha/{maria.pk}/voluntad/{other.pk}/anotar/", {"act": "OPTED_OUT"})
    assert answer.status_code == 404
    assert not Silence.objects.exists()


def test_the_debtors_file_leads_to_the_wishes(at_desk, maria):
    assert f"/ficha/{maria.pk}/voluntad/" in at_desk("ana").get(f"/ficha/{maria.pk}/").content.decode()
