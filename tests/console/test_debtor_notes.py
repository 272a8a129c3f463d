"""Preferences of contact and notes in a debtor's file: set by people, honoured by the plan, masked by role."""

from __future__ import annotations

from datetime import time

import pytest
from django.db import connection

from recobra.access.models import CompanyRole
from recobra.access.roles import RIGHTS, Right
from recobra.journal.models import Entry
from recobra.messaging.models import Contact
from recobra.portfolio.models import DebtorNote
from recobra.portfolio.personal_data import HOLDINGS

from .test_countries import text


@pytest.fixture
def maria(world):
    return world.debtors["María"]


def prefer(client, debtor, **form):
    stated = {"language": "en", "channel": "whatsapp", "hours_from": "09:00", "hours_to": "12:30", "note": "Lo pidió"}
    return client.post(f"/ficha/{debtor.pk}/preferencias/", stated | form, follow=True)


def test_preferences_are_set_with_their_reason_and_what_was_planned_is_decided_anew(at_desk, maria):
    waiting = Contact.objects.get(debtor=maria, status="DUE")
    page = text(prefer(at_desk("ana"), maria))
    maria.refresh_from_db()
    assert (maria.language, maria.preferred_channel, maria.preferred_from, maria.preferred_to) == (
        "en",
        "whatsapp",
        time(9),
        time(12, 30),
    )
    assert maria.preferences_source == "STAFF"
    waiting.refresh_from_db()
    assert (waiting.status, waiting.reason) == ("CANCELLED", "preferences")
    assert "Canal: WhatsApp. Horario" in page.replace("Horarios:", "Horario:")
    assert "Lo pidió" in page
    assert Entry.objects.get(kind="debtor.preferences_set").payload["hours_to"] == "12:30"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"hours_to": ""}, "o ninguna"),
        ({"hours_to": "08:00"}, "o ninguna"),
        ({"channel": "fax"}, "fax"),
        ({"note": ""}, "obligatorio"),
    ],
)
def test_preferences_that_cannot_be_honoured_are_refused_in_words(at_desk, maria, form, said):
    answer = prefer(at_desk("ana"), maria, **form)
    assert answer.status_code == 422
    assert said in text(answer)


def test_a_note_is_encrypted_masked_by_role_and_erased_with_the_case(at_desk, cast, maria):
    words = "Pide que la llamen al +51955666777 después de las 5"
    page = at_desk("ana").post(f"/ficha/{maria.pk}/notas/nueva/", {"text": words}, follow=True)
    assert words in text(page)
    note = DebtorNote.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM portfolio_debtornote")
        assert "955666777" not in cursor.fetchone()[0]
    again = at_desk("ana").post(f"/ficha/{maria.pk}/notas/nueva/", {"text": words}, follow=True)
    assert "ya está" in text(again)
    rights = sorted(set(RIGHTS["GESTOR"]) - {Right.SEE_CONTACT_DATA})
    CompanyRole.objects.create(code="GESTOR", name="Gestor", rights=[str(right) for right in rights])
    assert "955666777" not in at_desk("ana").get(f"/ficha/{maria.pk}/").content.decode()
    (holding,) = (each for each in HOLDINGS if each.model == "portfolio.DebtorNote")
    assert [dict(row)["text"] for row in holding.copy(maria.pk)] == [words]
    assert holding.erase([maria.pk], note.written_at) == 1
    assert "Pide que la llamen" not in text(at_desk("carla").get(f"/ficha/{maria.pk}/"))
    assert at_desk("hilda").post(f"/ficha/{maria.pk}/notas/nueva/", {"text": "x"}).status_code == 403
