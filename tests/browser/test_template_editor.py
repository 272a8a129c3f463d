"""The editor of templates in a real browser: the law reads along, the palette writes, a second person approves."""

from __future__ import annotations

import pytest

from recobra.messaging.models import Template

from .scenes import LOADED, assert_accessible


@pytest.fixture
def reminder(world_with_strategy):
    return Template.objects.get(code="recordatorio-firme", channel="email", country="", tone="")


@pytest.mark.parametrize("scene", LOADED)
def test_the_law_reads_along_and_everybody_can_use_it(page_for, reminder, assert_usable, look, scene):
    page = page_for("carla", scene)
    page.goto(f"/mensajes/plantillas/{reminder.pk}/editar/")
    text = page.locator("#text")
    text.fill(text.input_value() + "\nSi no paga hoy, irá a la cárcel y le embargaremos la casa. ")
    page.get_by_text("Amenaza.").wait_for()
    assert page.locator("#reading").get_by_text("«cárcel»").is_visible()
    assert page.locator("#reading").get_by_text("embargaremos").first.is_visible()
    page.locator("[data-insert]", has_text="oficina_reclamos").click()
    assert "{{ oficina_reclamos }}" in text.input_value()
    page.get_by_role("button", name="Previsualizar").click()
    page.locator("#preview iframe").wait_for()
    page.locator("#reading details").last.locator("summary").click()
    look(page, f"plantilla-editor-{scene}")
    page.locator("#law-title").scroll_into_view_if_needed()
    assert_usable(page, "plantilla-ley")


def test_a_draft_is_put_forward_by_one_and_approved_by_another(page_for, reminder, look):
    page = page_for("carla")
    page.goto(f"/mensajes/plantillas/{reminder.pk}/editar/")
    page.locator("#name").fill("Recordatorio, variante B")
    page.locator("#variant").fill("B")
    text = page.locator("#text")
    text.fill(text.input_value().replace("Le escribimos antes", "Le escribimos hace unos días"))
    page.get_by_role("button", name="Guardar como borrador").click()
    page.get_by_role("button", name="Presentar para aprobación").click()
    assert_accessible(page)
    look(page, "plantilla-presentada")
    other = page_for("dario")
    other.goto("/mensajes/plantillas/")
    look(other, "plantillas-lista")
    assert_accessible(other)
    other.get_by_role("link", name="Recordatorio, variante B").click()
    other.get_by_role("link", name="Comparar y decidir").click()
    other.get_by_role("heading", name="Qué es nuevo").wait_for()
    look(other, "aprobacion")
    assert_accessible(other)
    other.get_by_role("button", name="Aprobar").click()
    other.get_by_role("heading", name="Últimas decisiones").wait_for()
    look(other, "aprobaciones")
    assert_accessible(other)
    other.get_by_role("link", name="Recordatorio, variante B").click()
    other.get_by_role("link", name="Ver en su página").click()
    other.get_by_role("heading", name="Variantes vigentes").wait_for()
    look(other, "plantilla-aprobada")
    assert_accessible(other)
    assert Template.objects.get(variant="B").status == "APPROVED"
