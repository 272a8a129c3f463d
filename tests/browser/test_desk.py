"""A gestora's morning at the screen: find, read, record, undo, with the keyboard where it is faster."""

import re

import pytest
from playwright.sync_api import expect

from recobra.journal.models import Entry
from recobra.payments.models import Payment

from .keyboard import press
from .scenes import LOADED, assert_accessible

pytestmark = pytest.mark.browser


def test_ana_finds_a_debtor_and_records_a_payment_with_the_keyboard(page_for, world, look):
    page = page_for("ana")
    page.goto("/")
    press(page, "/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("nahui")
    press(page, "Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("María Ñahui Quispe")
    expect(page.get_by_text("S/ 450.50").first).to_be_visible()

    press(page, "p")
    page.get_by_label("Monto (PEN)").fill("450,50")
    page.get_by_label("Número de recibo u operación").fill("OP-2026")
    page.get_by_role("button", name="Registrar").click()
    expect(page.get_by_text("Escriba el monto así: 1,234.50.")).to_be_visible()
    page.get_by_label("Monto (PEN)").fill("450.50")
    press(page, "Enter")

    expect(page.get_by_role("status")).to_contain_text("Pago registrado.")
    expect(page.locator(".timeline")).to_contain_text("Pago recibido: S/ 450.50")
    expect(page.locator(".timeline")).to_contain_text("Contacto planificado anulado")
    look(page, "pago-registrado")
    paid = Payment.objects.get(reference="OP-2026")
    assert (paid.amount_minor, paid.actor) == (45_050, "ana")


def test_bruno_reverses_a_payment_and_the_debt_is_open_again(page_for, world):
    page = page_for("bruno")
    page.goto(f"/ficha/{world.debtors['José'].pk}/")
    page.get_by_role("link", name=re.compile("^Reversar")).click()
    page.get_by_label("Motivo").fill("Cheque devuelto")
    page.get_by_role("button", name="Reversar el pago").click()
    expect(page.get_by_role("status")).to_contain_text("La deuda vuelve a estar abierta.")
    page.get_by_role("link", name=re.compile("Libro con saldo corrido")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("PR-1002")
    assert Payment.objects.get(pk=world.payment.pk).reversed_by == "bruno"


def test_a_hold_is_placed_and_said_in_words_and_lifted(page_for, world):
    page = page_for("bruno")
    page.goto(f"/ficha/{world.debtors['Pedro'].pk}/")
    press(page, "h")
    page.get_by_label("Motivo").select_option(label="Desastre natural")
    page.get_by_role("button", name="Pausar").click()
    expect(page.locator(".next")).to_contain_text(
        "En pausa: Desastre natural. No se contacta a nadie hasta que se levante."
    )
    page.get_by_role("button", name="Levantar").click()
    expect(page.get_by_role("status")).to_contain_text("Pausa levantada.")
    kinds = set(Entry.objects.filter(debtor_id=world.debtors["Pedro"].pk).values_list("kind", flat=True))
    assert {"hold.placed", "hold.lifted"} <= kinds


def test_a_task_is_closed_with_its_outcome(page_for, world):
    page = page_for("ana")
    page.goto(f"/ficha/{world.debtors['María'].pk}/")
    page.get_by_label("Resultado: Llamar a María").select_option(label="Dice que pagará")
    page.get_by_role("button", name="Cerrar", exact=True).click()
    expect(page.locator(".timeline")).to_contain_text("Tarea cerrada: Llamar a María")
    world.task.refresh_from_db()
    assert (world.task.status, world.task.outcome) == ("DONE", "will_pay")


def test_filters_renew_the_list_without_leaving_the_page(page_for, world):
    page = page_for("carla")
    page.goto("/")
    press(page, "g", "c")
    expect(page.locator("#list tbody tr")).to_have_count(5)
    page.get_by_label("Etapa").select_option(label="Extrajudicial")
    expect(page.locator("#list tbody tr")).to_have_count(2)
    assert page.url.endswith("/cartera/?stage=EXTRAJUDICIAL&sort=overdue")
    press(page, "Escape", "j", "j")
    expect(page.get_by_role("link", name="Lucía Rojas")).to_be_focused()
    press(page, "Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Lucía Rojas")
    page.go_back()
    expect(page.locator("#list tbody tr")).to_have_count(2)


def test_the_keys_are_shown_and_can_be_switched_off(page_for, world, look):
    page = page_for("ana")
    page.goto("/")
    press(page, "?")
    expect(page.get_by_role("dialog")).to_contain_text("Buscar")
    look(page, "teclado")
    assert_accessible(page)
    page.get_by_label("Usar atajos de una tecla").uncheck()
    press(page, "Escape", "/")
    expect(page.locator("#search")).not_to_be_focused()


def test_colours_follow_the_system_until_chosen_and_are_remembered(page_for, world):
    page = page_for("ana", "oscuro")
    page.goto("/")
    root = page.locator("html")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="Colores: como el sistema").click()
    expect(root).to_have_attribute("data-bs-theme", "light")
    page.reload()
    expect(root).to_have_attribute("data-bs-theme", "light")


def test_what_is_inline_is_kept_out_of_a_page_and_noticed(page_for, tabs, world):
    page = page_for("ana", "claro")
    page.goto("/")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<i id=inline style=\"color: rgb(1, 2, 3)\">a</i>')")
    assert page.evaluate("getComputedStyle(document.getElementById('inline')).color") != "rgb(1, 2, 3)"
    (problem,) = tabs.problems
    assert "Content Security Policy" in problem
    tabs.problems.clear()


def test_the_menu_opens_on_a_phone(page_for, world, look):
    page = page_for("ana", "telefono")
    page.goto("/")
    expect(page.locator("#side")).to_be_hidden()
    page.get_by_role("button", name="Menú").click()
    expect(page.locator("#side")).to_be_in_viewport(ratio=1)
    look(page, "menu-telefono")
    assert_accessible(page)
    page.get_by_role("link", name="Cartera").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cartera")
    expect(page.get_by_label("Etapa")).to_be_hidden()
    page.get_by_role("button", name="Filtros").click()
    expect(page.get_by_label("Etapa")).to_be_visible()


@pytest.mark.parametrize("scene", LOADED)
def test_the_door_is_accessible_and_says_what_is_wrong(page_for, assert_usable, scene):
    page = page_for("ana", scene, is_signed_in=False)
    page.goto("/")
    page.get_by_label("Usuario").fill("ana")
    page.get_by_label("Contraseña").fill("no-es-esta")
    press(page, "Enter")
    expect(page.get_by_role("alert")).to_have_text("El usuario o la contraseña no son correctos.")
    assert_usable(page, "ingreso")
    page.get_by_label("Contraseña").fill("una-clave-larga")
    press(page, "Enter")
    expect(page.locator("#main h1")).to_be_visible()
    expect(page).to_have_url(re.compile("/$"))
