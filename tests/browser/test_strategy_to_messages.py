"""Carla's morning: write a draft, publish it, run the cycle, read the messages, settle one, prove the journal."""

import re

import pytest
from playwright.sync_api import expect

from recobra.messaging.models import Contact
from recobra.strategy.models import CycleRun, StrategyVersion
from tests.console.following import work_off

from .keyboard import press
from .scenes import assert_accessible

pytestmark = pytest.mark.browser


def test_from_a_draft_to_the_messages_of_the_day(page_for, world_with_strategy, look):
    page = page_for("carla")
    page.goto("/")
    press(page, "g", "e")
    page.get_by_role("link", name="Crédito de consumo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Crédito de consumo")
    look(page, "estrategia")

    press(page, "e")
    page.get_by_role("button", name="Agregar un segmento").click()
    segment = page.locator("details.member[id^=segments-]").last
    segment.get_by_label("Nombre").fill("Saldos chicos")
    segment.get_by_label("Regla", exact=True).fill("balanse < 500")
    expect(segment.locator(".rule-error")).to_contain_text("¿Quiso decir «balance»?")
    look(page, "estrategia-regla")
    segment.get_by_label("Regla", exact=True).fill("balance < 500")
    expect(segment.locator(".rule-words")).to_be_visible()
    page.get_by_role("button", name="Contar ahora").click()
    expect(page.locator("#reach")).to_contain_text("Saldos chicos", timeout=20_000)
    assert_accessible(page)
    page.get_by_role("button", name="Guardar el borrador").click()
    expect(page.get_by_role("status").first).to_contain_text("El borrador está guardado.")
    assert StrategyVersion.objects.get(code="consumo", status="DRAFT").number == 2

    page.goto("/estrategias/consumo/v2/")
    page.get_by_role("link", name="Publicar").click()
    expect(page.locator(".big")).to_have_text("5 cuentas abiertas siguen esta estrategia.")
    look(page, "estrategia-publicar")
    assert_accessible(page)
    page.get_by_role("button", name="Publicar").click()
    expect(page.get_by_text("La versión 2 rige desde el próximo ciclo.")).to_be_visible()

    press(page, "g", "d")
    page.get_by_role("button", name="Correr el ciclo").click()
    expect(page.locator("#run")).to_contain_text("Pedido: empieza en cuanto haya un proceso libre.")
    look(page, "ciclo-en-espera")
    work_off()
    expect(page.locator("#run")).to_contain_text("Hecho", timeout=20_000)
    look(page, "ciclo")
    assert_accessible(page)
    run = CycleRun.objects.get(actor="carla")
    assert (run.status, run.actor) == ("DONE", "carla")

    page.get_by_role("link", name="Ver los mensajes de ese día").click()
    expect(page.locator("#list tbody tr").first).to_be_visible()
    look(page, "mensajes")
    assert_accessible(page)
    assert Contact.objects.filter(planned_for=run.as_of, strategy_version_id__isnull=False).exists()


def test_a_rule_is_built_from_conditions(page_for, world_with_strategy, look):
    page = page_for("carla")
    page.goto("/estrategias/consumo/editar/")
    segment = page.locator("#segments-1")
    segment.locator("summary").first.click()
    segment.get_by_text("Armarla con condiciones").click()
    rows = segment.locator(".row-edit")
    expect(rows).to_have_count(2)
    rows.nth(1).get_by_label("Dato").select_option("balance")
    rows.nth(1).get_by_label("Condición").select_option(">=")
    rows.nth(1).get_by_label("Valor").fill("750")
    segment.get_by_role("button", name="Usar estas condiciones").click()
    expect(segment.get_by_label("Regla", exact=True)).to_have_value("dpd between 1 and 30 and balance >= 750")
    look(page, "estrategia-condiciones")


def test_bruno_reads_strategies_and_changes_none(page_for, world_with_strategy, look):
    page = page_for("bruno", "telefono")
    page.goto("/estrategias/consumo/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Crédito de consumo")
    expect(page.get_by_role("link", name=re.compile("Editar"))).to_have_count(0)
    look(page, "estrategia-telefono")
    page.get_by_role("button", name=re.compile("Contar ahora")).click()
    expect(page.locator("#reach table").first).to_be_visible(timeout=20_000)
    assert_accessible(page)


def test_ana_settles_a_message_nobody_knows_the_end_of(page_for, world_with_strategy):
    Contact.objects.filter(pk=world_with_strategy.sent.pk).update(status="UNCERTAIN", reason="lost", sent_at=None)
    page = page_for("ana")
    page.goto("/mensajes/")
    page.get_by_role("link", name="Resolver", exact=True).click()
    expect(page.locator("tbody")).to_contain_text("Se cortó")
    page.get_by_role("button", name="Llegó", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("Anotado: llegó.")
    world_with_strategy.sent.refresh_from_db()
    assert world_with_strategy.sent.status == "SENT"


def test_a_template_is_corrected_and_tried_on_a_real_debtor(page_for, world_with_strategy, look):
    page = page_for("carla")
    page.goto("/mensajes/plantillas/")
    page.get_by_role("link", name=re.compile("firme|opciones", re.IGNORECASE)).first.click()
    page.get_by_role("link", name="Editar como versión nueva").click()
    page.get_by_label("Asunto").fill("{{ acredor }}: su deuda")
    page.get_by_role("button", name="Guardar como borrador").click()
    expect(page.get_by_role("alert")).to_contain_text("¿Quiso decir «acreedor»?")
    page.get_by_label("Asunto").fill("{{ acreedor }}: su deuda")
    page.get_by_label("Nombre, cuenta o documento").fill("Pérez")
    page.get_by_role("button", name="Previsualizar").click()
    expect(page.locator("#preview")).to_contain_text("Banco Sur: su deuda")
    look(page, "plantilla")
    assert_accessible(page)
    page.get_by_role("button", name="Guardar como borrador").click()
    expect(page.get_by_text("La versión 2 queda como borrador.")).to_be_visible()


def test_hilda_verifies_the_journal(page_for, world_with_strategy, look):
    page = page_for("hilda")
    page.goto("/")
    press(page, "g", "u")
    page.get_by_role("button", name="Verificar los sellos").click()
    expect(page.locator("#verdict")).to_contain_text("Nada fue tocado.")
    look(page, "auditoria")
    assert_accessible(page)
    page.locator("[name=hecho]").select_option(label="Pago recibido")
    expect(page.locator("#list tbody tr").filter(has_not_text="Pago recibido")).to_have_count(0)
    expect(page.locator("#list tbody tr").first).to_contain_text("Pago recibido")
