"""The inbox in Chromium: by light, in the dark and on a phone, judged by axe; and worked with the keyboard alone."""

from datetime import timedelta

import pytest

from recobra.conversations.models import CannedAnswer, Conversation
from recobra.kit import clock
from recobra.messaging.models import Contact, Provider

from .keyboard import press
from .scenes import LOADED, choose_pages, visit

pytestmark = pytest.mark.browser
TALK = [
    ("IN", "Buenos días, ¿cuánto debo?", "balance", 50),
    ("OUT", "Para cuidar su información, escriba los últimos 4 dígitos de su documento de identidad.", "", 49),
    ("IN", "8912", "number", 48),
    ("OUT", "A la fecha, su saldo vencido con Banco Sur es de S/ 450.50.", "", 47),
    ("IN", "Perdí el trabajo, ¿puedo hablar con alguien?", "hardship", 40),
    ("NOTE", "La llamo a las 11.", "", 20),
]


@pytest.fixture
def talk(world):
    now = clock.now()
    Provider.objects.create(
        code="wa",
        channel="whatsapp",
        kind="whatsapp",
        name="WhatsApp",
        enabled=True,
        created_at=now,
        created_by="dario",
        settings={"phone_number_id": "1", "account_id": "2"},
    )
    Contact.objects.filter(status="DUE").delete()
    ago = lambda minutes: now - timedelta(minutes=minutes)  # noqa: E731
    found = Conversation.objects.create(
        channel="whatsapp",
        address="+51987654321",
        debtor=world.debtors["María"],
        mode="PERSON",
        mode_reason="hardship",
        opened_at=ago(50),
        last_at=ago(20),
        last_inbound_at=ago(40),
        unread=1,
        identified_at=ago(48),
    )
    for direction, text, intent, minutes in TALK:
        author = {"IN": "", "OUT": "bot", "NOTE": "bruno"}[direction]
        found.messages.create(
            direction=direction,
            text=text,
            intent=intent,
            at=ago(minutes),
            received_at=ago(minutes),
            author=author,
            contact=world.sent if "450" in text else None,
        )
    for first, mode in (("José", "BOT"), ("Lucía", "PERSON")):
        other = Conversation.objects.create(
            channel="sms",
            address=f"+5191122{len(first):04}",
            debtor=world.debtors[first],
            mode=mode,
            opened_at=ago(90),
            last_at=ago(80),
            last_inbound_at=ago(80),
        )
        other.messages.create(direction="IN", text="Hola", at=ago(80), received_at=ago(80))
    CannedAnswer.objects.create(
        code="horario",
        title="Horario de atención",
        text="Atendemos de lunes a viernes de 9 a 18 horas.",
        created_by="bruno",
        created_at=now,
    )
    Conversation.objects.create(
        channel="sms",
        address="+51900000000",
        mode="PERSON",
        mode_reason="unknown_number",
        opened_at=ago(5),
        last_at=ago(5),
        last_inbound_at=ago(5),
        unread=2,
    )
    return found


@pytest.mark.parametrize("scene", LOADED)
def test_every_page_of_the_inbox_can_be_used_by_everybody(page_for, talk, assert_usable, scene):
    page = page_for("bruno", scene)
    pages = {
        "conversaciones": "/conversaciones/",
        "conversacion": f"/conversaciones/{talk.pk}/",
        "respuestas": "/conversaciones/respuestas/",
        "escribir": f"/ficha/{talk.debtor_id}/escribir/",
    }
    for name, address in choose_pages(pages).items():
        visit(page, address)
        if name in {"conversacion", "escribir"}:
            page.fill("#text", "Si no paga hoy, iremos a su casa con un embargo judicial.")
            page.wait_for_selector("#check li")
        assert_usable(page, name)


def test_a_conversation_is_found_answered_and_closed_with_the_keyboard_alone(page_for, talk):
    page = page_for("ana")
    page.goto("/")
    press(page, "g", "o")
    page.wait_for_selector("#talks")
    press(page, "j", "k", "Enter")
    page.wait_for_selector("#thread")
    assert page.url.endswith(f"/conversaciones/{talk.pk}/?ver=todas")
    press(page, "r")
    page.keyboard.type("Claro, la llamamos a las once.")
    page.wait_for_selector("#check .check-line")
    press(page, "Tab", "Enter")
    page.wait_for_selector(".notices .notice-success, .talk-foot .notice-error")
    if page.locator("button[name=queue]").count():  # the suite also runs at night
        page.locator("button[name=queue]").focus()
        press(page, "Enter")
        page.wait_for_selector(".notices .notice-success")
    assert Contact.objects.get(conversation_id=talk.pk).body == "Claro, la llamamos a las once."
    page.locator("h1").first.click()
    press(page, "e")
    page.wait_for_selector(".talk-foot .notice")
    talk.refresh_from_db()
    assert talk.status == "CLOSED"


def test_a_ready_answer_is_put_into_the_text_and_a_new_message_appears_by_itself(page_for, talk):
    page = page_for("ana")
    page.goto(f"/conversaciones/{talk.pk}/")
    page.select_option("#canned", label="Horario de atención")
    assert page.input_value("#text") == "Atendemos de lunes a viernes de 9 a 18 horas."
    now = clock.now()
    talk.messages.create(direction="IN", text="¿Sigue ahí?", at=now, received_at=now)
    page.get_by_text("¿Sigue ahí?").wait_for(timeout=15_000)
    assert page.input_value("#text").startswith("Atendemos")
