"""Carteras: opened, named, disabled and found on screen, by who administers, also where there are hundreds."""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.test.utils import CaptureQueriesContext

from recobra.journal.models import Entry
from recobra.kit import clock
from recobra.messaging.models import Contact
from recobra.policy.portfolio_policies import policy_on, save_policy
from recobra.policy.settings import Policy, write_policy
from recobra.portfolio.models import Creditor, Portfolio
from recobra.strategy.models import Assignment
from recobra.strategy.operations import preview_day
from tests.people import acting

from .test_countries import text
from .test_creditors import details
from .test_loads import send

NEW = {
    "name": "Facturas Ñandú",
    "code": "",
    "settings_of": "",
    "industry": "INVOICES",
    "country": "CL",
    "currency": "CLP",
    "time_zone": "America/Santiago",
    "strategy": "",
}


def last_fact(kind):
    return Entry.objects.filter(kind=kind).order_by("-pk").first()


def test_a_creditor_and_its_portfolio_are_opened_on_screen_ready_to_be_worked(at_desk, company):
    dario = at_desk("dario")
    assert "Acreedor nuevo" in text(dario.get("/acreedores/"))
    refused = dario.post("/acreedores/nuevo/", details(name="", code="LUZ"))
    assert (refused.status_code, "Hace falta un nombre." in text(refused)) == (422, True)
    opened = dario.post("/acreedores/nuevo/", details(name="Luz del Norte"))
    luz = Creditor.objects.get(code="LUZ-DEL-NORTE")
    assert (opened["Location"], luz.name, luz.agency_name) == (f"/acreedores/{luz.pk}/", "Luz del Norte", "Cobros SAC")
    again = dario.post("/acreedores/nuevo/", details(name="Otra", code="LUZ-DEL-NORTE"))
    assert "Ya hay un acreedor con este código." in text(again)
    assert last_fact("creditor.opened").payload["code"] == "LUZ-DEL-NORTE"

    # Currency and zone follow the country, and the code follows the name.
    asked = {**NEW, "creditor": luz.pk, "currency": "", "time_zone": "", "cambio": "country"}
    shown = dario.get("/carteras/nueva/", asked, HTTP_HX_REQUEST="true").content.decode()
    assert "<option selected>CLP</option>" in shown
    assert "<option selected>America/Santiago</option>" in shown
    assert "<html" not in shown
    named = dario.get("/carteras/nueva/", {**asked, "cambio": "name"}, HTTP_HX_REQUEST="true").content.decode()
    assert 'value="CL-FACTURAS-NANDU"' in named

    answer = dario.post("/carteras/nueva/", {**NEW, "creditor": luz.pk})
    portfolio = Portfolio.objects.get(code="CL-FACTURAS-NANDU")
    assert answer["Location"] == f"/carteras/{portfolio.pk}/"
    assert Assignment.objects.get(portfolio=portfolio).strategy_code == "facturas"
    assert policy_on(portfolio.pk, clock.now().date()) == Policy()
    assert Portfolio.objects.get(pk=portfolio.pk).creditor == luz
    page = text(dario.get(f"/carteras/{portfolio.pk}/"))
    assert "Chile · CLP" in page
    assert f'href="/cargas/nueva/?cartera={portfolio.code}"' in dario.get(f"/carteras/{portfolio.pk}/").content.decode()
    chosen = dario.get(f"/cargas/nueva/?cartera={portfolio.code}").content.decode()
    assert f'<option value="{portfolio.code}" selected>' in chosen

    for wrong, said in (
        ({"creditor": ""}, "Elija un acreedor."),
        ({"code": portfolio.code}, "Ya hay una cartera con este código."),
        ({"code": "con espacio"}, "Letras, dígitos, guiones y puntos"),
        ({"country": "XX"}, "Se esperaba: uno de: AR"),
        ({"currency": "soles"}, "una moneda como PEN"),
        ({"name": " "}, "Se esperaba"),
        ({"strategy": "nada"}, "no tiene una versión publicada"),
        ({"settings_of": "99999"}, "Elija una de las carteras."),
    ):
        answer = dario.post("/carteras/nueva/", {**NEW, "creditor": luz.pk, "code": "OTRA", **wrong})
        assert answer.status_code == 422, wrong
        assert said in text(answer), wrong
    assert not Portfolio.objects.filter(code="OTRA").exists()
    luz.payment_instructions = "Lo llevaremos a la cárcel"
    luz.save()
    answer = dario.post("/carteras/nueva/", {**NEW, "creditor": luz.pk, "code": "OTRA"})
    assert "«cárcel» no puede decirse en CL" in text(answer), "the law of a new country reads what messages say"


