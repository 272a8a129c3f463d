"""The screens of loads, strategies, cycle, messages and audit, by light, in the dark and on a phone, judged by axe."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from recobra.console import uploads
from recobra.intake.facts import LoadTurnedAway
from recobra.intake.models import Load
from recobra.journal import operations as journal
from recobra.kit import clock
from recobra.messaging.models import MailboxMessage, Template
from recobra.strategy import operations, schedule
from tests.people import acting

from .scenes import LOADED, choose_pages, visit

pytestmark = pytest.mark.browser
PAGES = {
    "cargas": "/cargas/",
    "carga-nueva": "/cargas/nueva/",
    "carga-columnas": "/cargas/nueva/{upload}/",
    "carga": "/cargas/{load}/",
    "estrategias": "/estrategias/",
    "estrategia": "/estrategias/consumo/",
    "estrategia-editar": "/estrategias/consumo/editar/",
    "estrategia-yaml": "/estrategias/consumo/editar/yaml/",
    "estrategia-plan": "/estrategias/consumo/v1/plan/",
    "estrategia-nueva": "/estrategias/nueva/",
    "ciclo": "/ciclo/",
    "mensajes": "/mensajes/?dia=todos",
    "mensaje-enviado": "/mensajes/{contact}/",
    "mensajes-inciertos": "/mensajes/inciertos/",
    "plantillas": "/mensajes/plantillas/",
    "plantilla": "/mensajes/plantillas/{template}/",
    "plantilla-editar": "/mensajes/plantillas/{template}/editar/",
    "buzon": "/mensajes/buzon/",
    "buzon-mensaje": "/mensajes/buzon/{letter}/",
    "auditoria": "/auditoria/",
    "datos": "/datos/",
    "parecidos": "/deudores-parecidos/",
}


@pytest.fixture
def numbers(world_with_strategy, people):
    """A day of work: a held load, a run of the cycle, a letter in the mailbox, an upload half done."""
    world, now = world_with_strategy, clock.now()
    operations.run_cycle(as_of=schedule.today(now), actor=acting("carla", now=now))
    held = Load.objects.create(
        portfolio=world.portfolio,
        file_name="cartera-hoy.csv",
        file_sha256="1" * 64,
        as_of=now.date(),
        actor="bruno",
        status="HELD",
        reason="El archivo tiene 2 cuentas; la cartera tiene 5 abiertas.",
        started_at=now,
        figures={"rows": 2, "accepted": 2, "gone": 3, "amount_minor": 45_000},
        finished_at=now + timedelta(1),
    )
    letter = MailboxMessage.objects.create(
        received_at=now,
        contact_public_id=str(world.sent.public_id),
        sender="cobranzas@sur.example",
        recipients="persona1@correo.example",
        subject="Su cuota venció",
        raw="Subject: Su cuota\nContent-Type: text/html; charset=utf-8\n\n<p>Estimada María</p>".encode(),
    )
    rows = b"Cuenta;Cliente;Vencimiento;Saldo\nL-1;Rosa;15/01/2026;100,50\n"
    upload = uploads.save_upload(
        file=SimpleUploadedFile("cartera.csv", rows), portfolio_code=world.portfolio.code, user=people["carla"], now=now
    )
    return {
        "upload": upload.token,
        "load": held.pk,
        "contact": world.sent.pk,
        "letter": letter.pk,
        "template": Template.objects.get(code="recordatorio-firme", channel="email", country="").pk,
    }


@pytest.mark.parametrize("scene", LOADED)
def test_every_page_of_work_can_be_used_by_everybody(page_for, numbers, assert_usable, scene):
    page = page_for("carla", scene)
    for name, address in choose_pages(PAGES).items():
        visit(page, address.format(**numbers))
        assert_usable(page, name)


def test_on_a_phone_no_cell_of_the_audit_is_wider_than_its_card(page_for, numbers):
    with transaction.atomic():
        journal.record_fact(LoadTurnedAway(load_id=1, code="f" * 90), actor=acting("carla", now=clock.now()))
    page = page_for("hilda", "telefono")
    page.goto("/auditoria/")
    page.wait_for_selector("#list tbody tr")
    cut = """[...document.querySelectorAll("#list tbody td, #list tbody td *")].filter((each) =>
      each.scrollWidth > each.clientWidth + 1 && each.clientWidth
      || each.getBoundingClientRect().right > document.querySelector("#list").getBoundingClientRect().right)
      .map((each) => each.outerHTML.slice(0, 200))"""
    assert page.evaluate(cut) == []
