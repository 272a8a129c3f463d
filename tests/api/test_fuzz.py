"""No call of a provider ends in an error of ours, signed as it signs or not at all (see `tests/fuzz.py`)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.test import Client

from recobra.conversations.webhooks import receive
from recobra.messaging.channels.twilio_voice.links import voice_url
from recobra.messaging.models import Contact, Provider, WebhookCall
from recobra.portfolio.models import ContactPoint
from tests import extent, fuzz
from tests.people import acting

from .conftest import GATEWAYS, SAMPLES, SECRET

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fuzz, pytest.mark.timeout(900)]
CALLS = extent.choose(daily=25, whole=1_200)
PUBLIC = "https://cobros.example"
NUMBER = "+51999888777"
# What reading a call may fail with: the sender's document is no document. Anything else is a fault of the reader.
EXPECTED = ("JSONDecodeError", "ValueError", "UnicodeDecodeError")
SENDGRID = [
    {"event": "delivered", "sg_message_id": "a.b", "sg_event_id": "e1", "timestamp": 1_790_000_000, "email": "a@b.pe"},
    {"event": "bounce", "type": "bounce", "sg_message_id": "c.d", "timestamp": 1_790_000_000, "reason": "550"},
    {"event": "dropped", "reason": "Unsubscribed Address", "sg_message_id": "e", "timestamp": 1_790_000_000},
]
GATEWAY = {
    "results": [
        {"messageId": "G7", "status": {"name": "DELIVERED"}, "doneAt": "2026-11-23T10:00:00-05:00"},
        {"messageId": "G8", "from": NUMBER, "to": "5000", "text": "BAJA", "receivedAt": "2026-11-23T10:00:00"},
    ]
}
SMS = {"MessageSid": "SM1", "From": NUMBER, "To": "+15005550006", "Body": "hola", "SmsStatus": "received", "NumMedia": "1",
       "MediaUrl0": "https://api.twilio.com/x", "MediaContentType0": "image/png"}  # fmt: skip
VOICE = {"CallSid": "CA1", "From": "+15005550006", "To": NUMBER, "CallStatus": "completed", "AnsweredBy": "human",
         "Digits": "1", "CallDuration": "9"}  # fmt: skip
OLD = {"msgid": "A9", "dlr": "DELIVRD", "when": "2026-11-22T10:00:00", "src": NUMBER, "body": "BAJA", "token": SECRET}
META = [json.loads(path.read_text("utf-8")) for path in sorted(SAMPLES.glob("*.json")) if path.stem != "signatures"]


@pytest.fixture
def ringing(world, providers):
    """A call in progress."""
    debtor = world.debtor(national_id="45678901")
    world.owes(debtor)
    point = ContactPoint.objects.create(debtor=debtor, kind="PHONE", value=NUMBER, valid=True)
    contact = world.planned(debtor, channel="ivr", point_id=point.pk)
    Contact.objects.filter(pk=contact.pk).update(
        status="SENT", sent_at=world.now, handed_over_at=world.now, address=NUMBER,
        provider=providers["llamadas"], provider_reference="CA1",
    )  # fmt: skip
    contact.refresh_from_db()
    contact.body = "Su cuota vencida"
    contact.save(update_fields=["body"])
    return contact


class Callers:
    """Makes the calls of every kind of provider with what each of them signs."""

    def __init__(self, world, contact):
        self.client = Client(raise_request_exception=False)
        self.voice = voice_url(contact.public_id, "llamadas").removeprefix(PUBLIC)
        self.key = ec.generate_private_key(ec.SECP256R1())
        form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        shown = base64.b64encode(self.key.public_key().public_bytes(*form)).decode()
        self.now = world.now
        more = {
            "correo": ("sendgrid", "email", {"webhook_key": shown}, {}),
            "clave": (
                "http_sms",
                "sms",
                {"document": (GATEWAYS / "form_key.yaml").read_text("utf-8")},
                {"key": "k", "webhook_secret": SECRET},
            ),
        }
        for code, (kind, channel, plain, secret) in more.items():
            Provider.objects.create(code=code, kind=kind, channel=channel, name=code, settings=plain, secrets=secret,
                                    created_at=world.now, created_by="dario")  # fmt: skip
        self.makers = {
            "wa": self._meta, "gateway": self._gateway, "correo": self._sendgrid, "twilio": self._sms,
            "llamadas": self._call_status, "voz": self._turn, "antiguo": self._old, "clave": self._form,
        }  # fmt: skip

    def make(self, code, numbers):
        """Return method, address, body, type and signed headers of a call."""
        return self.makers[code](numbers)

    def _document(self, sound, numbers):
        """Return a JSON document with places changed, or its bytes."""
        if numbers.random() < 0.3:
            return fuzz.damage(json.dumps(sound).encode(), numbers)
        body = json.dumps(fuzz.damage_value(sound, numbers)).encode()
        kind = numbers.randrange(12)
        if kind == 0:  # the same key twice
            body = body.replace(b"{", b'{"entry": 7, "id": null, ', 1)
        elif kind == 1:
            body = json.dumps(sound).encode(numbers.choice(("utf-16", "utf-32", "cp037")))
        elif kind == 2:
            body = b"[" * 10_000 + body + b"]" * 10_000
        return body

    def _meta(self, numbers):
        sample = numbers.choice(META)
        body = self._document(numbers.choice(list(sample.values())), numbers)
        digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        return "POST", "/api/webhooks/wa/", body, "application/json", {"X-Hub-Signature-256": f"sha256={digest}"}

    def _gateway(self, numbers):
        body = self._document(GATEWAY, numbers)
        digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        kinds = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "")
        return "POST", "/api/webhooks/gateway/", body, numbers.choice(kinds), {"X-Signature": digest}

    def _sendgrid(self, numbers):
        body = self._document(SENDGRID, numbers)
        at = str(int(self.now.timestamp()))
        signature = base64.b64encode(self.key.sign(at.encode() + body, ec.ECDSA(SHA256()))).decode()
        name = "X-Twilio-Email-Event-Webhook-"
        return (
            "POST",
            "/api/webhooks/correo/",
            body,
            "application/json",
            {f"{name}Signature": signature, f"{name}Timestamp": at},
        )

    def _fields(self, sound, numbers):
        fields = dict(sound)
        for _ in range(numbers.choice((1, 1, 3))):
            name = numbers.choice([*sound, "NumMedia", "OptOutType", "ErrorCode", "MessageStatus", "otra"])
            fields[name] = fuzz.damage_text(fields.get(name, "0"), numbers).encode("utf-8", "replace").decode()
        return fields

    def _twilio(self, path, fields):
        signed = PUBLIC + path + "".join(name + fields[name] for name in sorted(fields))
        digest = hmac.new(SECRET.encode(), signed.encode(), hashlib.sha1).digest()
        kind = "application/x-www-form-urlencoded"
        return "POST", path, urlencode(fields).encode(), kind, {"X-Twilio-Signature": base64.b64encode(digest).decode()}

    def _sms(self, numbers):
        return self._twilio("/api/webhooks/twilio/", self._fields(SMS, numbers))

    def _call_status(self, numbers):
        return self._twilio("/api/webhooks/llamadas/", self._fields(VOICE, numbers))

    def _turn(self, numbers):
        steps = ("greeting", "identity", "menu", "stranger", "promise", "agent", "", "ñ", "9" * 50)
        query = {"step": numbers.choice(steps), "tries": numbers.choice(("0", "2", "-1", "9" * 5_000, "²", "x"))}
        return self._twilio(f"{self.voice}?{urlencode(query)}", self._fields(VOICE, numbers))

    def _old(self, numbers):
        query = urlencode({**self._fields(OLD, numbers), "token": SECRET})
        return "GET", f"/api/webhooks/antiguo/?{query}", b"", "", {}

    def _form(self, numbers):
        fields = self._fields(
            {"idmensaje": "K1", "estado": "2", "fecha": "1790000000", "origen": NUMBER, "texto": "BAJA"}, numbers
        )
        kind = "application/x-www-form-urlencoded"
        return "POST", "/api/webhooks/clave/", urlencode(fields).encode(), kind, {"X-Clave": SECRET}


def _spoil(headers, numbers):
    """Return what a forger signs with."""
    odd = ("", "é" * 9, "sha256=", "0" * 9_000, "=", "AAAA", "\x7f")
    return dict.fromkeys(headers, numbers.choice(odd)) if numbers.random() < 0.5 else {}


def test_no_call_of_a_provider_is_an_error_of_ours(ringing, world, settings):
    settings.PUBLIC_URL = PUBLIC
    settings.DEMO = False  # the gateways' documents name real addresses; none of them is called here
    callers, numbers = Callers(world, ringing), fuzz.chance("webhooks")
    with fuzz.watch("webhooks") as watched:
        for position in range(CALLS):
            code = list(callers.makers)[position % len(callers.makers)]
            method, path, body, kind, headers = callers.make(code, numbers)
            is_forged = position % 7 == 0
            if is_forged:
                headers = _spoil(headers, numbers)
            with watched.input(f"{code} {position}", body or path) as one:
                answer = callers.client.generic(method, path, body, content_type=kind, headers=headers)
                one.end = f"{code} {answer.status_code}"
                assert answer.status_code < 500
        stored = WebhookCall.objects.exclude(error="")
        receive.retry_calls(actor=acting("provider", now=world.now))
        for call in stored:
            if not call.error.startswith(EXPECTED):
                watched.fail("stored call", bytes(call.body), call.error)
    assert {end.split()[0] for end in watched.ends} == set(callers.makers)
    assert {end.split()[1] for end in watched.ends} >= {"200", "403"}