def test_a_portfolio_copies_the_settings_of_another_as_they_are_today(at_desk, company):
    now = clock.now()
    today = company.local_day(now)
    wanted = {**write_policy(Policy()), "people_from": "10:00", "freshness_days": 4}
    save_policy(portfolio_id=company.pk, effective_from=today, document=wanted, actor=acting("carla", now=now))
    dario = at_desk("dario")
    shown = dario.get(f"/carteras/nueva/?acreedor={company.creditor_id}").content.decode()
    assert f'<option value="{company.pk}" selected>' in shown, "the creditor's newest one is the example"
    assert "<option selected>PEN</option>" in shown
    form = {**NEW, "creditor": company.creditor_id, "settings_of": company.pk, "name": "Segunda"}
    assert dario.post("/carteras/nueva/", form | {"country": "PE", "currency": "PEN"}).status_code == 302
    second = Portfolio.objects.get(code="PE-SEGUNDA")
    copied = policy_on(second.pk, dt.date(2020, 1, 1))
    assert (copied.people_from, copied.freshness_days) == (dt.time(10), 4), "from the beginning"
    assert last_fact("portfolio.opened").payload["settings_of"] == company.pk
    saved = last_fact("portfolio_policy.saved") or Entry.objects.filter(kind__contains="policy").order_by("-pk").first()
    assert set(saved.payload["changed"]) == {"people_from", "freshness_days"}


def test_nothing_happens_to_a_disabled_portfolio_until_it_is_enabled(at_desk, world):
    dario, here = at_desk("dario"), f"/carteras/{world.portfolio.pk}/"
    planned = Contact.objects.get(status="DUE")
    answer = Contact.objects.create(
        debtor=world.debtors["María"], portfolio=world.portfolio, channel="whatsapp", purpose="REPLY", status="DUE",
        planned_for=planned.planned_for, planned_at=planned.planned_at, due_at=planned.due_at, body="Sí", zones="America/Lima",
    )  # fmt: skip
    Assignment.objects.create(portfolio=world.portfolio, strategy_code="consumo", active=True)
    assert "Elija un motivo." in text(dario.post(f"{here}desactivar/", {"reason": "?"}, follow=True))
    told = text(dario.post(f"{here}desactivar/", {"reason": "MANDATE_ENDED"}, follow=True))
    assert "Terminó el encargo" in told
    assert "Esta cartera no se gestiona" in told
    for contact, status in ((planned, "CANCELLED"), (answer, "DUE")):
        contact.refresh_from_db()
        assert contact.status == status
    assert planned.reason == "portfolio_disabled"
    fact = last_fact("portfolio.disabled")
    assert (fact.payload, fact.portfolio_id) == ({"code": "PE-CONSUMO", "reason": "MANDATE_ENDED"}, world.portfolio.pk)
    assert "La cartera se desactivó" in text(at_desk("carla").get("/mensajes/?estado=CANCELLED"))
    dario.post(f"{here}desactivar/", {"reason": "MISTAKE"})
    assert Entry.objects.filter(kind="portfolio.disabled").count() == 1, "a form that was sent twice"

    # No loads: it is not offered, and a form of before is refused.
    assert world.portfolio.code not in at_desk("bruno").get("/cargas/nueva/").content.decode()
    assert send(at_desk("bruno"), "L-1;P;40000001;987654321;p@correo.example;15/01/2026;100,00").status_code == 422
    # No plan, and it is no alarm that its data are old.
    preview = preview_day(portfolio_ids=[world.portfolio.pk], as_of=clock.today("America/Lima"))
    assert (preview.planned, preview.left_out) == ((), {world.portfolio.pk: "disabled"})

    listed = text(dario.get("/carteras/?estado=desactivadas"))
    assert ("Consumo Perú" in listed, "Terminó el encargo" in listed) == (True, True)
    assert "Consumo Perú" not in text(dario.get("/carteras/?estado=activas", HTTP_HX_REQUEST="true"))
    assert "La cartera quedó activada" in text(dario.post(f"{here}activar/", follow=True))
    assert last_fact("portfolio.enabled") is not None
    assert world.portfolio.code in at_desk("bruno").get("/cargas/nueva/").content.decode()
    world.portfolio.refresh_from_db()
    assert (world.portfolio.disabled_at, world.portfolio.disable_reason) == (None, "")


