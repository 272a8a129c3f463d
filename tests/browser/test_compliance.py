"""The screens of compliance, by light, in the dark and on a phone, judged by axe; and worked by keyboard."""

import pytest

from recobra.consent import operations as consent
from recobra.kit import clock
from recobra.messaging.models import Provider
from recobra.messaging.providers import routing
from recobra.policy import company_rules as operations
from recobra.policy.models import HouseRule
from tests import policies
from tests.people import acting

from .keyboard import press
from .scenes import LOADED, choose_pages, visit

pytestmark = pytest.mark.browser
PAGES = {
    "paises": ("ana", "/paises/"),
    "pais": ("ana", "/paises/PE/"),
    "pais-colombia": ("ana", "/paises/CO/"),
    "pais-antes": ("ana", "/paises/BR/?dia=2020-01-15"),
    "calendario": ("ana", "/paises/PE/calendario/?mes=2026-12"),
    "voluntad": ("ana", "/ficha/{debtor}/voluntad/"),
    "voluntad-auditora": ("hilda", "/ficha/{debtor}/voluntad/"),
    "reglas": ("carla", "/reglas/"),
    "regla": ("carla", "/reglas/{rule}/"),
    "regla-nueva": ("carla", "/reglas/nueva/"),
    "regla-editar": ("carla", "/reglas/{rule}/editar/"),
    "politica": ("carla", "/politicas/{portfolio}/"),
    "politica-nueva": ("carla", "/politicas/{portfolio}/nueva/"),
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
            code=code,
            kind="whatsapp",
            channel="whatsapp",
            name="WhatsApp del Sur",
            created_at=now,
            rank=rank,
            created_by="dario",
            enabled=True,
            price_micros=40_000,
            rate_per_second=20,
            tested_at=now,
            tested_well=True,
            tested_answer="Banco Sur Cobranzas (+51 1 555 0100)",
        )
    for _failure in range(routing.FAILURES_TO_OPEN):
        routing.record_failure(made.pk)
    return made


@pytest.fixture
def soft(world):
    """A company rule with all it may ask."""
    rule = {
        "channels": ["call", "sms"],
        "windows": {"mon-fri": "09:00-18:00"},
        "closed_days": ["2026-12-24"],
        "caps": [{"n": 1, "per": "day", "scope": "all"}],
        "holidays": "closed",
        "max_debt_age_days": 1000,
    }
    return operations.save_company_rule(
        code="trato-suave",
        portfolio_id=world.portfolio.pk,
        document={"rules": [rule]},
        actor=acting("carla", now=clock.now()),
    )


@pytest.fixture
def numbers(world, provided, soft):
    """The numbers in the addresses; María's telephone is silent and her mail is authorised."""
    maria = world.debtors["María"]
    for point in maria.points.all():
        said = {
            "point_id": point.pk,
            "source": "STAFF",
            "actor": acting("ana", now=clock.now()),
            "said": "Lo dijo al llamar",
        }
        if point.kind == "PHONE":
            consent.record_opt_out(**said)
        else:
            consent.grant_consent(channel="email", **said)
    policies.put_in_force(world.portfolio)
    policies.put_in_force(world.portfolio, day=clock.today("America/Lima"), promise_days=10)
    return {"debtor": maria.pk, "rule": soft.pk, "portfolio": world.portfolio.pk}


@pytest.mark.parametrize("scene", LOADED)
def test_every_page_of_compliance_can_be_used_by_everybody(page_for, numbers, assert_usable, scene):
    pages = {who: page_for(who, scene) for who in {who for who, _address in PAGES.values()}}
    for name, (who, address) in choose_pages(PAGES).items():
        page = pages[who]
        visit(page, address.format(**numbers))
        assert_usable(page, name)


def test_a_rule_that_loosens_is_refused_and_then_put_in_force_with_the_keyboard(page_for, world):
    page = page_for("carla")
    page.goto("/reglas/nueva/")
    page.fill("#code", "trato-suave")
    page.select_option("#portfolio", "PE-CONSUMO")
    page.check("input[name=r0-limits_hours]")
    page.fill("input[name=r0-mon-opens]", "06:00")
    page.fill("input[name=r0-mon-closes]", "18:00")
    page.get_by_role("button", name="Poner en vigor").press("Enter")
    refusal = page.locator(".field-error").first
    refusal.wait_for()
    assert "más amplio que el de la ley" in refusal.inner_text()
    page.fill("input[name=r0-mon-opens]", "10:00")
    press(page, "Escape", "p")
    page.locator("#preview table").wait_for()
    page.get_by_role("button", name="Poner en vigor").press("Enter")
    page.wait_for_url("**/reglas/")
    assert HouseRule.objects.get().document["rules"][0]["windows"] == {"mon": "10:00-18:00"}


def test_the_test_button_says_the_answer_in_place(page_for, provided):
    page = page_for("dario")
    page.goto("/canales/proveedor/wa/")
    press(page, "p")
    page.locator("#tested .tone-bad").wait_for()
    provided.refresh_from_db()
    assert Provider.objects.get(code="wa").tested_well is False
