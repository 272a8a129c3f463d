"""Every page, by light, in the dark and on a phone, without a violation of WCAG 2.2 AA."""

import pytest

from .conftest import DESK, PHONE

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
    "reversa": ("bruno", "/ficha/{payer}/pagos/{payment}/reversa/"),
    "sin-cartera": ("zoe", "/"),
}


SCENES = {"claro": (DESK, False), "oscuro": (DESK, True), "telefono": (PHONE, False)}


@pytest.mark.parametrize("scene", SCENES)
def test_every_page_can_be_used_by_everybody(page_for, world, assert_accessible, look, scene):
    viewport, dark = SCENES[scene]
    pages: dict = {}
    ids = {"debtor": world.debtors["María"].pk, "account": world.accounts["María"].pk, "contact": world.sent.pk}
    for name, (who, address) in PAGES.items():
        page = pages.get(who) or pages.setdefault(who, page_for(who, viewport, dark=dark))
        page.goto(
            address.format(
                **ids, payer=world.debtors["José"].pk, payment=world.payment.pk, held=world.debtors["Lucía"].pk
            )
        )
        look(page, f"{name}-{scene}")
        assert_accessible(page)
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{address} is wider than the screen by {overflow} px"
