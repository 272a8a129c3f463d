"""Providers that call nobody back are asked, and believed when they say that a message did not arrive."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from recobra.compliance.jobs import erase_due_data
from recobra.consent.ledger import apply_to_new_points
from recobra.consent.models import Silence
from recobra.consent.opt_out import record_opt_out
from recobra.conversations import jobs
from recobra.kit import clock
from recobra.messaging.models import Contact, Provider, Receipt, WebhookCall
from recobra.messaging.receipts.poll import poll_unreported_contacts
from recobra.messaging.receipts.uncertain import resolve_uncertain
from recobra.portfolio.models import ContactPoint
from tests.people import acting

pytestmark = pytest.mark.django_db
EVERY = timedelta(minutes=10)


@pytest.fixture
def twilio(world):
    """A server that speaks Twilio's message resource; `said` is the status of each message."""
    said = {}

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            reference = self.path.rpartition("/")[2].partition(".")[0]
            body = json.dumps({"sid": reference, "status": said.get(reference, "sent")}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            """Nothing to be said on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        Provider.objects.create(
            code="tw",
            kind="twilio_sms",
            channel="sms",
            name="Twilio",
            secrets={"auth_token": "t"},
            settings={"account_sid": "AC1", "base_url": f"http://127.0.0.1:{server.server_port}"},
            created_at=world.now,
            created_by="dario",
        )
        yield said
        server.shutdown()


def sent(world, reference, *, ago):
    debtor = world.debtor()
    point = ContactPoint.objects.create(debtor=debtor, kind="PHONE", value=f"+51999{debtor.pk:06}", valid=True)
    contact = world.planned(debtor, channel="sms", point_id=point.pk)
    at = world.now - ago
    Contact.objects.filter(pk=contact.pk).update(
        status="SENT", sent_at=at, handed_over_at=at, provider=Provider.objects.get(), provider_reference=reference
    )
    return contact


def test_what_did_not_arrive_is_found_out_by_asking_and_once(world, twilio):
    lost, fine = sent(world, "SM1", ago=timedelta(minutes=16)), sent(world, "SM2", ago=timedelta(minutes=16))
    young = sent(world, "SM3", ago=timedelta(minutes=3))
    twilio.update({"SM1": "failed", "SM2": "delivered", "SM3": "failed"})
    assert poll_unreported_contacts(actor=acting("provider", now=world.now), every=EVERY) == 1
    assert poll_unreported_contacts(actor=acting("provider", now=world.now), every=EVERY) == 0
    for contact in (lost, fine, young):
        contact.refresh_from_db()
    assert (lost.undelivered_at, fine.undelivered_at, young.undelivered_at) == (world.now, None, None)
    assert world.facts("contact.undelivered") == [(lost.pk, None)]


def test_the_jobs_do_what_has_waited(world, twilio):
    contact = sent(world, "SM9", ago=timedelta(minutes=1))
    Receipt.objects.create(
        provider=Provider.objects.get(),
        provider_reference="SM9",
        kind="DELIVERED",
        at=world.now,
        received_at=clock.now(),
        event_key="SM9",
    )
    record_opt_out(kind="PHONE", value="+51911222333", source="KEYWORD", actor=acting("debtor", now=world.now))
    late = ContactPoint.objects.create(debtor=contact.debtor, kind="PHONE", value="+51911222333", valid=True)
    old = clock.now() - timedelta(days=91)
    WebhookCall.objects.create(provider=Provider.objects.get(), received_at=old, digest="d", body=b"", status="DONE")
    jobs.retry_calls(0)
    jobs.ask_providers(0)
    erase_due_data(0)
    apply_to_new_points()  # as after every load
    contact.refresh_from_db()
    late.refresh_from_db()
    assert contact.delivered_at == world.now
    assert late.opted_out_at == Silence.objects.get().since
    assert not WebhookCall.objects.exists()


def test_a_provider_whose_secrets_cannot_be_read_stops_no_dispatcher(world, twilio, other_keys):
    contact = sent(world, "SM1", ago=timedelta(minutes=16))
    sent(world, "SM2", ago=timedelta(minutes=16))
    Contact.objects.filter(pk=contact.pk).update(status="UNCERTAIN", reason="lost", sent_at=None)
    other_keys()
    assert resolve_uncertain(actor=acting("provider", now=world.now)) == {"sent": 0, "failed": 0, "uncertain": 1}
    assert poll_unreported_contacts(actor=acting("provider", now=world.now), every=EVERY) == 0
