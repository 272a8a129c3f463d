"""The reach of messages and a template's variants, by light, in the dark and on a phone, judged by axe."""

from datetime import timedelta

import pytest

from recobra.kit import clock
from recobra.messaging.models import Contact, Template
from recobra.payments.models import Payment
from recobra.strategy import schedule

from .keyboard import press
from .scenes import LOADED, visit

pytestmark = pytest.mark.browser


@pytest.fixture
def written(world):
    """Four debtors who got two variants by three channels, some of whom read, answered or paid."""
    now, template = clock.now(), world.sent.template
    day, other = schedule.today(now) - timedelta(20), Template.objects.get(pk=template.pk)
    other.pk, other.variant = None, "B"
    other.save()
    for n, name in enumerate(("María", "José", "Lucía", "Pedro")):
        used, moment = (template, other)[n % 2], now - timedelta(20)
        Contact.objects.create(
            debtor=world.debtors[name],
            portfolio=world.portfolio,
            channel=("email", "sms", "whatsapp")[n % 3],
            template_code="recordatorio",
            template=used,
            variant=used.variant,
            status="SENT",
            planned_for=day,
            planned_at=moment,
            due_at=moment,
            handed_over_at=moment,
            local_date=day,
            zones="America/Lima",
            price_micros=None if n == 3 else 120_000,
            price_currency="PEN" if n else "USD",
            read_at=moment if n else None,
            replied_at=moment if n == 1 else None,
            undelivered_at=moment if n == 3 else None,
        )
    Payment.objects.create(
        portfolio=world.portfolio,
        debtor=world.debtors["Lucía"],
        amount_minor=45_050,
        received_at=now,
        source="FILE",
        paid_date=day + timedelta(2),
        reference="OP-9",
        actor="ana",
    )
    return world


@pytest.mark.parametrize("scene", LOADED)
def test_everybody_can_read_what_messages_bring(page_for, written, assert_usable, look, scene):
    page = page_for("carla", scene)
    pages = {
        "alcance": "/alcance/",
        "alcance-nada": "/alcance/?canal=ivr",
        "variantes": f"/mensajes/plantillas/{written.sent.template_id}/",
    }
    for name, address in pages.items():
        visit(page, address)
        look(page, f"{name}-{scene}")
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        assert_usable(page, f"{name}-abajo")


def test_the_period_is_chosen_and_told_apart_with_the_keyboard(page_for, written):
    page = page_for("ana")
    page.goto("/")
    press(page, "g", "b")
    page.wait_for_url("**/alcance/")
    page.select_option("[name=por]", "variante")
    page.locator("[name=ventana]").focus()
    press(page, "Tab", "Enter")
    page.wait_for_url("**por=variante**")
    assert page.get_by_role("rowheader", name="recordatorio · B").is_visible()
