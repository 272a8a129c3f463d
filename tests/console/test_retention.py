"""Conservación and the rights of one person, as a manager walks them."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from recobra.compliance.models import PersonRequest, RetentionPeriod
from recobra.compliance.retention import schedule
from recobra.kit import clock
from recobra.portfolio.models import Debtor
from tests.compliance import forgotten
from tests.people import acting


@pytest.fixture
def gone(world):
    """Two people who paid long ago."""
    return forgotten.settle(world.portfolio, 2)


def text(page):
    assert page.status_code == 200
    return page.content.decode()


def test_the_classes_are_shown_with_who_decides(at_desk, world):
    page = text(at_desk("carla").get("/conservacion/"))
    assert "Mensajes enviados" in page
    assert "decide la empresa; esto es lo propuesto" in page
    assert "Bitácora" in page
    assert 'href="/conservacion/"' in page


def test_figures_of_all_portfolios_are_for_who_sees_all(at_desk, world):
    assert "Solicitudes en espera" in at_desk("carla").get("/conservacion/").content.decode()
    page = at_desk("ana").get("/conservacion/").content.decode()
    assert "Clases de datos" in page
    assert "Solicitudes en espera" not in page
    assert "Últimas ejecuciones" not in page


def test_a_manager_sets_a_period_and_sees_it(at_desk, world):
    desk = at_desk("carla")
    later = (clock.now() + timedelta(days=3)).date()
    page = text(
        desk.post(
            "/conservacion/plazo/",
            {"clase": "messages", "dias": "900", "desde": later.isoformat(), "motivo": "Acta 12 del directorio"},
            follow=True,
        )
    )
    assert RetentionPeriod.objects.get().days == 900
    assert "El plazo quedó guardado" in page
    assert "900" in page
    refused = desk.post(
        "/conservacion/plazo/",
        {"clase": "messages", "pais": "cl", "dias": "30", "desde": later.isoformat(), "motivo": "x"},
        follow=True,
    )
    assert "Allí la ley exige 731 días (Ley 19.496 art. 37)." in text(refused)


def test_what_a_night_did_and_what_stood_against_it_is_shown(at_desk, world, gone):
    gone[1].tasks.create(
        portfolio=world.portfolio,
        kind="call",
        title="Llamar",
        due_date=forgotten.DAY,
        created_at=forgotten.LONG_AGO,
        created_by="ana",
    )
    now = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
    schedule.erase_due(day=now.date(), actor=acting("night", now=now))
    page = text(at_desk("carla").get("/conservacion/"))
    assert "Hay una tarea abierta." in page
    assert "Identidad y cuentas" in page
    file = text(at_desk("carla").get(f"/ficha/{gone[0].pk}/"))
    assert "Esta persona está anonimizada" in file
    assert "Persona Olvidada 0" not in file
    assert "Persona anonimizada" in file
    assert "Escribir" not in file, "there is nobody to write to"
    assert "anonymised:" not in file, "what stands for an erased number is shown in words"
    assert "anonimizado" in file
    assert text(at_desk("ana").get("/cartera/?q=Olvidada")).count("Persona Olvidada") == 1


def test_a_request_is_recorded_done_and_answered(at_desk, world, gone):
    desk = at_desk("carla")
    debtor = gone[0]
    assert f"/ficha/{debtor.pk}/derechos/" in text(desk.get(f"/ficha/{debtor.pk}/"))
    page = text(desk.get(f"/ficha/{debtor.pk}/derechos/"))
    assert "Registre primero la solicitud" in page
    asking = f"/ficha/{debtor.pk}/derechos/solicitud/"
    assert "Diga cómo lo pidió" in text(desk.post(asking, {"tipo": "ERASURE", "nota": " "}, follow=True))
    page = text(desk.post(asking, {"tipo": "ERASURE", "nota": "Carta"}, follow=True))
    assert "espera respuesta" in page
    request = PersonRequest.objects.get()
    page = text(desk.post(f"/ficha/{debtor.pk}/derechos/{request.pk}/suprimir/", follow=True))
    assert "respondida" in page
    assert "Son montos y fechas sin nombre" in page
    assert Debtor.objects.get(pk=debtor.pk).erased_at is not None
    again = text(desk.post(f"/ficha/{debtor.pk}/derechos/{request.pk}/suprimir/", follow=True))
    assert "Esta solicitud ya está respondida." in again


def test_who_owes_is_told_why_nothing_goes(at_desk, world):
    desk = at_desk("carla")
    debtor = world.debtors["María"]
    page = text(desk.get(f"/ficha/{debtor.pk}/derechos/"))
    assert "Hay una cuenta abierta." in page
    desk.post(f"/ficha/{debtor.pk}/derechos/solicitud/", {"tipo": "ERASURE", "nota": "Carta"})
    request = PersonRequest.objects.get()
    to_answer = f"/ficha/{debtor.pk}/derechos/"
    assert to_answer in text(desk.get("/conservacion/")), "whoever answers finds what waits"
    assert to_answer not in text(at_desk("ana").get("/conservacion/"))
    page = text(desk.post(f"/ficha/{debtor.pk}/derechos/{request.pk}/suprimir/", follow=True))
    assert "hoy no se puede suprimir nada" in page
    assert "lo que podía suprimirse ya no existe" not in page


def test_the_copy_is_a_zip_to_read(at_desk, world, gone):
    desk = at_desk("carla")
    answer = desk.post(f"/ficha/{world.debtors['María'].pk}/derechos/copia/")
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        page = archive.read("leame.html").decode()
        assert archive.read("leame.pdf").startswith(b"%PDF-")
        tables = json.loads(archive.read("datos.json"))["tables"]
    assert "Lo que se guarda sobre usted" in page
    assert "María" in page
    assert tables["portfolio_account"]
    assert (
        text(desk.get(f"/ficha/{world.debtors['María'].pk}/")).count("Copia de los datos de una persona entregada") == 1
    )
    refused = at_desk("ana").post(f"/ficha/{world.debtors['María'].pk}/derechos/copia/")
    assert refused.status_code == 403
