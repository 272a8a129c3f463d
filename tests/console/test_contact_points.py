"""A debtor's telephones and addresses in people's hands: added, corrected, retired, and honoured at once."""

from __future__ import annotations

import pytest

from recobra.access.models import CompanyRole
from recobra.access.roles import RIGHTS, Right
from recobra.consent.models import Silence
from recobra.consent.opt_out import record_opt_out, record_wrong_person
from recobra.journal.models import Entry
from recobra.kit import clock
from recobra.messaging.models import Contact
from recobra.portfolio.models import ContactPoint, DebtorNote
from tests.people import acting

from .test_countries import text

NEW = "+51955666777"


@pytest.fixture
def maria(world):
    return world.debtors["María"]


@pytest.fixture
def phone(maria):
    return maria.points.get(kind="PHONE")


def add(client, debtor, **form):
    stated = {"kind": "PHONE", "value": "955 666 777", "place": "personal", "note": "Lo dio ella por teléfono"}
    return client.post(f"/ficha/{debtor.pk}/contactos/nuevo/", stated | form, follow=True)


def change(client, point, what, **form):
    return client.post(f"/ficha/{point.debtor_id}/contactos/{point.pk}/{what}/", form, follow=True)


def plan_to(point):
    """Let the contact that is planned for María go to a telephone by SMS."""
    Contact.objects.filter(debtor=point.debtor_id, status="DUE").update(point=point, channel="sms")
    return Contact.objects.get(debtor=point.debtor_id, status="DUE")


def test_a_gestora_adds_a_number_with_its_source_and_the_history_says_so(at_desk, maria):
    page = text(add(at_desk("ana"), maria))
    point = maria.points.get(value=NEW)
    assert (point.source, point.place, point.line, point.valid) == ("STAFF", "personal", "MOBILE", True)
    assert "Dato de contacto agregado" in page
    assert NEW in page
    assert "Lo dio ella por teléfono" in page
    (note,) = DebtorNote.objects.all()
    assert (note.author, note.about_point) == ("ana", point.pk)
    entry = Entry.objects.get(kind="contact_point.added")
    assert (entry.actor, entry.debtor_id, entry.payload["note_id"]) == ("ana", maria.pk, note.pk)
    assert NEW not in str(entry.payload)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"value": "12345"}, "No es un teléfono de PE"),
        ({"kind": "EMAIL", "value": "sin arroba"}, "no es un correo"),
        ({"kind": "ADDRESS", "value": "Lima"}, "dirección completa"),
        ({"value": "+51 987 654 321"}, "ya lo tiene"),
        ({"note": ""}, "obligatorio"),
        ({"kind": "FAX"}, "FAX"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(at_desk, maria, form, said):
    answer = add(at_desk("ana"), maria, **form)
    assert answer.status_code == 422
    assert said in text(answer)
    assert maria.points.count() == 2
    assert not DebtorNote.objects.exists()


def test_a_correction_retires_the_old_one_and_takes_back_what_waited_for_it(at_desk, maria, phone):
    contact = plan_to(phone)
    page = text(change(at_desk("ana"), phone, "corregir", value="955666777", place="", note="Faltaba un dígito"))
    phone.refresh_from_db()
    new = maria.points.get(value=NEW)
    assert (phone.retired_because, phone.corrected_by) == ("CORRECTED", new.pk)
    contact.refresh_from_db()
    assert (contact.status, contact.reason) == ("CANCELLED", "point_retired")
    assert "Se corrigió" in page
    assert "Faltaba un dígito" in page
    again = change(at_desk("ana"), phone, "corregir", value="955666778", place="", note="otra vez")
    assert "Ya está fuera de uso" in text(again)
    same = change(at_desk("ana"), new, "corregir", value="+51955666777", place="", note="igual")
    assert "lo mismo" in text(same)


def test_a_retired_number_gets_nothing_and_may_come_back_by_a_person(at_desk, maria, phone):
    contact = plan_to(phone)
    change(at_desk("ana"), phone, "retirar", reason="OUT_OF_SERVICE", note="Suena apagado")
    contact.refresh_from_db()
    phone.refresh_from_db()
    assert (contact.status, phone.retired_because) == ("CANCELLED", "OUT_OF_SERVICE")
    assert Entry.objects.filter(kind="contact_point.retired", actor="ana").exists()
    add(at_desk("ana"), maria, value="987654321", note="Ya contesta")
    phone.refresh_from_db()
    assert (phone.retired_at, phone.retired_because, phone.source) == (None, "", "STAFF")


def test_somebody_elses_number_is_silent_and_never_comes_back(at_desk, maria, phone):
    change(at_desk("ana"), phone, "retirar", reason="WRONG_PERSON", note="Contestó otra señora")
    phone.refresh_from_db()
    assert phone.retired_because == "WRONG_PERSON"
    assert Silence.objects.filter(value=phone.value).exists()
    answer = add(at_desk("ana"), maria, value="987654321")
    assert answer.status_code == 422
    assert "de otra persona" in text(answer)


def test_a_number_that_wants_no_messages_does_not_come_in_unseen(at_desk, maria):
    for record, value in ((record_opt_out, NEW), (record_wrong_person, "+51955666778")):
        record(kind="PHONE", value=value, source="STAFF", said="No", actor=acting("bruno", now=clock.now()))
        page = text(add(at_desk("ana"), maria, value=value))
        assert "no sale nada" in page
        assert maria.points.get(value=value).opted_out_at is not None


def test_a_number_at_work_is_not_planned_for(at_desk, maria, phone):
    contact = plan_to(phone)
    page = text(change(at_desk("ana"), phone, "de-quien", place="work", note="Es la central de su oficina"))
    contact.refresh_from_db()
    phone.refresh_from_db()
    assert (contact.status, phone.place) == ("CANCELLED", "work")
    assert "no lleva al deudor" in page
    assert "Trabajo" in page or "trabajo" in page


def test_who_sees_numbers_masked_reads_none_by_editing(at_desk, cast, maria, phone):
    rights = sorted(set(RIGHTS["GESTOR"]) - {Right.SEE_CONTACT_DATA})
    CompanyRole.objects.create(code="GESTOR", name="Gestor", rights=[str(right) for right in rights])
    cast["ana"].refresh_from_db()
    ana = at_desk("ana")
    for path in ("", f"contactos/{phone.pk}/corregir/", f"contactos/{phone.pk}/retirar/", "contactos/nuevo/"):
        body = ana.get(f"/ficha/{maria.pk}/{path}").content.decode()
        assert "987654321" not in body, path
    answer = change(ana, phone, "corregir", value="955666777", place="", note="La corrigió al +51955666777")
    assert NEW not in answer.content.decode()
    assert "+51955666777" not in answer.content.decode()


def test_points_of_others_are_not_found_and_who_may_not_changes_nothing(at_desk, world, maria, phone):
    other = world.debtors["José"].points.first()
    for what in ("corregir", "retirar", "de-quien"):
        assert at_desk("ana").get(f"/ficha/{maria.pk}/contactos/{other.pk}/{what}/").status_code == 404
        assert change(at_desk("hilda"), phone, what).status_code == 403
    assert add(at_desk("hilda"), maria).status_code == 403
    assert ContactPoint.objects.filter(retired_at__isnull=False).count() == 0
