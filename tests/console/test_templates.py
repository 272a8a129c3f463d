"""Plantillas on the screen: written as drafts, read while they are written, decided by a second person."""

from __future__ import annotations

import pytest

from recobra.approvals.models import Approval
from recobra.kit import clock
from recobra.kit.encrypted_field import EncryptedValue
from recobra.messaging import queries
from recobra.messaging.models import Template

from .following import follow


@pytest.fixture
def reminder(world):
    """The reminder of the starter library, by e-mail."""
    follow(world, clock.now())
    return Template.objects.get(code="recordatorio-firme", channel="email", country="", tone="")


def page(client, template, step=""):
    return f"/mensajes/plantillas/{template.pk}/{step}"


def decision(template, step=""):
    """The address at which a second person decides about a version."""
    return f"/aprobaciones/{Approval.objects.get(subject=template.pk).pk}/{step}"


def test_the_law_reads_along_while_a_template_is_written(at_desk, reminder):
    client, address = at_desk("carla"), page(None, reminder, "lectura/")
    assert "Nada que objetar." in client.post(address, {"text": reminder.text}).content.decode()
    said = client.post(address, {"text": f"{reminder.text} Lo llevaremos a la cárcel."}).content.decode()
    assert "Amenaza." in said
    assert '«<span class="excerpt">cárcel</span>»' in said
    assert "La ley lo impide" in said
    assert '<mark class="found-block">cárcel</mark>' in said
    wrong = client.post(address, {"text": "{{ acredor }}"}).content.decode()
    assert "acredor" in wrong
    assert {name: at_desk(name).post(address).status_code for name in ("ana", "hilda")} == {"ana": 403, "hilda": 403}


def test_what_is_shown_for_words_of_a_lost_key_is_no_new_text(at_desk, reminder):
    Template.objects.filter(pk=reminder.pk).update(text=EncryptedValue("enc1.00000000.AAAA"))
    carla, address = at_desk("carla"), page(None, reminder, "editar/")
    assert "falta la llave con que se cifró" in carla.get(address).content.decode()
    for form in ({}, {"text": "Hola. Este texto no se puede leer: falta la llave con que se cifró."}):
        refused = carla.post(address, {"settings": "1", **form})
        assert (refused.status_code, "Todavía no se puede guardar:" in refused.content.decode()) == (422, True)
    assert not Template.objects.filter(code=reminder.code, created_by="carla").exists()


def test_a_variant_is_written_put_forward_and_approved_by_another(at_desk, reminder):
    carla = at_desk("carla")
    carla.post(page(carla, reminder, "editar/"), {"name": "Más corto", "variant": "b", "settings": "1"})
    draft = Template.objects.get(variant="B")
    assert (draft.status, draft.created_by, draft.legal) == ("DRAFT", "carla", False)
    assert "Borrador" in carla.get("/mensajes/plantillas/").content.decode()
    carla.post(page(carla, draft, "presentar/"))
    shown = carla.get(page(carla, draft)).content.decode()
    assert "debe aprobarla otra persona" in shown
    refused = carla.post(decision(draft, "aprobar/"), follow=True).content.decode()
    assert "no decide sobre él" in refused
    draft.refresh_from_db()
    assert draft.status == "SUBMITTED"
    dario = at_desk("dario")
    assert decision(draft) in dario.get(page(dario, draft)).content.decode()
    assert "Aprobar" in dario.get(decision(draft)).content.decode()
    dario.post(decision(draft, "aprobar/"), {"motivo": "Bien"})
    assert draft in queries.template_versions()
    shown = dario.get(page(dario, draft)).content.decode()
    assert "Variantes vigentes" in shown
    dario.post(page(dario, draft, "peso/"), {"weight": "3"})
    assert Template.objects.get(pk=draft.pk).weight == 3
    assert at_desk("ana").post(decision(draft, "aprobar/")).status_code == 403


def test_what_is_sent_back_says_why_and_what_changed_is_shown(at_desk, reminder):
    carla, bruno = at_desk("carla"), at_desk("bruno")
    changed = {"text": reminder.text.replace("Le escribimos antes", "Le escribimos ayer"), "settings": "1"}
    carla.post(page(carla, reminder, "editar/"), changed)
    draft = Template.objects.get(version=2)
    shown = carla.get(page(carla, draft)).content.decode()
    assert '<ins class="added">+ Le escribimos ayer' in shown
    assert '<del class="taken">− Le escribimos antes' in shown
    carla.post(page(carla, draft, "presentar/"))
    assert "Diga por qué" in bruno.post(decision(draft, "devolver/"), follow=True).content.decode()
    bruno.post(decision(draft, "devolver/"), {"motivo": "Sin el tuteo"})
    shown = carla.get(page(carla, draft)).content.decode()
    assert "Sin el tuteo" in shown
    assert Template.objects.get(pk=draft.pk).status == "REJECTED"


def test_a_text_message_has_no_subject_and_its_length_is_counted(at_desk, reminder):
    sms = Template.objects.get(code="recordatorio-firme", channel="sms", country="", tone="")
    carla = at_desk("carla")
    form = carla.get(page(carla, sms, "editar/")).content.decode()
    assert 'name="subject"' not in form
    assert 'name="html"' not in form
    assert "GSM-7" in form
    shown = carla.post(page(carla, sms, "prueba/"), {"debtor": "45678912"}).content.decode()
    assert "SMS." in shown
    assert "Banco Sur" in shown


