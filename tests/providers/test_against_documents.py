"""Every request of every adapter, put to mock servers made from the providers' own OpenAPI documents."""

from __future__ import annotations

import asyncio

import pytest

from recobra.messaging.channels import http
from recobra.messaging.channels.adapter import Media, Unsuitable
from recobra.messaging.channels.base import Button, OutcomeKind, TemplateCall
from recobra.messaging.channels.sendgrid import ADAPTER as SENDGRID
from recobra.messaging.channels.twilio_sms import ADAPTER as TWILIO_SMS
from recobra.messaging.channels.twilio_voice import ADAPTER as TWILIO_VOICE
from recobra.messaging.channels.whatsapp import ADAPTER as WHATSAPP
from recobra.messaging.channels.whatsapp import media, templates

from . import settings as accounts
from .settings import ACCOUNT_SID

MENU = tuple(
    Button(code=f"o{n}", title=title) for n, title in enumerate(("Ver mi saldo", "Pagar", "Hablar con alguien"))
)
LONG_MENU = (*MENU, Button(code="o9", title="No soy esa persona y no la conozco"))


def send(adapter, config, *messages):
    async def run():
        async with adapter.open_sender(config) as sender:
            return [await sender.send(message) for message in messages]

    return asyncio.run(run())


def test_sendgrid_takes_our_mail(mock, message):
    mail = message(address="jose.perez@correo.example", channel="email")
    bare = message(address="x@correo.example", channel="email", name="", html="", subject="Dos\nlíneas")
    outcomes = send(SENDGRID, accounts.sendgrid(mock("sendgrid").url, clicks="yes"), mail, bare)
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.SENT, OutcomeKind.SENT]
    assert asyncio.run(SENDGRID.check_settings(accounts.sendgrid(mock("sendgrid").url))).ok


def test_twilio_takes_our_sms(mock, message):
    config = accounts.twilio(mock("twilio").url)
    service = accounts.twilio(mock("twilio").url, messaging_service_sid="MG" + "0b" * 16)
    (by_number,) = send(TWILIO_SMS, config, message())
    (by_service,) = send(TWILIO_SMS, service, message())
    assert [by_number.kind, by_service.kind] == [OutcomeKind.SENT, OutcomeKind.SENT]
    assert by_number.provider_reference.startswith("SM")
    assert asyncio.run(TWILIO_SMS.was_received(message().public_id, by_number.provider_reference, config)) is True


def test_twilio_takes_our_calls(mock, message):
    config = accounts.twilio(mock("twilio").url)
    (outcome,) = send(TWILIO_VOICE, config, message(channel="ivr"))
    assert (outcome.kind, outcome.provider_reference[:2]) == (OutcomeKind.SENT, "CA")
    assert asyncio.run(TWILIO_VOICE.was_received(message().public_id, "CA" + "0c" * 16, config)) is True
    assert asyncio.run(TWILIO_VOICE.check_settings(config)).ok


def test_meta_takes_our_messages(mock, message):
    window = {"channel": "whatsapp", "in_window": True}
    call = TemplateCall(name="aviso_1", language="es-PE", parameters=("José", "S/ 120\n y más", ""))
    outcomes = send(
        WHATSAPP,
        accounts.whatsapp(mock("meta").url),
        message(**window),
        message(**window, buttons=MENU),
        message(**window, buttons=LONG_MENU),
        message(channel="whatsapp", template=call),
        message(channel="whatsapp", template=call, buttons=MENU),
        message(channel="whatsapp", template=TemplateCall(name="hola", language="es")),
    )
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.SENT] * 6
    assert all(outcome.provider_reference.startswith("wamid.") for outcome in outcomes)


def test_meta_takes_our_files_and_gives_theirs(mock):
    config = accounts.whatsapp(mock("meta").url)

    async def upload():
        async with http.open_session() as session:
            return await media.upload_media(
                session, config, content=b"%PDF-1.7", media_type="application/pdf", name="a.pdf"
            )

    assert asyncio.run(upload()) == "<MEDIA_ID>", "as the document's example says"
    with pytest.raises(Unsuitable):  # the document's example of an address is no address
        asyncio.run(
            WHATSAPP.fetch_media(Media(media_id="2621233374848975", media_type="image/jpeg"), config, max_bytes=99)
        )


def test_meta_takes_our_templates_and_tells_of_them(mock):
    config = accounts.whatsapp(mock("meta").url)
    submitted = asyncio.run(
        templates.submit_template(
            config,
            name="aviso_vencimiento",
            language="es_PE",
            text="Hola {{1}}: su cuota de {{2}} vence hoy.",
            examples=["José", "S/ 120"],
            buttons=["Ya pagué", "Quiero ayuda"],
        )
    )
    assert (submitted.name, submitted.language) == ("aviso_vencimiento", "es_PE")
    assert submitted.reference
    (template, *_) = asyncio.run(templates.list_templates(config))
    assert template.name
    assert template.status in {"APPROVED", "PENDING", "REJECTED"}


def test_meta_tells_of_our_number(mock):
    assert asyncio.run(WHATSAPP.check_settings(accounts.whatsapp(mock("meta_number").url))).ok


WRONG = [
    ("sendgrid", "/v3/mail/send", {"json": {"from": {"email": "a@b.example"}}}),
    ("sendgrid", "/v3/mail/send", {"json": {"personalizations": [{"to": [{"email": 7}]}], "from": {}, "subject": ""}}),
    ("twilio", f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json", {"data": b"Body=hola"}),
    ("twilio", f"/2010-04-01/Accounts/{ACCOUNT_SID}/Calls.json", {"data": b"To=%2B51999&From=%2B511&Timeout=soon"}),
    ("twilio", "/2010-04-01/Accounts/mine/Messages.json", {"data": b"To=%2B51999&Body=hola"}),
    ("meta", "/v23.0/11/messages", {"json": {"messaging_product": "whatsapp", "to": "51999", "type": "text"}}),
    (
        "meta",
        "/v23.0/11/messages",
        {
            "json": {
                "messaging_product": "whatsapp",
                "recipient_type": "individual",
                "to": "51999",
                "type": "interactive",
                "interactive": {
                    "type": "button",
                    "body": {"text": "x"},
                    "action": {"buttons": [{"type": "reply", "reply": {"id": str(n), "title": "t"}} for n in range(4)]},
                },
            }
        },
    ),
]


@pytest.mark.parametrize(("name", "path", "wrong"), WRONG)
def test_a_wrong_request_is_refused_so_that_the_others_prove_something(mock_servers, name, path, wrong):
    server = mock_servers(name)
    before = len(server.violations)

    async def ask():
        headers = {"Authorization": "Bearer x" if name != "twilio" else "Basic eDp5", "User-Agent": "Recobra/0.1.0"}
        if "data" in wrong:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        async with http.open_session() as session:
            return await http.call(session, "POST", server.url + path, headers=headers, **wrong)

    reply = asyncio.run(ask())
    assert 400 <= reply.status < 500
    assert len(server.violations) > before
