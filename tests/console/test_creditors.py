"""Acreedores: what messages say of a creditor is kept by few, read by the law, and asked for where it is missing."""

from __future__ import annotations

from django.db import connection

from recobra.kit import clock
from recobra.messaging.templates.missing_facts import find_missing_facts
from recobra.portfolio.models import Creditor, Portfolio
from tests import receivables

from .test_countries import text


def details(**changes):
    return {
        "tax_id": "20100000001",
        "address": "Av. Uno 1, Lima",
        "payment_instructions": "Pague en bancosur.example",
        "complaint_contact": "reclamos@bancosur.example",
        "complaint_office": "",
        "agency_name": "Cobros SAC",
        "agency_address": "Av. Dos 2",
        "agency_phone": "+51 1 555 0000",
        "supervised": "si",
        **changes,
    }


def address(world):
    return f"/acreedores/{world.portfolio.creditor_id}/"


def test_details_are_kept_and_the_journal_tells_which_but_not_what(at_desk, world):
    dario, here = at_desk("dario"), address(world)
    assert "Banco Sur" in dario.get("/acreedores/").content.decode()
    assert dario.post(here, details()).status_code == 302
    creditor = Creditor.objects.get(pk=world.portfolio.creditor_id)
    assert (creditor.agency_phone, creditor.supervised, creditor.tax_id) == ("+51 1 555 0000", True, "20100000001")
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload::text FROM journal_entry WHERE kind = 'creditor.saved' ORDER BY id DESC LIMIT 1")
        (payload,) = cursor.fetchone()
    assert "agency_phone" in payload
    assert "555" not in payload
    assert "reclamos" not in payload
    assert "payment_instructions" not in payload, "it did not change"
    shown = dario.get(here).content.decode()
    assert "+51 1 555 0000" in shown
    assert '<option value="si" selected>' in shown


def test_words_that_no_template_may_say_are_refused_with_their_place(at_desk, world):
    here = address(world)
    answer = at_desk("dario").post(here, details(payment_instructions="Lo llevaremos a la cárcel"))
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert "«cárcel» no puede decirse en PE" in shown
    assert ">Lo llevaremos" in shown, "what was typed is not lost"
    creditor = Creditor.objects.get(pk=world.portfolio.creditor_id)
    assert "cárcel" not in creditor.payment_instructions
    assert creditor.agency_name == "", "nothing of it was kept"
    assert at_desk("dario").post(here, details(address="x" * 1_001)).status_code == 422


def test_only_who_manages_the_channels_changes_where_money_is_sent(at_desk, world):
    here = address(world)
    assert {name: at_desk(name).post(here, details()).status_code for name in ("ana", "carla", "hilda")} == {
        "ana": 403,
        "carla": 403,
        "hilda": 403,
    }
    assert at_desk("dario").get("/acreedores/999999/").status_code == 404


def test_who_works_for_one_creditor_sees_nothing_of_another(at_desk, world, cast):
    other = Creditor.objects.create(code="LUZ", name="Luz del Norte")
    theirs = Portfolio.objects.create(
        creditor=other,
        code="PE-LUZ",
        name="Servicios Luz",
        industry="SERVICES",
        country="PE",
        currency="PEN",
        time_zone="America/Lima",
    )
    rosa = receivables.debtor(theirs, "Rosa Quiroz")
    receivables.account(theirs, rosa, "LUZ-1", (clock.today("America/Lima"), 7_700), product="SERVICE")
    cast["zoe"].scopes.create(portfolio_code="PE-LUZ")
    zoe, ana, carla = at_desk("zoe"), at_desk("ana"), at_desk("carla")
    assert "Rosa Quiroz" in text(zoe.get("/cartera/"))
    assert "S/ 77.00" in text(zoe.get(f"/ficha/{rosa.pk}/"))
    for shown in (text(zoe.get(page)) for page in ("/", "/cartera/", "/mensajes/", "/cartera/?q=PR-1001")):
        assert not [name for name in ("Banco Sur", "Consumo Perú", "María", "450.50") if name in shown]
    assert zoe.get(f"/ficha/{world.debtors['María'].pk}/").status_code == 404
    assert ana.get(f"/ficha/{rosa.pk}/").status_code == 404
    assert "Rosa Quiroz" not in text(ana.get("/cartera/"))
    both = text(carla.get("/cartera/"))
    assert "Rosa Quiroz" in both
    assert "María Ñahui Quispe" in both


def test_what_each_country_waits_for_is_said(at_desk, world):
    creditor = Creditor.objects.get(pk=world.portfolio.creditor_id)
    Portfolio.objects.create(
        creditor=creditor,
        code="MX-1",
        name="México",
        industry="CONSUMER",
        country="MX",
        currency="MXN",
        time_zone="America/Mexico_City",
    )
    on = clock.now().date()
    waits = {(each.country, each.field) for each in find_missing_facts(creditor, on=on) if each.is_required}
    assert {("MX", "agency_address"), ("MX", "agency_phone")} <= waits
    dario = at_desk("dario")
    shown = dario.get(address(world)).content.decode()
    assert "CONDUSEF" in shown
    assert "Teléfono de quien gestiona la cobranza" in shown
    dario.post(address(world), details())
    creditor.refresh_from_db()
    assert not [each for each in find_missing_facts(creditor, on=on) if each.is_required and each.country == "MX"]
