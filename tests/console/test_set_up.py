"""Puesta en marcha: an empty installation leads to its first lawful contacts, and says before what will happen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from recobra.access.models import User
from recobra.intake.models import Load
from recobra.messaging.models import Contact, Provider
from recobra.portfolio.models import Creditor, Portfolio
from recobra.strategy.models import CycleRun
from recobra.strategy.operations import preview_day
from tests.messaging.smtp_sink import Sink

from .following import work_off
from .test_countries import text
from .test_creditors import details
from .test_loads import choices
from .test_portfolios import NEW
from .test_sending import configure

TUESDAY = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
"""Four in the morning in Lima: an hour later the cycle would run by itself."""
HERE = "/puesta-en-marcha/"


@pytest.fixture
def mail():
    with Sink(faults={}) as server:
        yield server


@pytest.fixture
def in_earnest(clock_at, settings):
    """Let it be early on Tuesday, in an installation that is no demonstration: a channel must be there."""
    clock_at(TUESDAY)
    settings.DEMO = False


def write_file(today):
    """Return a file of debts of every kind: due soon, late with and without a way to be reached, an invalid address."""
    rows = []
    for n, (days, mail) in enumerate(
        [(-5, "p1@correo.example"), (3, "p2@correo.example"), (10, "p3@correo.example"), (10, ""), (70, "p5@correo.example")],
        start=1,
    ):  # fmt: skip
        due = today - timedelta(days=days)
        rows.append(f"L-{n};Persona {n};4000000{n};{mail};{due:%d/%m/%Y};{n}00,50")
    return "\n".join(["Nro préstamo;Cliente;DNI;Correo;Vencimiento;Saldo", *rows]) + "\n"


def state_of(client):
    """Return the code of the step that comes next, and those that are done."""
    steps = client.get(HERE).context["steps"]
    return next((step["code"] for step in steps if step["is_next"]), None), [s["code"] for s in steps if s["is_done"]]


def open_creditor(dario):
    assert dario.get("/")["Location"] == HERE
    assert state_of(dario) == ("creditor", [])
    page = text(dario.get(HERE))
    assert ("Abrir el acreedor" in page, "0 de 7 hechos" in page, "Qué pasaría mañana" in page) == (True, True, True)
    assert "Volver a la puesta en marcha" in text(dario.get("/acreedores/nuevo/"))
    dario.post("/acreedores/nuevo/", details(name="Banco Sur", payment_instructions=""))
    assert state_of(dario) == ("creditor", [])
    assert "Banco Sur todavía no dice cómo y dónde pagar" in text(dario.get(HERE))
    creditor = Creditor.objects.get()
    dario.post(f"/acreedores/{creditor.pk}/", details(name="Banco Sur"))
    assert state_of(dario) == ("portfolio", ["creditor"])
    return creditor


def open_portfolio(dario, creditor):
    consumer = {"code": "PE-CONSUMO", "industry": "CONSUMER", "country": "PE", "currency": "PEN"}
    form = {**NEW, **consumer, "time_zone": "America/Lima", "creditor": creditor.pk, "name": "Consumo Perú"}
    assert dario.post("/carteras/nueva/", form).status_code == 302
    assert state_of(dario) == ("file", ["creditor", "portfolio", "strategy"])
    assert "Se atiende de 09:00 a 18:00" in text(dario.get(HERE))


def load_file(dario):
    file = SimpleUploadedFile("cartera.csv", write_file(TUESDAY.date()).encode())
    address = dario.post("/cargas/nueva/", {"portfolio": "PE-CONSUMO", "file": file})["Location"]
    assert dario.post(address, choices(dario, address) | {"do": "load"}).status_code == 302
    work_off()
    load = Load.objects.get()
    assert (load.status, load.figures["accepted"]) == ("DONE", 5)
    assert state_of(dario) == ("channel", ["creditor", "portfolio", "file", "diagnosis", "strategy"])
    shown = text(dario.get(f"/cargas/{load.pk}/"))
    for said in (
        "Bajo: 1 a 30 días 3 S/ 901.50 S/ 501.00",
        "Cuentas críticas: el mayor monto vencido",
        "Persona 5 L-5 S/ 500.50 70 Sí",
        "Persona 4 L-4 S/ 400.50 10 No",
        "2 cuentas con 30 días de atraso o menos",
        "1 cuenta que vence dentro de 7 días",
        "1 cuenta cuyo deudor no tiene teléfono ni correo",
    ):
        assert said in shown, said
    assert dario.get("/").status_code == 200, "there are figures now"


def set_up_mail(dario, mail):
    provider = {"setting-url": mail.url, "setting-from": "Cobranzas <cobranzas@sur.example>"}
    configure(dario, "smtp", "correo-sur", **provider)
    assert state_of(dario)[0] == "channel", "it is not tested yet"
    assert "no pasó la prueba" in text(dario.get(HERE))
    dario.post("/canales/proveedor/correo-sur/probar/")
    assert Provider.objects.get().tested_well
    assert state_of(dario)[0] == "day"


@pytest.mark.django_db(transaction=True)
def test_the_steps_follow_what_exists_and_end_with_the_plan_of_tomorrow(at_desk, cast, in_earnest, mail):
    Portfolio.objects.all().delete()
    Creditor.objects.all().delete()
    User.objects.exclude(username="dario").update(is_active=False)
    dario = at_desk("dario")
    open_portfolio(dario, open_creditor(dario))
    load_file(dario)
    set_up_mail(dario, mail)
    User.objects.filter(username="ana").update(is_active=True)
    assert "1 persona además de usted" in text(dario.get(HERE))

    today = TUESDAY.date()
    assert "Esto pasaría: 25 nov 2026" in text(dario.get(f"{HERE}dia/"))
    day = text(dario.get(f"{HERE}dia/?dia={today}"))
    preview = preview_day(portfolio_ids=[Portfolio.objects.get().pk], as_of=today)
    assert preview.contacts == 4
    assert "Se contactaría a 4 deudores" in day
    assert "Correo Consumo Perú 4" in day
    assert "Una tarea para una persona" in day
    assert (Contact.objects.count(), CycleRun.objects.count()) == (0, 0), "nothing was written"

    assert dario.post(f"{HERE}ejecutar/")["Location"] == "/ciclo/"
    assert "El día se está planificando" in text(dario.get(HERE))
    work_off()
    figures = CycleRun.objects.get().figures
    refused = sum(group.debtors for group in preview.refused if group.channel)
    assert (figures["contacts_planned"], figures["contacts_blocked"]) == (preview.contacts, refused)
    assert state_of(dario)[0] is None
    assert "Está todo lo necesario" in text(dario.get(HERE))
    assert "Volver a la puesta en marcha" not in text(dario.get("/acreedores/nuevo/"))


def test_the_plan_of_a_day_names_the_portfolios_that_are_left_out(at_desk, world):
    dario = at_desk("dario")
    assert "no sigue ninguna estrategia" in text(dario.get(f"{HERE}dia/"))
    assert dario.get(HERE).context["state"].next_step is not None
    dario.post(f"/carteras/{world.portfolio.pk}/desactivar/", {"reason": "MISTAKE"})
    assert "Consumo Perú" not in text(dario.get(f"{HERE}dia/")), "it is not worked"
    assert at_desk("carla").get(HERE).status_code == 403