def test_a_whatsapp_message_is_written_tried_and_put_forward(at_desk, reminder):
    carla = at_desk("carla")
    kept = Template.objects.get(code="recordatorio-firme", channel="whatsapp", country="", tone="")
    changed = {"text": kept.text.replace("Le escribimos", "Le volvemos a escribir"), "settings": "1"}
    assert changed["text"] != kept.text
    carla.post(page(carla, kept, "editar/"), changed)
    draft = Template.objects.get(code="recordatorio-firme", channel="whatsapp", version=2)
    shown = carla.post(page(carla, draft, "prueba/"), {"debtor": "45678912"}).content.decode()
    assert "Le volvemos a escribir" in shown
    assert "S/\xa0450.50" in shown
    carla.post(page(carla, draft, "presentar/"))
    at_desk("dario").post(decision(draft, "aprobar/"), {"motivo": "Bien"})
    assert Template.objects.get(pk=draft.pk).status == "APPROVED"


def test_a_new_template_is_written_tried_approved_and_chosen_by_a_strategy(at_desk, reminder):
    carla, address = at_desk("carla"), "/mensajes/plantillas/nueva/sms/"
    assert 'href="/mensajes/plantillas/nueva/"' in carla.get("/mensajes/plantillas/").content.decode()
    assert f'href="{address}"' in carla.get("/mensajes/plantillas/nueva/").content.decode()
    form = carla.get(address).content.decode()
    assert 'name="subject"' not in form, "a text message has none"
    kept = Template.objects.get(code="recordatorio-firme", channel="sms", country="", tone="")
    words = {"name": "Aviso propio", "language": "es", "text": kept.text.replace("no vemos", "aún no vemos")}
    assert "cárcel" in carla.post(f"{address}lectura/", {"text": f"{kept.text} Irá a la cárcel."}).content.decode()
    tried = carla.post(f"{address}prueba/", {**words, "debtor": "45678912"}).content.decode()
    assert "aún no vemos registrado" in tried
    for code, why in (("Aviso Propio", "Minúsculas, cifras y guiones"), (kept.code, "ya hay una plantilla con este")):
        refused = carla.post(address, {**words, "code": code})
        assert (refused.status_code, why in refused.content.decode()) == (422, True)
        assert "aún no vemos" in refused.content.decode(), "nothing that was typed is lost"
    made = {**words, "code": "aviso-propio", "tone": "FIRM", "stage": "ADMINISTRATIVE", "settings": "1"}
    assert carla.post(address, made).status_code == 302
    draft = Template.objects.get(code="aviso-propio")
    assert (draft.channel, draft.language, draft.tone, draft.version, draft.status) == ("sms", "es", "FIRM", 1, "DRAFT")
    assert "aviso-propio" not in dict(carla.get("/estrategias/consumo/editar/").context["templates"])
    carla.post(page(carla, draft, "presentar/"))
    at_desk("dario").post(decision(draft, "aprobar/"), {"motivo": "Bien"})
    assert dict(carla.get("/estrategias/consumo/editar/").context["templates"])["aviso-propio"] == "Aviso propio"
    assert at_desk("ana").get(address).status_code == 403
    assert carla.get("/mensajes/plantillas/nueva/fax/").status_code == 404


def test_a_template_is_read_and_its_lists_are_put_in_without_code(at_desk, reminder):
    carla = at_desk("carla")
    shown = carla.get(page(carla, reminder)).content.decode()
    before_code = shown.partition("Ver el código")[0]
    assert '<span class="word word-block">Lista: lo vencido, documento por documento</span>' in before_code
    assert "{% for" not in before_code
    form = carla.get(page(carla, reminder, "editar/"))
    blocks = dict(form.context["blocks"])
    assert len(blocks) == 3
    for code in blocks.values():
        said = carla.post(page(carla, reminder, "lectura/"), {"text": f"{reminder.text}\n{code}"}).content.decode()
        assert "rule-error" not in said, "a block is right as it is"
        assert said.count("word-block") >= 3
    whatsapp = Template.objects.get(code="recordatorio-firme", channel="whatsapp", country="", tone="")
    assert carla.get(page(carla, whatsapp, "editar/")).context["blocks"] == []


def listed(client, narrow):
    shown = client.get(f"/mensajes/plantillas/?{narrow}").content.decode()
    return shown.partition("</form>")[2]


def test_a_country_is_written_with_its_own_templates_and_the_general_ones(at_desk, reminder):
    client = at_desk("carla")
    of_peru, of_mexico = listed(client, "canal=sms&pais=PE"), listed(client, "canal=sms&pais=MX")
    assert "Aviso antes del vencimiento<" in of_peru
    assert "(México)" not in of_peru
    assert "(México)" in of_mexico
    assert "Aviso antes del vencimiento<" in of_mexico
    nothing = listed(client, "canal=visit&pais=PE")
    assert "Ninguna plantilla vigente cumple con el filtro" in nothing
    assert "No hay plantillas" not in nothing


def test_countries_are_named_as_on_the_page_of_their_laws(at_desk, reminder):
    client = at_desk("carla")
    for address in ("/mensajes/plantillas/", page(None, reminder, "editar/"), page(None, reminder)):
        shown = client.get(address).content.decode()
        assert "yardstick" not in shown
    choices = client.get("/mensajes/plantillas/").content.decode()
    assert '<option value="ES">España</option>' in choices
    assert '<option value="US">Estados Unidos</option>' in choices
