"""No damaged call of a provider ends in an error of ours, signed or not (see `tests/fuzz.py`)."""

import base64
import hashlib
import hmac
import json
from urllib.parse import urlencode

import pytest
from django.test import Client

from tests import extent, fuzz

from .conftest import SECRET, sample

pytestmark = pytest.mark.django_db(transaction=True)
CALLS = extent.choose(daily=25, whole=1_000)


def _signed(code, body):
    """Return the headers by which a provider's call counts as its own."""
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    if code == "wa":
        return {"X-Hub-Signature-256": f"sha256={digest}"}
    return {"X-Signature": digest}


def _twilio(address, fields):
    signed = address + "".join(name + fields[name] for name in sorted(fields))
    digest = hmac.new(SECRET.encode(), signed.encode("utf-8", "replace"), hashlib.sha1).digest()
    return {"X-Twilio-Signature": base64.b64encode(digest).decode()}


def test_no_damaged_call_is_an_error_of_ours(providers, settings):
    settings.PUBLIC_URL = "https://cobros.example"
    settings.DEMO = False  # the gateways' documents name real addresses; none of them is called here
    client = Client(raise_request_exception=False)
    numbers = fuzz.chance("webhooks")
    bodies = [json.dumps(sample("message", "text")).encode(), json.dumps(sample("message_status", "read")).encode()]
    answered = set()
    for position in range(CALLS):
        code = ("wa", "gateway", "twilio", "llamadas", "antiguo")[position % 5]
        body = fuzz.damage(numbers.choice(bodies), numbers)
        content_type, headers = "application/json", _signed(code, body)
        if code in {"twilio", "llamadas"}:
            text = fuzz.damage(b"hola, ya pague ayer", numbers).decode("utf-8", "replace")
            fields = {"MessageSid": f"SM{position}", "CallSid": "CA1", "From": "+51987654321", "Body": text}
            body, content_type = urlencode(fields).encode(), "application/x-www-form-urlencoded"
            headers = _twilio(f"https://cobros.example/api/webhooks/{code}/", fields)
        if position % 7 == 0:
            headers = {}
        answer = client.post(f"/api/webhooks/{code}/", body, content_type=content_type, headers=headers)
        assert answer.status_code < 500, f"{code} {position}, seed {fuzz.SEED}: {body[:300]!r}"
        answered.add((code, answer.status_code))
    assert len({code for code, _status in answered}) == 5
