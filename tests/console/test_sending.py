"""Messages leave by the providers that the administrator configured on the screen, as fast as was said there."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from recobra.messaging.models import Template
from tests.messaging.http_sink import DOCUMENT, Gateway
from tests.messaging.smtp_sink import Sink
from tests.worlds import World

from .test_countries import text

pytestmark = pytest.mark.django_db(transaction=True)
MORNING = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
TEXT = (
    "{{ acreedor }}: su deuda vencida es {{ total_vencido }}. Cómo pagar: {{ como_pagar }} "
    "Reclamos: {{ como_reclamar }} {{ como_parar }}"
)
COMMON = {"country": "", "rank": "10", "price": "0.05", "price_currency": "USD", "enabled": "1"}


@pytest.fixture
def office(company, clock_at):
    clock_at(MORNING)
    Template.objects.create(
        code="cobro-sms",
        channel="sms",
        name="SMS",
        subject="",
        text=TEXT,
        html="",
        version=1,
        status="APPROVED",
        created_at=MORNING,
        created_by="carla",
    )
    return World(company, MORNING)


@pytest.fixture
def mail():
    with Sink(faults={}) as server:
        yield server


@pytest.fixture
def gateway():
    with Gateway(faults={}) as server:
        yield server


def configure(client, kind, code, **settings):
    answer = client.post(f"/canales/nuevo/?tipo={kind}", {**COMMON, "code": code, "name": code.title(), **settings})
    assert answer.status_code == 302, text(answer)


def text_message(office, number):
    debtor = office.debtor(name=f"Deudor {number[-1]}")
    debtor.points.update(kind="PHONE", value=number)
    office.owes(debtor)
    return office.planned(debtor, channel="sms", template_code="cobro-sms")


def test_each_channel_leaves_by_the_provider_that_was_configured_for_it(at_desk, office, mail, gateway):
    dario = at_desk("dario")
    configure(dario, "smtp", "correo-sur", **{"setting-url": mail.url, "setting-from": "Cobranzas <a@sur.example>"})
    configure(dario, "http_sms", "textos", **{"setting-document": DOCUMENT.format(port=gateway.port)})
    letter, message = office.someone_due(), text_message(office, "+51987654321")
    assert office.dispatch()["sent"] == 2
    assert list(mail.accepted) == [str(letter.public_id)]
    assert gateway.numbers == ["+51987654321"]
    ana = at_desk("ana")
    listed = text(ana.get("/mensajes/?dia=todos"))
    assert "Deudor 1 Consumo Perú Enviado — SMS cobro-sms" in listed
    assert "Rosa Quispe Consumo Perú Enviado — Correo recordatorio" in listed
    assert f"G-{message.public_id}" in text(ana.get(f"/mensajes/{message.pk}/"))
    figures = text(at_desk("carla").get("/alcance/?desde=2026-11-20&hasta=2026-11-25"))
    assert "Correo 1 USD 0.05 USD 0.05" in figures
    assert "SMS 1 USD 0.05 USD 0.05" in figures


def test_messages_leave_no_faster_than_the_rate_that_was_given(at_desk, office, gateway):
    """Five messages at two a second: the first leaves at once, each of the others half a second later."""
    document = {"setting-document": DOCUMENT.format(port=gateway.port), "rate_per_second": "2"}
    configure(at_desk("dario"), "http_sms", "textos", **document)
    for n in range(5):
        text_message(office, f"+5198765432{n}")
    begin = time.monotonic()
    assert office.dispatch()["sent"] == 5
    assert time.monotonic() - begin > 1.5
    assert "Enviados 5" in text(at_desk("ana").get("/mensajes/?dia=2026-11-23"))
