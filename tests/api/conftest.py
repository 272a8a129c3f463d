"""Providers that call a running server, with the signatures they really make."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from recobra.messaging.models import Provider
from tests.worlds import World

SAMPLES = Path(__file__).parents[1] / "providers" / "samples"
GATEWAYS = Path(__file__).parents[2] / "docs" / "sms_gateways"
SECRET = "clave-compartida"


class Caller:
    """Makes the calls of the providers over HTTP; `public` is the address under which they know us."""

    def __init__(self, live_server, public):
        self.url, self.public = live_server.url, public

    def call(self, method, path, *, body=b"", headers=None):
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=20)
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        return answer.status, answer.getheader("Content-Type"), said.decode()

    def meta(self, content, *, secret=SECRET, code="wa"):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature}
        return self.call("POST", f"/api/webhooks/{code}/", body=body, headers=headers)

    def gateway(self, item, *, secret=SECRET):
        body = json.dumps({"results": [item]}).encode()
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Signature": signature}
        return self.call("POST", "/api/webhooks/gateway/", body=body, headers=headers)

    def twilio(self, fields, *, secret=SECRET, path="/api/webhooks/twilio/"):
        signed = self.public + path + "".join(name + fields[name] for name in sorted(fields))
        signature = base64.b64encode(hmac.new(secret.encode(), signed.encode(), hashlib.sha1).digest()).decode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
        return self.call("POST", path, body=urlencode(fields).encode(), headers=headers)


@pytest.fixture
def now():
    """These calls are dated by the server's own clock."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def world(company, now):
    return World(company, now)


@pytest.fixture
def caller(live_server, settings):
    settings.PUBLIC_URL = "https://cobros.example"
    settings.DEMO = False  # the gateways' documents name real addresses; none of them is called here
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return Caller(live_server, settings.PUBLIC_URL)


@pytest.fixture
def providers(world):
    """WhatsApp by Meta, SMS by Twilio, by a gateway that posts and by one that reports by GET."""
    made = {
        "wa": (
            "whatsapp",
            "whatsapp",
            {"phone_number_id": "1122334455667"},
            {"app_secret": SECRET, "verify_token": "contrasena"},
        ),
        "twilio": ("twilio_sms", "sms", {"account_sid": "AC1"}, {"auth_token": SECRET}),
        "llamadas": (
            "twilio_voice",
            "ivr",
            {"account_sid": "AC1", "from_number": "+15005550006"},
            {"auth_token": SECRET},
        ),
        "gateway": (
            "http_sms",
            "sms",
            {"document": (GATEWAYS / "json_bearer.yaml").read_text("utf-8")},
            {"token": "t", "webhook_secret": SECRET},
        ),
        "antiguo": (
            "http_sms",
            "sms",
            {"document": (GATEWAYS / "query_text.yaml").read_text("utf-8")},
            {"user": "u", "password": "p", "webhook_secret": SECRET},
        ),
    }
    return {
        code: Provider.objects.create(
            code=code,
            kind=kind,
            channel=channel,
            name=code,
            settings=plain,
            secrets=secret,
            created_at=world.now,
            created_by="dario",
        )
        for code, (kind, channel, plain, secret) in made.items()
    }


def sample(name, part):
    """Return a webhook body as Meta sends it."""
    return json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))[part]
