"""Deudores parecidos: the list, both side by side, one person, two again; from a debtor's file too."""

import pytest
from django.urls import reverse

from recobra.journal.models import Entry
from recobra.kit import clock
from recobra.portfolio.debtor_pairs import survey_debtors
from recobra.portfolio.models import Debtor
from tests.people import acting

from .test_countries import text


@pytest.fixture
def pair(world):
    """María is in two files: Pedro's one has her name, telephone and a figure of her document wrong."""
    maria, pedro = world.debtors["María"], world.debtors["Pedro"]
    Debtor.objects.filter(pk=pedro.pk).update(
        name="Ñahui Quispe María", national_id="45678913", national_id_kind="DNI", national_id_valid=True
    )
    pedro.points.filter(kind="PHONE").update(value="+51987654321")
    survey_debtors(creditor_id=maria.creditor_id, actor=acting("night", now=clock.now()))
    return maria, pedro


def test_two_files_of_one_person_become_one_and_two_again(at_desk, pair):
    maria, pedro = pair
    bruno = at_desk("bruno")
    assert "1 par de deudores se parece" in text(bruno.get("/datos/"))
    shown = text(bruno.get("/deudores-parecidos/"))
    assert "documentos que difieren en una cifra, el mismo nombre, el mismo teléfono o correo" in shown
    address = f"/deudores-parecidos/{maria.pk}/{pedro.pk}/"
    both = text(bruno.get(address))
    assert "PR-1001" in both
    assert "casi siempre son dos personas" not in both, "their documents differ by one figure"
    assert "PR-1005" in both
    bruno.post(f"{address}unir/", {"queda": maria.pk, "motivo": "DOCUMENT"})
    file = text(bruno.get(f"/ficha/{maria.pk}/"))
    assert "Unido con el cliente CLI-0005" in file
    assert "PR-1005" in file
    assert bruno.get(f"/ficha/{pedro.pk}/").url == f"/ficha/{maria.pk}/"
    assert "PR-1005" in text(bruno.get("/cartera/?q=CLI-0005"))
    # Somebody who has both before him still learns where they are now.
    assert bruno.post(f"{address}distintos/").url == f"/ficha/{maria.pk}/"
    assert bruno.get(address).url == f"/ficha/{maria.pk}/"
    assert "Deudores unidos" in file
    union = maria.joins.get().pk
    bruno.post(f"/ficha/{maria.pk}/separar/", {"union": union, "motivo": "MISTAKE"})
    assert "PR-1005" in text(bruno.get(f"/ficha/{pedro.pk}/"))
    assert "PR-1005" not in text(bruno.get(f"/ficha/{maria.pk}/"))
    assert "Nadie se parece a otro" in text(bruno.get("/deudores-parecidos/")), "parted once, not proposed again"


def test_different_people_leave_the_list_for_good(at_desk, pair):
    bruno = at_desk("bruno")
    bruno.post(f"/deudores-parecidos/{pair[0].pk}/{pair[1].pk}/distintos/")
    assert "Nadie se parece a otro" in text(bruno.get("/deudores-parecidos/"))
    assert Entry.objects.filter(kind="debtor.found_different", actor="bruno").count() == 2


def test_who_is_not_there_is_neither_joined_nor_told_apart(at_desk, pair):
    bruno = at_desk("bruno")
    for address in (f"/deudores-parecidos/{pair[0].pk}/999999/", f"/deudores-parecidos/{10**20}/{pair[0].pk}/"):
        for step in ("unir/", "distintos/"):
            assert bruno.post(f"{address}{step}", {"queda": pair[0].pk, "motivo": "OTHER"}).status_code == 404


def test_a_person_finds_the_other_file_by_its_number_and_who_collects_joins_nobody(at_desk, world):
    maria, jose = world.debtors["María"], world.debtors["José"]
    Debtor.objects.filter(pk__in=[maria.pk, jose.pk]).update(national_id_valid=True)
    found = at_desk("bruno").post(f"/ficha/{maria.pk}/parecido/", {"cliente": "CLI-0002"})
    assert found.url == f"/deudores-parecidos/{maria.pk}/{jose.pk}/"
    assert "casi siempre son dos personas" in text(at_desk("bruno").get(found.url))
    assert at_desk("bruno").post(f"/ficha/{maria.pk}/parecido/", {"cliente": "CLI-9"}).url == f"/ficha/{maria.pk}/"
    ana = at_desk("ana")
    assert ana.get(found.url).status_code == 403
    assert "¿Esta persona está también en otra ficha?" not in text(ana.get(f"/ficha/{maria.pk}/"))


def test_the_administrator_sees_numbers_and_documents_masked(at_desk, pair):
    shown = text(at_desk("dario").get(f"/deudores-parecidos/{pair[0].pk}/{pair[1].pk}/"))
    assert "+51987654321" not in shown
    assert "45678912" not in shown
    at_desk("bruno").post(
        f"/deudores-parecidos/{pair[0].pk}/{pair[1].pk}/unir/", {"queda": pair[0].pk, "motivo": "OTHER"}
    )
    account = pair[0].accounts.get(external_id="PR-1005")
    pair[0].accounts.filter(pk=account.pk).update(external_id="45678913-1")
    assert "45678913" not in text(at_desk("dario").get(f"/ficha/{pair[0].pk}/"))
    ledger = reverse("console:debtor-ledger", args=[pair[0].pk, account.pk])
    assert "45678913" not in text(at_desk("dario").get(ledger))
