"""The demonstration's mailbox on screen: a message is answered as the debtor, and only there."""

import re
from datetime import timedelta

import pytest

from recobra.consent.models import Silence
from recobra.conversations import operations as conversations
from recobra.conversations.models import Conversation
from recobra.kit import clock
from recobra.messaging.models import Contact, MailboxMessage, Receipt
from tests.people import acting

BOX = "Pruébelo como el deudor"


@pytest.fixture
def letter(world, settings):
    """A WhatsApp message that María got from the demonstration."""
    settings.DEMO = True
    debtor, now = world.debtors["María"], clock.now()
    sent = Contact.objects.create(
        debtor=debtor,
        portfolio=world.portfolio,
        point=debtor.points.get(kind="PHONE"),
        channel="whatsapp",
        template_code="recordatorio",
        status="SENT",
        planned_for=now.date() + timedelta(days=1),
        planned_at=now,
        due_at=now,
        zones="America/Lima",
        handed_over_at=now,
        sent_at=now,
        address="+51987654321",
        provider_reference="sandbox-1",
    )
    return MailboxMessage.objects.create(
        channel="whatsapp",
        received_at=now,
        contact_public_id=str(sent.public_id),
        sender="Banco Sur",
        recipients="+51987654321",
        subject="Hola",
        raw=b"Subject: Hola\r\n\r\nBuenos dias.",
    )


def test_the_answer_of_the_debtor_leads_to_its_conversation(at_desk, letter):
    client = at_desk("ana")
    assert BOX in client.get(f"/mensajes/buzon/{letter.pk}/").content.decode()
    answered = client.post(f"/mensajes/buzon/{letter.pk}/responder/", {"text": "¿cuánto debo?", "key": "k"})
    found = Conversation.objects.get(address="+51987654321")
    assert answered.url == f"/conversaciones/{found.pk}/"
    assert "¿cuánto debo?" in client.get(answered.url).content.decode()


def test_a_form_counts_once_and_other_words_from_it_again(at_desk, letter):
    for text in ("hola", "hola", "¿hay alguien?"):
        at_desk("ana").post(f"/mensajes/buzon/{letter.pk}/responder/", {"text": text, "key": "k"})
    said = Conversation.objects.get().messages.filter(direction="IN").order_by("pk")
    assert [each.text for each in said] == ["hola", "¿hay alguien?"]


def test_what_became_of_a_message_is_marked_on_it(at_desk, letter):
    client = at_desk("carla")
    page = client.post(f"/mensajes/buzon/{letter.pk}/recibo/", {"became": "READ"}, follow=True).content.decode()
    assert "como si lo hubiera informado el proveedor" in page
    sent = Contact.objects.get(public_id=letter.contact_public_id)
    assert sent.read_at is not None
    assert sent.delivered_at == sent.read_at


def test_an_empty_answer_is_refused_with_its_reason(at_desk, letter):
    page = at_desk("ana").post(f"/mensajes/buzon/{letter.pk}/responder/", {"text": " "}, follow=True)
    assert "Primero escriba algo" in page.content.decode()
    assert Conversation.objects.count() == 0


def test_outside_a_demonstration_there_is_no_box_and_the_door_says_why(at_desk, letter, settings):
    settings.DEMO = False
    client = at_desk("carla")
    assert BOX not in client.get(f"/mensajes/buzon/{letter.pk}/").content.decode()
    for door, form in (("responder", {"text": "BAJA"}), ("recibo", {"became": "READ"})):
        page = client.post(f"/mensajes/buzon/{letter.pk}/{door}/", form, follow=True).content.decode()
        assert "Solo en una demostración" in page
    assert (Silence.objects.count(), Receipt.objects.count(), Conversation.objects.count()) == (0, 0, 0)


def test_who_only_reads_messages_sees_no_box(at_desk, letter):
    for name in ("dario", "hilda"):
        assert BOX not in at_desk(name).get(f"/mensajes/buzon/{letter.pk}/").content.decode()


def test_the_mailbox_is_narrowed_to_a_channel(at_desk, letter):
    client = at_desk("carla")
    row = f'href="/mensajes/buzon/{letter.pk}/"'
    found = {each: row in client.get(f"/mensajes/buzon/?canal={each}").content.decode() for each in ("whatsapp", "sms")}
    assert found == {"whatsapp": True, "sms": False}


@pytest.mark.own_world
def test_a_complaint_in_a_conversation_stops_what_is_automatic_and_counts_in_the_month(tuesday, at_desk, letter):
    client = at_desk("carla")
    client.post(f"/mensajes/buzon/{letter.pk}/responder/", {"text": "los voy a denunciar por acoso", "key": "k"})
    conversations.answer_waiting(actor=acting("bot", now=clock.now()))
    debtor = Conversation.objects.get().debtor
    assert "En pausa:" in client.get(f"/ficha/{debtor.pk}/").content.decode()
    register = client.get("/incidentes/").content.decode()
    assert "El deudor se quejó en una conversación." in register, re.findall(r'data-label="[^"]*">[^<]+', register)
    assert f'href="/ficha/{debtor.pk}/"' in register
    report = client.get("/cumplimiento/?pais=PE&mes=2026-11").content.decode()
    assert re.search(r"<dt>Reclamos</dt><dd>1</dd>", report), report
