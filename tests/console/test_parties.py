"""Who stands around an account: shown, added and taken away by people, and never written to."""

from __future__ import annotations

import pytest

from recobra.journal.models import Entry
from recobra.messaging.models import Contact
from recobra.portfolio.models import Debtor, Party

from .test_countries import text


@pytest.fixture
def maria(world):
    return world.debtors["María"]


def add(client, debtor, account, **form):
    stated = {
        "part": "GUARANTOR",
        "name": "Elena Aval Ríos",
        "national_id": "",
        "phone": "955 666 777",
        "email": "",
        "note": "Figura en el contrato",
    }
    return client.post(f"/ficha/{debtor.pk}/cuentas/{account.pk}/personas/nueva/", stated | form, follow=True)


def test_a_guarantor_is_added_shown_on_both_pages_and_gets_nothing(at_desk, world, maria):
    ana = at_desk("ana")
    page = text(add(ana, maria, world.accounts["María"]))
    party = Party.objects.get()
    assert (party.source, party.debtor.name) == ("STAFF", "Elena Aval Ríos")
    assert "Aval: Elena Aval Ríos" in page
    assert "Figura en el contrato" in page
    theirs = text(ana.get(f"/ficha/{party.debtor_id}/"))
    assert "Figura en cuentas de otros Aval: María Ñahui Quispe" in theirs
    assert "no envía nada" in theirs
    assert "+51955666777" in theirs
    entry = Entry.objects.get(kind="party.added")
    assert (entry.actor, entry.debtor_id, entry.account_id) == ("ana", maria.pk, world.accounts["María"].pk)
    assert "/escribir/" not in ana.get(f"/ficha/{party.debtor_id}/").content.decode()
    assert not Contact.objects.filter(debtor=party.debtor_id).exists()


def test_a_document_that_proves_somebody_leads_to_the_same_person(at_desk, world, maria):
    add(at_desk("ana"), maria, world.accounts["María"], national_id="40112233", phone="")
    party = Party.objects.get()
    jose = world.debtors["José"]
    assert party.debtor_id in {jose.pk, *Debtor.objects.filter(national_id="40112233").values_list("pk", flat=True)}
    answer = add(at_desk("ana"), maria, world.accounts["María"], national_id="123", phone="")
    assert answer.status_code == 422
    assert "no es un documento válido" in text(answer).lower()
    own = add(at_desk("ana"), maria, world.accounts["María"], national_id="45678912", phone="")
    assert "Es el mismo deudor" in text(own)


def test_who_is_taken_away_stays_away(at_desk, world, maria):
    ana = at_desk("ana")
    add(ana, maria, world.accounts["María"])
    party = Party.objects.get()
    page = text(ana.post(f"/ficha/{maria.pk}/personas/{party.pk}/quitar/", {"note": "Canceló su aval"}, follow=True))
    party.refresh_from_db()
    assert party.retired_at is not None
    assert "Canceló su aval" in page
    assert Entry.objects.filter(kind="party.retired", actor="ana").exists()
    assert ana.get(f"/ficha/{maria.pk}/personas/{party.pk}/quitar/").status_code == 404
    other = world.debtors["José"]
    assert ana.get(f"/ficha/{other.pk}/personas/{party.pk}/quitar/").status_code == 404
    assert add(at_desk("hilda"), maria, world.accounts["María"]).status_code == 403
