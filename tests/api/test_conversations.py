"""A conversation as it really comes: Meta's signed calls over HTTP, the bot, the outbox, and files from Meta's side."""

from __future__ import annotations

import copy
import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from recobra.consent.models import Silence
from recobra.conversations import attachments
from recobra.conversations import operations as conversations
from recobra.conversations.models import Attachment, Conversation, ConversationMessage
from recobra.messaging import operations as messaging
from recobra.messaging.models import Contact, Provider
from recobra.portfolio.models import ContactPoint, Hold
from recobra.workbench.models import Task
from tests.clamd import EICAR, clamd
from tests.console.test_countries import text as read
from tests.people import acting

from .conftest import SECRET, sample

pytestmark = pytest.mark.django_db(transaction=True)
ROSA = "+972987654321"  # the number of Meta's samples
PHOTO = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + b"\x00" * 64 + b"\xff\xd9"


class Meta:
    """Meta's side on loopback: takes messages, keeps files."""

    def __init__(self):
        self.sent, self.file = [], PHOTO
        meta = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                meta.sent.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.tell({"messages": [{"id": f"wamid.out{len(meta.sent)}"}]})

            def do_GET(self):
                if self.path == "/file":
                    self.tell(meta.file, "image/jpeg")
                else:
                    self.tell({"url": f"{meta.url}/file", "file_size": len(meta.file)})

            def tell(self, content, kind="application/json"):
                body = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_said):
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def texts(self):
        return [
            (each.get("text") or each["interactive"]["body"])["body" if "text" in each else "text"]
            for each in self.sent
        ]

    def choices(self):
        """What the debtor may press under each message."""
        found = [each.get("interactive", {}).get("action", {}) for each in self.sent]
        return [
            [
                row["id"]
                for row in [b["reply"] for b in a.get("buttons", [])] or a.get("sections", [{"rows": []}])[0]["rows"]
            ]
            for a in found
        ]


@pytest.fixture
def meta():
    side = Meta()
    yield side
    side.server.shutdown()
    side.server.server_close()


@pytest.fixture
def rosa(world, meta):
    Provider.objects.create(
        code="wa",
        kind="whatsapp",
        channel="whatsapp",
        name="WhatsApp",
        enabled=True,
        created_at=world.now,
        created_by="dario",
        secrets={"app_secret": SECRET, "verify_token": "v", "token": "t"},
        settings={"phone_number_id": "1122334455667", "account_id": "9", "base_url": meta.url},
    )
    debtor = world.debtor(national_id="40115678")
    ContactPoint.objects.create(debtor=debtor, kind="PHONE", value=ROSA, valid=True)
    world.owes(debtor, amount_minor=45_050)
    return debtor


def call(world, part, *, number, text=""):
    """Return Meta's sample with our text, an id of its own and a time of today."""
    body = copy.deepcopy(sample("message", part))
    message = body["entry"][0]["changes"][0]["value"]["messages"][0]
    if text:
        message["text"]["body"] = text
    message["id"] = f"wamid.in{number}"
    message["timestamp"] = str(int((world.now + timedelta(seconds=number)).timestamp()))
    return body


def test_from_the_call_to_the_answer_in_the_debtors_hand_with_a_photo_and_a_farewell(caller, world, rosa, meta):
    now = world.now + timedelta(seconds=60)
    for number, text in enumerate(("¿Cuánto debo?", "5678", "ya pagué ayer en el banco"), 1):
        assert caller.meta(call(world, "text", number=number, text=text))[0] == 200
        assert ProcrastinateJob.objects.filter(task_name="contact.answer").count() == number
        assert conversations.answer_waiting(actor=acting("bot", now=now)) == 1
        messaging.dispatch_once(actor=acting("dispatch", now=now))
    asked, balance, noted = meta.texts()
    assert "últimos 4 dígitos" in asked
    assert "450.50" in balance
    assert "\n1. " not in balance
    assert meta.choices()[1], "the choices are pressed, not typed"
    assert "Revisaremos su pago" in noted
    assert {each["to"].lstrip("+") for each in meta.sent} == {ROSA.lstrip("+")}
    assert Hold.objects.get(debtor=rosa).reason == "PAYMENT_IN_PROCESS"
    assert Task.objects.get(kind="payment").debtor == rosa
    assert {each.purpose for each in Contact.objects.all()} == {"REPLY"}
    assert {each.verdict["facts"]["purpose"] for each in Contact.objects.all()} == {"REPLY"}

    assert caller.meta(call(world, "image", number=4))[0] == 200
    conversations.answer_waiting(actor=acting("bot", now=now))
    assert attachments.fetch_waiting(actor=acting("bot", now=now)) == 1
    photo = Attachment.objects.get()
    assert (photo.status, photo.media_type) == ("KEPT", "image/jpeg")
    assert attachments.path_of(photo).read_bytes() == PHOTO
    assert attachments.path_of(photo).suffix == ".jpg"

    assert caller.meta(call(world, "text", number=5, text="BAJA"))[0] == 200
    conversations.answer_waiting(actor=acting("bot", now=now))
    assert messaging.dispatch_once(actor=acting("dispatch", now=now))["sent"] == 0
    assert len(meta.sent) == 3
    assert Silence.objects.filter(value=ROSA).exists()
    assert Conversation.objects.get().status == "CLOSED"


