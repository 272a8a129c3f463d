"""Every page, by light, in the dark and on a phone, without a violation of WCAG 2.2 AA."""

import pytest

from .scenes import LOADED, choose_pages, visit

pytestmark = pytest.mark.browser
PAGES = {
    "inicio": ("carla", "/"),
    "cartera": ("carla", "/cartera/"),
    "cartera-vacia": ("carla", "/cartera/?q=nadie+se+llama+asi"),
    "ficha": ("ana", "/ficha/{debtor}/"),
    "ficha-supervisor": ("bruno", "/ficha/{payer}/"),
    "ficha-auditora": ("hilda", "/ficha/{held}/"),
    "historia": ("ana", "/ficha/{debtor}/historia/"),
    "libro": ("ana", "/ficha/{debtor}/cuentas/{account}/"),
    "mensaje": ("ana", "/ficha/{debtor}/mensajes/{contact}/"),
    "pago": ("ana", "/ficha/{debtor}/pagos/nuevo/"),
    "pausa": ("ana", "/ficha/{debtor}/pausas/nueva/"),
    "contacto-nuevo": ("ana", "/ficha/{debtor}/contactos/nuevo/"),
    "contacto-corregir": ("ana", "/ficha/{debtor}/contactos/{point}/corregir/"),
    "preferencias": ("ana", "/ficha/{debtor}/preferencias/"),
    "persona-nueva": ("ana", "/ficha/{debtor}/cuentas/{account}/personas/nueva/"),
    "consentimientos": ("bruno", "/consentimientos/"),
    "consentimientos-archivo": ("bruno", "/consentimientos/archivo/"),
    "reversa": ("bruno", "/ficha/{payer}/pagos/{payment}/reversa/"),
    "sin-cartera": ("zoe", "/"),
}


@pytest.mark.parametrize("scene", LOADED)
def test_every_page_can_be_used_by_everybody(page_for, world, assert_usable, scene):
    pages = {who: page_for(who, scene) for who in {who for who, _address in PAGES.values()}}
    ids = {"debtor": world.debtors["María"].pk, "account": world.accounts["María"].pk, "contact": world.sent.pk}
    ids["point"] = world.debtors["María"].points.order_by("pk").first().pk
    for name, (who, address) in choose_pages(PAGES).items():
        page = pages[who]
        visit(
            page,
            address.format(
                **ids, payer=world.debtors["José"].pk, payment=world.payment.pk, held=world.debtors["Lucía"].pk
            ),
        )
        assert_usable(page, name)
