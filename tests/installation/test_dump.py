"""A dump of the database shows no secret, no token and no bank account that was given by the doors."""

from __future__ import annotations

import subprocess
import tempfile

import pytest
from django.test import Client

from recobra.approvals.models import Approval
from recobra.kit import pg_client
from recobra.kit.keys import read_key_ring
from recobra.messaging.providers import operations as providers
from recobra.portfolio.models import Creditor
from tests import people

PLANTED = {
    "webhook secret": "plantado-webhook-8841",
    "password of a gateway": "plantado-clave-5512",
    "account of a creditor": "191-7700112233-0-44",
    "account in force": "191-3300998877-0-12",
    "password of a user": "plantado-contrasena-9913",
}


@pytest.fixture
def company_with_secrets(transactional_db, now, settings):
    """Secrets as people give them: a provider, a creditor's account, a password, a session."""
    portfolio = people.create_company()
    cast = people.create_cast(portfolio)
    dario = cast["dario"]
    dario.set_password(PLANTED["password of a user"])
    dario.save()
    desk = Client()
    desk.force_login(dario)
    details = {"payment_instructions": f"Cuenta {PLANTED['account of a creditor']}", "supervised": "si"}
    assert desk.post(f"/acreedores/{portfolio.creditor_id}/", details).status_code == 302
    assert PLANTED["account of a creditor"] in Approval.objects.latest("pk").new["payment_instructions"], (
        "a second person is asked"
    )
    creditor = Creditor.objects.get()
    creditor.payment_instructions = f"Cuenta {PLANTED['account in force']}"
    creditor.save()
    providers.save_provider(
        code="puerta",
        kind="twilio_sms",
        name="Puerta",
        settings={"account_sid": "AC" + "0" * 32, "from_number": "+15005550006", "base_url": "http://127.0.0.1:9"},
        secrets={"auth_token": PLANTED["password of a gateway"] + PLANTED["webhook secret"]},
        rate_per_second=None,
        price_micros=1,
        price_currency="USD",
        country="",
        rank=1,
        enabled=True,
        actor=people.acting("dario", now=now),
    )
    return desk


def dump():
    with tempfile.TemporaryFile() as errors:
        with pg_client.start("pg_dump", "--format=plain", errors=errors, stdout=subprocess.PIPE) as client:
            text = client.stdout.read().decode()
        errors.seek(0)
        assert client.returncode == 0, errors.read()
    return text


def test_a_dump_shows_nothing_that_opens_a_door(company_with_secrets):
    text = dump()
    assert "puerta" in text, "the provider is in it"
    assert "enc1." in text
    found = [name for name, value in PLANTED.items() if value in text]
    assert found == []
    keys = [key.secret.hex() for key in read_key_ring().keys]
    assert not [value for value in keys if value in text]