def test_who_has_written_gets_nothing_of_the_plan_in_between(caller, world, rosa, meta, cast):
    planned = world.planned(rosa)
    assert caller.meta(call(world, "text", number=1, text="¿Cuánto debo?"))[0] == 200
    planned.refresh_from_db()
    assert (planned.status, planned.reason) == ("CANCELLED", "replied")
    assert "Anulado" in page(cast["ana"], f"/mensajes/{planned.pk}/")


def page(user, address):
    client = Client()
    client.force_login(user)
    return read(client.get(address))


def test_who_contests_a_debt_is_left_in_peace_and_a_person_answers(caller, world, rosa, meta, cast):
    for number, said in enumerate(("¿Cuánto debo?", "5678", "no reconozco esa deuda, yo nunca compré eso"), 1):
        caller.meta(call(world, "text", number=number, text=said))
        conversations.answer_waiting(actor=acting("bot", now=world.now + timedelta(seconds=60)))
    file = page(cast["ana"], f"/ficha/{rosa.pk}/")
    for told in (
        "El deudor reclamó",
        "En pausa: Disputa. No se contacta a nadie hasta que se levante.",
        "Tareas abiertas Responder el reclamo del deudor",
    ):
        assert told in file, told


def test_the_same_call_ten_times_is_one_message_and_one_answer(caller, world, rosa, meta):
    body = call(world, "text", number=1, text="¿Cuánto debo?")
    assert {caller.meta(body)[0] for _ in range(10)} == {200}
    now = world.now + timedelta(seconds=30)
    threads = [threading.Thread(target=_answer, args=(now,)) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    messaging.dispatch_once(actor=acting("dispatch", now=now))
    assert ConversationMessage.objects.filter(direction="IN").count() == 1
    assert len(meta.sent) == 1


def test_a_file_that_is_something_else_than_it_says_is_refused(caller, world, rosa, meta):
    meta.file = b"MZ\x90\x00" + b"\x00" * 200
    caller.meta(call(world, "image", number=1))
    assert attachments.fetch_waiting(actor=acting("bot", now=world.now + timedelta(seconds=9))) == 0
    refused = Attachment.objects.get()
    assert (refused.status, refused.path) == ("REFUSED", "")
    assert refused.reason


def test_a_file_in_which_a_scanner_finds_something_is_refused_and_one_it_did_not_see_waits(
    caller, world, rosa, meta, settings
):
    caller.meta(call(world, "image", number=1))
    settings.ANTIVIRUS = "tcp:127.0.0.1:1"
    soon = acting("bot", now=world.now + timedelta(minutes=5))
    attachments.fetch_waiting(actor=soon)
    assert Attachment.objects.get().status == "WAITING"
    attachments.fetch_waiting(actor=acting("bot", now=world.now + timedelta(hours=2)))
    assert (Attachment.objects.get().status, Attachment.objects.get().path) == ("REFUSED", "")
    Attachment.objects.update(status="WAITING")
    with clamd() as settings.ANTIVIRUS:
        meta.file = PHOTO + EICAR
        assert attachments.fetch_waiting(actor=soon) == 0
        assert "Eicar-Signature" in Attachment.objects.get().reason
        Attachment.objects.update(status="WAITING")
        meta.file = PHOTO
        assert attachments.fetch_waiting(actor=soon) == 1


def test_a_file_that_is_not_to_be_had_is_asked_for_again_for_an_hour(caller, world, rosa, meta):
    caller.meta(call(world, "image", number=1))
    Provider.objects.update(settings={"phone_number_id": "1", "account_id": "9", "base_url": "http://127.0.0.1:9"})
    attachments.fetch_waiting(actor=acting("bot", now=world.now + timedelta(minutes=5)))
    assert Attachment.objects.get().status == "WAITING"
    attachments.fetch_waiting(actor=acting("bot", now=world.now + timedelta(hours=2)))
    assert Attachment.objects.get().status == "REFUSED"


def _answer(now):
    from django.db import connection  # noqa: PLC0415 - each thread closes its own

    try:
        conversations.answer_waiting(actor=acting("bot", now=now))
    finally:
        connection.close()
