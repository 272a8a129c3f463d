"""The screens of compliance, by light, in the dark and on a phone, judged by axe; and worked by keyboard."""

import pytest

from recobra.contact import providing
from recobra.contact.models import Provider
from recobra.kit import clock

from .test_accessible import SCENES

pytestmark = pytest.mark.browser
PAGES = {
    "paises": ("ana", "/paises/"),
    "pais": ("ana", "/paises/PE/"),
    "pais-colombia": ("ana", "/paises/CO/"),
    "pais-antes": ("ana", "/paises/BR/?dia=2020-01-15"),
    "calendario": ("ana", "/paises/PE/calendario/?mes=2026-12"),
    "canales": ("dario", "/canales/"),
    "canal-tipos": ("dario", "/canales/nuevo/"),
    "canal-nuevo": ("dario", "/canales/nuevo/?tipo=whatsapp"),
    "canal-documento": ("dario", "/canales/nuevo/?tipo=http_sms"),
    "canal": ("dario", "/canales/proveedor/wa/"),
    "calendario-estado": ("ana", "/paises/BR/calendario/?mes=2026-11&lugar=BR-SP&canal=sms"),
}


@pytest.fixture
def provided(world):
    """Two ways out by WhatsApp: one that answers, one that rests."""
    now = clock.now()
    for code, rank in (("wa", 10), ("wa-reserva", 20)):
        made = Provider.objects.create(
            code=code, kind="whatsapp", channel="whatsapp", name="WhatsApp del Sur", created_at=now, rank=rank,
            created_by="dario", enabled=True, price_minor=4, rate_per_second=20, tested_at=now, tested_well=True,
            tested_answer="Banco Sur Cobranzas (+51 1 555 0100)",
        )  # fmt: skip
    for _failure in range(providing.FAILURES_TO_OPEN):
        providing.failed(made.pk)
    return made


@pytest.mark.parametrize("scene", SCENES)
def test_every_page_of_compliance_can_be_used_by_everybody(page_for, provided, assert_accessible, look, scene):
    viewport, dark = SCENES[scene]
    pages: dict = {}
    for name, (who, address) in PAGES.items():
        page = pages.get(who) or pages.setdefault(who, page_for(who, viewport, dark=dark))
        page.goto(address)
        look(page, f"{name}-{scene}")
        assert_accessible(page)
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{address} is wider than the screen by {overflow} px"