def test_a_disabled_creditor_takes_its_portfolios_along(at_desk, world):
    dario, here = at_desk("dario"), f"/acreedores/{world.portfolio.creditor_id}/"
    assert "Desactivar el acreedor" in text(dario.get(here))
    dario.post(f"{here}desactivar/", {"reason": "CREDITOR_ASKED"})
    world.portfolio.refresh_from_db()
    assert world.portfolio.disable_reason == "CREDITOR_ASKED"
    assert Contact.objects.get(reason="portfolio_disabled").status == "CANCELLED"
    at_portfolio = f"/carteras/{world.portfolio.pk}/"
    assert "El acreedor está desactivado" in text(dario.post(f"{at_portfolio}activar/", follow=True))
    shown = dario.get("/carteras/nueva/").content.decode()
    assert f'<option value="{world.portfolio.creditor_id}"' not in shown.split('id="settings_of"')[0]
    form = {**NEW, "creditor": world.portfolio.creditor_id, "code": "X"}
    assert "El acreedor está desactivado" in text(dario.post("/carteras/nueva/", form))
    assert "active cada cartera suya" in text(dario.post(f"{here}activar/", follow=True))
    world.portfolio.refresh_from_db()
    assert world.portfolio.disabled_at is not None, "one by one"
    assert dario.post(f"{at_portfolio}activar/").status_code == 302
    world.portfolio.refresh_from_db()
    assert world.portfolio.disabled_at is None


def test_a_portfolio_has_another_name_and_keeps_its_code(at_desk, world):
    dario, here = at_desk("dario"), f"/carteras/{world.portfolio.pk}/"
    assert dario.post(here, {"name": "  "}).status_code == 422
    assert dario.post(here, {"name": "Consumo Lima"}).status_code == 302
    world.portfolio.refresh_from_db()
    assert (world.portfolio.name, world.portfolio.code) == ("Consumo Lima", "PE-CONSUMO")
    assert last_fact("portfolio.renamed").payload == {"code": "PE-CONSUMO"}
    creditor = f"/acreedores/{world.portfolio.creditor_id}/"
    assert "Hace falta un nombre." in text(dario.post(creditor, details(name=" ")))
    assert dario.post(creditor, details(name="Banco del Sur")).status_code == 302
    assert Creditor.objects.get(pk=world.portfolio.creditor_id).name == "Banco del Sur"


PAGES = (
    "/carteras/",
    "/carteras/?q=fibra+lima",
    "/acreedores/",
    "/politicas/",
    "/estrategias/",
    "/cargas/",
    "/cargas/nueva/",
    "/carteras/nueva/",
    "/cartera/",
    "/datos/",
    "/",
    "/puesta-en-marcha/",
    "/usuarios/nuevo/",
    "/ciclo/",
    "/mensajes/",
    "/campanas/nueva/",
)
LEADERS = {"/campanas/nueva/": "carla"}


def test_two_hundred_portfolios_cost_no_page_more_queries_than_three(at_desk, world):
    def open_more(numbers):
        for n in numbers:
            creditor = Creditor.objects.create(code=f"C-{n:03}", name=f"Acreedor {n:03}")
            name = f"Fibra {'Lima' if n in (1, 2) else 'Cusco'} {n:03}"
            portfolio = Portfolio.objects.create(
                creditor=creditor, code=f"P-{n:03}", name=name, industry="SERVICES", country="PE", currency="PEN",
                time_zone="America/Lima",
            )  # fmt: skip
            Assignment.objects.create(portfolio=portfolio, strategy_code="servicios", active=True)

    def count():
        counts = {}
        for page in PAGES:
            with CaptureQueriesContext(connection) as asked:
                shown = at_desk(LEADERS.get(page, "dario")).get(page)
            assert shown.status_code == 200, page
            counts[page] = len(asked)
        return counts

    open_more(range(3))
    few = count()
    open_more(range(3, 200))
    lots = count()
    # One query more than before is that of the classes of accounts, which is kept for a minute; the accounts of each
    # portfolio are counted on the page of quality, which has ten.
    assert lots.pop("/datos/") <= few.pop("/datos/") + 10
    assert {page: (few[page], lots[page]) for page in lots if lots[page] > few[page] + 1} == {}
    dario = at_desk("dario")
    first = dario.get("/carteras/").content.decode()
    assert first.count("data-row>") == 50
    assert 'rel="next"' in first
    assert 'rel="next"' not in dario.get("/carteras/?pagina=5").content.decode()
    found = text(dario.get("/carteras/?q=fibra lima"))
    assert ("Fibra Lima 001" in found, "Cusco" in found) == (True, False)
    assert "Ninguna cartera coincide" in text(dario.get("/carteras/?q=nadie"))
    of_one = dario.get(f"/carteras/?acreedor={Creditor.objects.get(code='C-100').pk}").content.decode()
    assert of_one.count("data-row>") == 1
    assert "Acreedor 150" in text(dario.get("/acreedores/?q=150"))
