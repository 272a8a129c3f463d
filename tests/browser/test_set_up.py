"""A company goes from nothing to its first message on the screen alone: Chromium, a worker and a real mail server."""

from __future__ import annotations

import email
import io
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email import policy

import openpyxl
import pytest
from django.db import connections
from playwright.sync_api import expect

from recobra.access.models import User
from recobra.intake.models import Load
from recobra.kit import clock
from recobra.messaging import operations as messaging
from recobra.messaging.models import Contact
from tests import databases
from tests.console.following import work_off
from tests.environment import WORKER
from tests.messaging.smtp_sink import Sink
from tests.people import acting

from .scenes import assert_accessible

pytestmark = pytest.mark.browser
TUESDAY = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
"""Four in the morning in Lima: an hour later the cycle would run by itself."""
TEN = TUESDAY + timedelta(hours=6)
PASSWORD = "gatos-azules-99-lunares"


@pytest.fixture
def built(django_db_setup, django_db_blocker):
    """Give this test the empty database: there is nobody and nothing."""
    with django_db_blocker.unblock():
        databases.connect_django_to(WORKER)


@pytest.fixture
def mail():
    with Sink(faults={}) as server:
        yield server


def make_workbook(today):
    """Return a workbook as a firm has it: a title above, a total below, and one debt in dollars."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["BANCO SUR S.A. — Cartera de consumo"])
    sheet.append([f"Al {today:%d/%m/%Y}"])
    sheet.append([])
    sheet.append(["Nro préstamo", "Cliente", "DNI", "Correo", "Vencimiento", "Moneda", "Saldo"])
    debts = [(3, "PEN"), (4, "PEN"), (10, "PEN"), (5, "USD")]
    for n, (days, currency) in enumerate(debts, start=1):
        due = datetime.combine(today - timedelta(days=days), datetime.min.time())
        sheet.append([f"L-{n}", f"Persona {n}", f"4000000{n}", f"p{n}@correo.example", due, currency, n * 100.5])
    sheet.append(["TOTAL", None, None, None, None, None, 1005.0])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


class Desk:
    """The tab of who sets the installation up; `clicks` counts what she presses."""

    def __init__(self, page, look):
        self.page, self.look, self.clicks = page, look, 0

    def click(self, name, *, role="link"):
        self.clicks += 1
        self.page.get_by_role(role, name=name).first.click()

    def fill(self, **values):
        for name, value in values.items():
            self.page.locator(f"[name='{name}']").fill(value)

    def see(self, name):
        self.look(self.page, name)
        assert_accessible(self.page)

    def go_back(self):
        self.click("Volver a la puesta en marcha")


@pytest.fixture
def in_earnest(monkeypatch, settings):
    """Let it be early on Tuesday, in an installation that is no demonstration: a channel must be there."""
    monkeypatch.setattr(clock, "now", lambda: TUESDAY)
    settings.DEMO = False


@pytest.fixture
def desk(tabs, transactional_db, in_earnest, look):
    """Give the sign-in page of an installation in which there is one administrator and nothing else."""
    User.objects.create_user(username="rosa", password=PASSWORD, role="ADMINISTRATOR")
    yield Desk(tabs.open("rosa", "claro", session_key=None), look)
    assert tabs.clear() == []


def sign_in(desk):
    desk.page.goto("/")
    desk.fill(username="rosa", password=PASSWORD)
    desk.click("Ingresar", role="button")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Puesta en marcha")
    desk.see("puesta-en-marcha-vacia")


def open_creditor(desk):
    desk.click("Abrir el acreedor")
    desk.fill(name="Banco Sur", tax_id="20100000001", address="Av. Uno 1, Lima")
    desk.fill(payment_instructions="Pague en bancosur.example", complaint_contact="reclamos@bancosur.example")
    desk.see("acreedor-nuevo")
    desk.click("Abrir el acreedor", role="button")
    desk.go_back()


def open_portfolio(desk):
    desk.click("Abrir la cartera")
    desk.page.locator("#country").select_option("PE")
    expect(desk.page.locator("#currency")).to_have_value("PEN")
    desk.fill(name="Consumo Perú")
    desk.page.locator("#industry").focus()
    expect(desk.page.locator("#code")).to_have_value("PE-CONSUMO-PERU")
    desk.see("cartera-nueva")
    desk.click("Abrir la cartera", role="button")
    desk.see("cartera")


def load_workbook(desk):
    desk.click("Cargar un archivo")
    workbook = {"name": "cartera.xlsx", "mimeType": "application/octet-stream", "buffer": make_workbook(TUESDAY.date())}
    desk.page.locator("#file").set_input_files(workbook)
    desk.click("Continuar", role="button")
    expect(desk.page.locator(".preview-table")).to_contain_text("Persona 1")
    desk.page.locator("#other_currencies").select_option("set_aside")
    desk.see("columnas")
    desk.click("Cargar el archivo", role="button")
    expect(desk.page.locator("#list")).to_be_visible()
    work_off()
    load = Load.objects.get()
    assert (load.status, load.figures["accepted"], load.figures["rejected"]) == ("DONE", 3, 0)
    assert {each["code"]: each["rows"] for each in load.figures["aside"]} == {"currency": 1, "total": 1}
    desk.go_back()


def set_up_mail(desk, mail):
    desk.click("Configurar el correo")
    desk.fill(name="Correo de la empresa", code="correo")
    desk.fill(**{"setting-url": mail.url, "setting-from": "Cobranzas <cobranzas@bancosur.example>"})
    desk.page.locator("[name=enabled]").check()
    desk.click("Guardar", role="button")
    desk.click("Probar", role="button")
    expect(desk.page.locator("main")).to_contain_text("Responde", timeout=10_000)
    desk.go_back()


def dispatch():
    try:
        messaging.dispatch_once(actor=acting("dispatch", now=TEN))
    finally:
        connections.close_all()


def test_from_an_empty_installation_to_the_first_message(desk, mail, monkeypatch, record_property):
    sign_in(desk)
    open_creditor(desk)
    open_portfolio(desk)
    load_workbook(desk)
    expect(desk.page.locator("#day")).to_contain_text("Se contactaría a 3 deudores", timeout=20_000)
    desk.see("puesta-en-marcha")
    desk.click("Leer el diagnóstico")
    expect(desk.page.locator("#critical-title")).to_be_visible()
    desk.see("diagnostico")
    desk.go_back()
    set_up_mail(desk, mail)
    desk.see("puesta-en-marcha-lista")
    desk.click("Correr ahora el ciclo diario", role="button")
    expect(desk.page.locator("#run")).to_be_visible()
    work_off()
    expect(desk.page.locator("#run")).to_contain_text("Hecho", timeout=20_000)
    assert Contact.objects.filter(status="DUE").count() == 3
    monkeypatch.setattr(clock, "now", lambda: TEN)
    # Chromium's event loop runs in this thread.
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(dispatch).result()
    assert sum(mail.accepted.values()) == 3
    letter = email.message_from_bytes(mail.contents[0], policy=policy.default)
    assert letter["To"].endswith("@correo.example")
    assert "Banco Sur" in letter.get_body(("plain",)).get_content()
    record_property("clicks", desk.clicks)
    sys.stdout.write(f"from nothing to the first message: {desk.clicks} clicks\n")
    assert desk.clicks <= 25
