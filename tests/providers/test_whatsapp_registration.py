"""WhatsApp templates at Meta: put up once, decided by it, found again after a lost answer."""

from __future__ import annotations

import pytest

from recobra.messaging.models import Template, TemplateRegistration
from recobra.messaging.providers import operations as providers
from recobra.messaging.templates import whatsapp_approval as approval
from tests.people import acting

from .peer import HALF
from .peer import open_in_thread as meta

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "Hola {{ nombre }}: con {{ acreedor }} hay {{ total_vencido }} vencidos, {{ nombre }}. Gracias."


@pytest.fixture
def template(now):
    """An approved WhatsApp template."""
    return Template.objects.create(
        code="recordatorio-suave",
        version=1,
        status="APPROVED",
        channel="whatsapp",
        language="es",
        name="Suave",
        subject="",
        text=TEXT,
        html="",
        created_at=now,
        created_by="ana",
        buttons=[{"code": "paid", "title": "Ya pagué"}],
        parameters=["nombre", "acreedor", "total_vencido"],
    )


@pytest.fixture
def save_provider(now):
    """Configure WhatsApp at an address."""

    def save(url):
        return providers.save_provider(
            code="wa",
            kind="whatsapp",
            name="WhatsApp",
            rate_per_second=None,
            price_micros=0,
            price_currency="USD",
            settings={"phone_number_id": "11", "account_id": "22", "base_url": url},
            country="",
            rank=1,
            enabled=True,
            secrets={"token": "EAAB", "app_secret": "a", "verify_token": "v"},
            actor=acting("dario", now=now),
        ).pk

    return save


def template_list(name, status):
    return 200, {"data": [{"id": "9", "name": name, "language": "es", "status": status}]}


def register(template, provider_id, now):
    return approval.register_template(template_id=template.pk, provider_id=provider_id, actor=acting("carla", now=now))


def test_a_template_is_put_up_with_examples_that_are_nobodys(template, save_provider, now):
    with meta((200, {"id": "9", "status": "PENDING", "category": "UTILITY"})) as peer:
        registered = register(template, save_provider(peer.url), now)
    (request,) = peer.requests
    body, buttons = request.json["components"]
    assert body["text"] == "Hola {{1}}: con {{2}} hay {{3}} vencidos, {{1}}. Gracias."
    assert body["example"]["body_text"] == [["Rosa Quispe", "Banco Sur", "S/ 120.50"]]
    assert buttons["buttons"] == [{"type": "QUICK_REPLY", "text": "Ya pagué"}]
    assert request.json["name"] == registered.name == f"recordatorio_suave_{template.pk}"
    assert (registered.status, registered.reference, registered.asked_at) == ("PENDING", "9", now)


def test_it_is_put_up_once(template, save_provider, now):
    with meta((200, {"id": "9", "status": "PENDING"})) as peer:
        provider = save_provider(peer.url)
        register(template, provider, now)
        with pytest.raises(approval.NotRegistered):
            register(template, provider, now)
    assert len(peer.requests) == 1


def test_what_meta_refuses_can_be_put_up_again(template, save_provider, now):
    refusal = (400, {"error": {"message": "Body too short"}})
    with meta(refusal, (200, {"data": []})) as peer, pytest.raises(approval.NotRegistered, match="Body too short"):
        register(template, save_provider(peer.url), now)
    assert not TemplateRegistration.objects.exists()


def test_an_answer_that_was_lost_is_looked_for(template, save_provider, now):
    with meta(HALF, template_list(f"recordatorio_suave_{template.pk}", "PENDING")) as peer:
        registered = register(template, save_provider(peer.url), now)
    assert (registered.status, registered.reference) == ("PENDING", "9")
    assert [request.method for request in peer.requests] == ["POST", "GET"]


def test_only_a_template_in_force_is_put_up(template, save_provider, now):
    Template.objects.update(status="DRAFT")
    with pytest.raises(approval.NotRegistered):
        register(template, save_provider("http://127.0.0.1:9"), now)


def test_metas_decisions_are_asked_for(template, save_provider, now):
    with meta(template_list("aviso_1", "APPROVED")) as peer:
        TemplateRegistration.objects.create(
            template=template, provider_id=save_provider(peer.url), name="aviso_1", status="PENDING", asked_at=now
        )
        assert approval.synchronise_templates(actor=acting("provider", now=now)) == 1
        assert approval.synchronise_templates(actor=acting("provider", now=now)) == 0
    registration = TemplateRegistration.objects.get()
    assert (registration.status, registration.provider.number_asked_at) == ("APPROVED", now)


def test_words_of_another_installation_under_the_same_name_are_not_taken_for_ours(template, save_provider, now):
    """Two installations may share an account, and number their templates alike."""
    name = f"recordatorio_suave_{template.pk}"
    listed = {"id": "9", "name": name, "language": "es", "status": "APPROVED"}
    others = {**listed, "components": [{"type": "BODY", "text": "Hola {{1}}: otra cosa."}]}
    answers = (400, {"error": {"message": "Name taken"}}), (200, {"data": [others]})
    with meta(*answers) as peer, pytest.raises(approval.NotRegistered, match=r"otra plantilla|another template"):
        register(template, save_provider(peer.url), now)
    assert not TemplateRegistration.objects.exists()


def test_a_provider_that_does_not_answer_is_said_to(save_provider, now, caplog):
    save_provider("http://127.0.0.1:9")
    assert approval.synchronise_templates(actor=acting("provider", now=now)) == 0
    assert "could not be asked for" in caplog.text
