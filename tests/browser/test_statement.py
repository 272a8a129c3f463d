"""The debtor's statement and the creditor's form, by light, in the dark and on a phone, judged by axe."""

import pytest

from recobra.kit import clock
from recobra.messaging import tokens
from recobra.messaging.models import Contact
from recobra.portfolio.models import Creditor, Debtor, Portfolio

from .keyboard import press
from .scenes import LOADED, assert_accessible

pytestmark = pytest.mark.browser


@pytest.fixture
def link(world):
    """The address of the page that a sent message links, of a debtor whose document ends in 4321."""
    Contact.objects.filter(pk=world.sent.pk).update(handed_over_at=clock.now())
    Debtor.objects.filter(pk=world.sent.debtor_id).update(national_id="87654321")
    Creditor.objects.update(agency_name="Cobros SAC", agency_phone="+51 1 555 0000", address="Av. Uno 1, Lima")
    return "/d/estado/" + tokens.statement_url(world.sent.pk).rpartition("/")[2]


@pytest.mark.parametrize("scene", LOADED)
def test_a_debtor_reads_the_statement_after_proof(page_for, link, assert_usable, scene):
    page = page_for("ana", scene, is_signed_in=False)
    page.goto(link)
    assert page.locator("h1").inner_text() == "Confirme que es usted"
    assert "Banco Sur" not in page.locator("main").inner_text()
    assert_usable(page, "estado-pregunta")
    page.get_by_label("Últimas 4 cifras").fill("0000")
    press(page, "Enter")
    page.get_by_role("alert").wait_for()
    assert_usable(page, "estado-rechazo")
    page.get_by_label("Últimas 4 cifras").fill("4321")
    page.get_by_role("button", name="Ver el detalle").click()
    page.get_by_role("heading", name="Su estado de cuenta").wait_for()
    assert "Banco Sur" in page.locator("main").inner_text()
    assert_usable(page, "estado")


def test_whoever_is_not_that_person_says_so_with_one_press(page_for, link):
    page = page_for("ana", "telefono", is_signed_in=False)
    page.goto(link)
    page.get_by_role("button", name="No soy esa persona").click()
    page.get_by_role("status").wait_for()
    assert_accessible(page)
    page.goto(link)
    assert page.locator("h1").inner_text() == "Este enlace ya no es válido"
    assert_accessible(page)


@pytest.mark.parametrize("scene", LOADED)
def test_the_creditors_form_can_be_used_by_everybody(page_for, world, assert_usable, scene):
    Portfolio.objects.filter(pk=world.portfolio.pk).update(country="MX")
    page = page_for("dario", scene)
    page.goto("/acreedores/")
    assert_usable(page, "acreedores")
    page.get_by_role("link", name="Banco Sur").click()
    page.get_by_role("heading", name="Banco Sur").wait_for()
    assert_usable(page, "acreedor")
    page.get_by_label("Domicilio del acreedor").fill("Lo llevaremos a la cárcel")
    page.get_by_role("button", name="Guardar").click()
    page.locator(".field-error").wait_for()
    assert_usable(page, "acreedor-rechazo")
