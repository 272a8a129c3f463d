"""The inbox on screen: who sees which conversation, what is said before an answer leaves, and what nobody may do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from recobra.consent.models import Silence
from recobra.conversations import attachments
from recobra.conversations.models import Attachment, CannedAnswer, Conversation
from recobra.kit.encrypted_field import EncryptedValue
from recobra.messaging import operations as messaging
from recobra.messaging.models import Contact, Provider
from recobra.portfolio.models import Account, Portfolio
from tests.people import acting

pytestmark = pytest.mark.own_world  # built on the day of the test's own clock
LINE = "+51987654321"
MORNING = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)


@pytest.fixture
def at(clock_at):
    """Let the doors read a clock that stands, at first on a Tuesday at ten in Lima: `at(moment)`."""
    clock_at(MORNING)
    return clock_at


@pytest.fixture
def talk(at, world):
    Provider.objects.create(
        code="wa",
        channel="whatsapp",
        kind="whatsapp",
        name="WhatsApp",
        enabled=True,
        created_at=MORNING,
        created_by="dario",
        settings={"phone_number_id": "1", "account_id": "2"},
    )
    Contact.objects.filter(status="DUE").delete()
    Contact.objects.update(planned_for=MORNING.date() - timedelta(days=20))
    found = Conversation.objects.create(
        channel="whatsapp",
        address=LINE,
        debtor=world.debtors["María"],
        mode="PERSON",
        mode_reason="talk_to_person",
        opened_at=MORNING,
        last_at=MORNING,
        last_inbound_at=MORNING - timedelta(hours=1),
        unread=1,
    )
    found.messages.create(
        direction="IN", text="¿A qué hora atienden?", at=MORNING, received_at=MORNING, intent="talk_to_person"
    )
    return found


def page(client, talk, part=""):
    return client.get(f"/conversaciones/{talk.pk}/{part}")


def answer(client, talk, text, **more):
    after = talk.messages.latest("pk").pk
    return client.post(f"/conversaciones/{talk.pk}/responder/", {"text": text, "after": after, **more})


def test_a_conversation_is_read_with_its_debtor_beside_it_and_answered(at_desk, talk, cast):
    ana = at_desk("ana")
    assert talk.debtor.name in ana.get("/conversaciones/").content.decode()
    shown = page(ana, talk).content.decode().replace("\xa0", " ")
    assert "¿A qué hora atienden?" in shown
    assert "S/ 450.50" in shown
    talk.refresh_from_db()
    assert talk.unread == 0
    assert answer(ana, talk, "De 9 a 18 horas.").status_code == 302
    sent = Contact.objects.get(conversation_id=talk.pk)
    assert (sent.purpose, sent.priority, sent.body, sent.author, sent.status) == (
        "REPLY",
        0,
        "De 9 a 18 horas.",
        "ana",
        "DUE",
    )
    talk.refresh_from_db()
    assert (talk.mode, talk.assigned_to) == ("PERSON", cast["ana"])


def test_of_two_people_who_answer_at_once_the_second_reads_first(at_desk, talk):
    ana, bruno = at_desk("ana"), at_desk("bruno")
    after = talk.messages.latest("pk").pk
    assert answer(ana, talk, "De 9 a 18 horas.").status_code == 302
    second = bruno.post(f"/conversaciones/{talk.pk}/responder/", {"text": "De 8 a 17.", "after": after})
    assert second.status_code == 422
    assert "ana ya respondió" in second.content.decode()
    assert Contact.objects.filter(conversation_id=talk.pk).count() == 1


def test_what_somebody_has_nobody_takes_but_who_leads(at_desk, talk, cast):
    url = f"/conversaciones/{talk.pk}/asignar/"
    at_desk("ana").post(url)
    bruno = at_desk("bruno")
    zoe = cast["zoe"]
    zoe.scopes.create(portfolio_code="PE-CONSUMO")
    said = at_desk("zoe").post(url, follow=True).content.decode()
    assert "ana ya tiene esta conversación" in said
    assert at_desk("zoe").post(url, {"to": zoe.pk}).status_code == 403
    bruno.post(url, {"to": zoe.pk})
    talk.refresh_from_db()
    assert talk.assigned_to == zoe


def test_words_that_the_law_bars_are_shown_with_their_article_and_do_not_leave(at_desk, talk, world):
    ana = at_desk("ana")
    threat = "Si no paga hoy le contaremos a sus vecinos y a su jefe que es un moroso."
    read = ana.post(f"/conversaciones/{talk.pk}/lectura/", {"text": threat}).content.decode()
    assert "tone-bad" in read
    assert "check-article" in read
    assert "No permitido" in read
    assert "uede salir" not in read
    barred = answer(ana, talk, threat)
    assert barred.status_code == (422 if "tone-bad" in read else 302)


def test_of_barred_words_no_hour_is_promised_either(at_desk, talk, at):
    at(NIGHT)
    threat = "Si no paga hoy le contaremos a sus vecinos y a su jefe que es un moroso."
    read = at_desk("ana").post(f"/conversaciones/{talk.pk}/lectura/", {"text": threat}).content.decode()
    assert "No permitido" in read
    assert "uede salir" not in read


def test_at_night_an_answer_to_an_old_message_waits_for_its_hour_only_if_its_writer_agrees(at_desk, talk, at):
    at(NIGHT)
    ana = at_desk("ana")
    first = answer(ana, talk, "De 9 a 18 horas.")
    assert first.status_code == 422
    assert "en espera de su hora" in first.content.decode()
    assert not Contact.objects.filter(conversation_id=talk.pk).exists()
    assert answer(ana, talk, "De 9 a 18 horas.", queue="1").status_code == 302
    assert messaging.dispatch_once(actor=acting("dispatch", now=NIGHT))["sent"] == 0
    waiting = Contact.objects.get(conversation_id=talk.pk)
    assert waiting.status == "DUE"
    assert waiting.due_at > NIGHT + timedelta(hours=6)


def test_after_24_hours_whatsapp_takes_templates_only(at_desk, talk, at):
    Conversation.objects.update(last_inbound_at=MORNING - timedelta(days=2))
    refused = answer(at_desk("ana"), talk, "Hola de nuevo")
    assert refused.status_code == 422
    assert "solo acepta una plantilla" in refused.content.decode()


def test_a_wish_for_silence_put_down_by_a_gestora_is_final(at_desk, talk, at):
    ana = at_desk("ana")
    answer(ana, talk, "De 9 a 18 horas.")
    ana.post(f"/conversaciones/{talk.pk}/silencio/", {"what": "optout"})
    assert Silence.objects.filter(value=LINE).exists()
    assert [each.status for each in Contact.objects.filter(conversation_id=talk.pk)] == ["CANCELLED"]
    shown = page(ana, talk).content.decode()
    assert "No se le puede enviar nada" in shown
    assert 'name="text" rows' not in shown
    assert answer(ana, talk, "Perdón").status_code == 422
    ana.post(f"/conversaciones/{talk.pk}/bot/")
    talk.refresh_from_db()
    assert (talk.status, talk.mode) == ("CLOSED", "PERSON")


def test_a_number_of_nobody_is_seen_by_who_leads_alone_and_named_by_them(at_desk, talk, world):
    nobody = Conversation.objects.create(
        channel="sms",
        address="+51900000000",
        mode="PERSON",
        mode_reason="unknown_number",
        opened_at=MORNING,
        last_at=MORNING,
        last_inbound_at=MORNING,
    )
    nobody.messages.create(direction="IN", text="¿Quién es?", at=MORNING, received_at=MORNING)
    assert page(at_desk("ana"), nobody).status_code == 404
    bruno = at_desk("bruno")
    assert "No se sabe de quién" in page(bruno, nobody).content.decode()
    assert answer(bruno, nobody, "Hola").status_code == 422
    bruno.post(f"/conversaciones/{nobody.pk}/deudor/", {"debtor": "40112233"})
    nobody.refresh_from_db()
    assert nobody.debtor == world.debtors["José"]
    assert nobody.identified_at is None


def test_a_debtor_who_also_owes_elsewhere_is_answered_by_who_sees_all_of_it(at_desk, talk, world):
    other = Portfolio.objects.create(
        creditor=world.portfolio.creditor,
        code="PE-AUTOS",
        name="Autos",
        industry="CONSUMER",
        country="PE",
        currency="USD",
        time_zone="America/Lima",
    )
    Account.objects.create(portfolio=other, debtor=talk.debtor, external_id="AUTO-77", product="LOAN")
    assert page(at_desk("ana"), talk).status_code == 404
    assert page(at_desk("carla"), talk).status_code == 200


def test_a_file_is_given_out_to_be_kept_and_never_shown_in_the_page(at_desk, talk, world):
    said = talk.messages.get()
    kept, refused = (Attachment.objects.create(message=said, name=name) for name in ("recibo.html", "recibo.pdf"))
    assert attachments.store_content(kept, b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n")
    assert not attachments.store_content(refused, b"<html><script>alert(1)</script></html>")
    assert (refused.status, bool(refused.reason)) == ("REFUSED", True)
    got = page(at_desk("ana"), talk, f"archivos/{kept.pk}/")
    assert got["Content-Disposition"].startswith("attachment")
    assert got["X-Content-Type-Options"] == "nosniff"
    assert got["Content-Type"] == "application/pdf"
    assert b"".join(got.streaming_content).startswith(b"%PDF")
    assert page(at_desk("ana"), talk, f"archivos/{refused.pk}/").status_code == 404
    assert page(at_desk("zoe"), talk, f"archivos/{kept.pk}/").status_code == 404


def test_the_thread_is_given_again_only_where_it_changed(at_desk, talk):
    ana = at_desk("ana")
    version = page(ana, talk).context["version"]
    assert page(ana, talk, f"hilo/?v={version}").status_code == 204
    talk.messages.create(direction="IN", text="¿Hola?", at=MORNING, received_at=MORNING)
    again = page(ana, talk, f"hilo/?v={version}")
    assert "¿Hola?" in again.content.decode()


def test_a_first_message_from_the_file_shows_the_gates_verdict_and_counts_as_a_contact(at_desk, talk, world, at):
    Conversation.objects.update(status="CLOSED")
    ana, maria = at_desk("ana"), talk.debtor
    point = maria.points.get(kind="EMAIL")
    url, line = f"/ficha/{maria.pk}/escribir/", f"{point.pk}-email"
    form = {"line": line, "text": "Buenos días, le escribimos de Banco Sur.", "subject": "Su consulta"}
    assert "Puede salir ahora" in ana.post(f"{url}lectura/", form).content.decode()
    at(NIGHT)
    assert "Fuera del horario" in ana.post(f"{url}lectura/", form).content.decode()
    assert ana.post(url, form).status_code == 422
    at(MORNING)
    assert ana.post(url, form).status_code == 302
    sent = Contact.objects.get(author="ana")
    assert (sent.purpose, sent.subject, sent.status) == ("MANUAL", "Su consulta", "DUE")
    again = ana.post(url, form)
    assert again.status_code == 422
    assert "ya se envió otro mensaje" in again.content.decode()


def test_a_ready_answer_that_is_sent_twice_is_kept_once_and_finds_a_code_that_is_free(at_desk, world):
    url, carla = "/conversaciones/respuestas/", at_desk("carla")
    for form in (
        {"title": "Pago 2", "text": "Uno."},
        {"title": "Pago", "text": "Dos."},
        {"title": "Pago", "text": "X."},
    ):
        assert [carla.post(url, form).status_code for _ in range(2)] == [302, 302]
    codes = CannedAnswer.objects.filter(title__startswith="Pago").values_list("code", flat=True)
    assert sorted(codes) == ["pago", "pago-2", "pago-3"]


def test_ready_answers_are_kept_by_who_leads_and_used_by_all(at_desk, talk):
    url, form = "/conversaciones/respuestas/", {"title": "Horario", "text": "Atendemos de 9 a 18."}
    assert at_desk("ana").post(url, form).status_code == 403
    assert at_desk("bruno").post(url, form).status_code == 302
    assert "Atendemos de 9 a 18." in page(at_desk("ana"), talk).content.decode()
    old = CannedAnswer.objects.get()
    at_desk("bruno").post(url, {**form, "text": "Atendemos de 8 a 17.", "replaces": old.pk})
    assert [each.text for each in CannedAnswer.objects.filter(retired_at=None)] == ["Atendemos de 8 a 17."]


def test_a_ready_answer_of_a_lost_key_is_neither_offered_nor_kept_again(at_desk, talk):
    url, shown = "/conversaciones/respuestas/", "Este texto no se puede leer: falta la llave con que se cifró."
    at_desk("bruno").post(url, {"title": "Horario", "text": "Atendemos de 9 a 18."})
    CannedAnswer.objects.update(text=EncryptedValue("enc1.00000000.AAAA"))
    assert shown in at_desk("bruno").get(url).content.decode()
    assert shown not in page(at_desk("ana"), talk).content.decode()
    assert at_desk("bruno").post(url, {"title": "Horario nuevo", "text": shown}).status_code == 422
    assert CannedAnswer.objects.count() == 1


def test_a_note_for_colleagues_is_read_by_them_and_never_sent(at_desk, talk):
    url, form = f"/conversaciones/{talk.pk}/nota/", {"text": "La llamo a las 11."}
    assert at_desk("ana").post(url, form).status_code == 302
    assert "La llamo a las 11." in page(at_desk("bruno"), talk).content.decode()
    repeated = at_desk("ana").post(url, form, follow=True)
    assert "Esta nota ya está en la conversación." in repeated.content.decode()
    assert [message.text for message in talk.messages.all()].count("La llamo a las 11.") == 1
    assert not Contact.objects.filter(conversation_id=talk.pk).exists()


def test_a_person_takes_over_from_the_bot_and_gives_the_conversation_back(at_desk, talk):
    Conversation.objects.update(mode="BOT", mode_reason="")
    ana = at_desk("ana")
    assert answer(ana, talk, "Soy Ana, le atiendo yo.").status_code == 302
    assert "ana" in page(at_desk("bruno"), talk).content.decode()
    talk.refresh_from_db()
    assert talk.mode == "PERSON"
    ana.post(f"/conversaciones/{talk.pk}/bot/")
    talk.refresh_from_db()
    assert (talk.mode, talk.assigned_to) == ("BOT", None)
    assert "bot" in page(ana, talk).content.decode()
