"""Providers that hang keep nobody waiting: several are asked at once, within a bound, and nobody is passed over."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from recobra.messaging.models import Contact, Provider
from recobra.messaging.receipts import status_query as asking
from recobra.messaging.receipts import uncertain as settling
from recobra.messaging.receipts.poll import poll_unreported_contacts
from recobra.messaging.receipts.uncertain import resolve_uncertain
from recobra.portfolio.models import ContactPoint
from tests.people import acting

pytestmark = pytest.mark.django_db


class Hesitant(ThreadingHTTPServer):
    """Speaks Twilio's message resource, and takes `seconds` for each answer; `asked` counts who was asked about."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, code, *, seconds=0.0, said="failed"):
        self.seconds, self.said, self.asked, self.gone = seconds, said, Counter(), threading.Event()
        super().__init__(("127.0.0.1", 0), _Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.provider = Provider.objects.create(
            code=code,
            kind="twilio_sms",
            channel="sms",
            name=code,
            secrets={"auth_token": "t"},
            settings={"account_sid": "AC1", "base_url": f"http://127.0.0.1:{self.server_port}"},
            created_at="2026-11-23T15:00:00Z",
            created_by="dario",
        )

    def server_close(self):
        self.gone.set()
        self.shutdown()
        super().server_close()


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        reference = self.path.rpartition("/")[2].partition(".")[0]
        self.server.asked[reference] += 1
        if self.server.gone.wait(self.server.seconds):
            return
        body = json.dumps({"sid": reference, "status": self.server.said}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Nothing to be said on the terminal."""


@pytest.fixture
def servers():
    made = []

    def serve(code, **how):
        made.append(Hesitant(code, **how))
        return made[-1]

    yield serve
    for each in made:
        each.server_close()


def handed_over(world, server, count, *, status="UNCERTAIN", ago=timedelta(minutes=16)):
    """Contacts that a provider took a while ago."""
    made = []
    for _number in range(count):
        debtor = world.debtor()
        point = ContactPoint.objects.create(debtor=debtor, kind="PHONE", value=f"+51999{debtor.pk:06}", valid=True)
        contact = world.planned(debtor, channel="sms", point_id=point.pk)
        Contact.objects.filter(pk=contact.pk).update(
            status=status,
            reason="lost" if status == "UNCERTAIN" else "",
            handed_over_at=world.now - ago,
            sent_at=world.now - ago if status == "SENT" else None,
            provider=server.provider,
            provider_reference=f"SM{contact.pk}",
        )
        made.append(f"SM{contact.pk}")
    return made


def timed(work):
    began = time.monotonic()
    return work(), time.monotonic() - began


def test_slow_answers_are_waited_for_together(world, servers):
    slow = servers("lento", seconds=0.5)
    handed_over(world, slow, 12)
    figures, seconds = timed(lambda: resolve_uncertain(actor=acting("dispatch", now=world.now)))
    assert figures == {"sent": 0, "failed": 12, "uncertain": 0}
    assert seconds < 4, "one after another they take six"


def test_a_provider_that_hangs_holds_nobody_up_and_is_asked_again(world, servers):
    hanging, fine = servers("mudo", seconds=60), servers("bueno", said="delivered")
    handed_over(world, hanging, 30)
    handed_over(world, fine, 3)
    figures, seconds = timed(lambda: resolve_uncertain(actor=acting("dispatch", now=world.now)))
    assert figures == {"sent": 3, "failed": 0, "uncertain": 30}
    assert seconds < settling.WITHIN_SECONDS
    hanging.seconds = 0
    figures = resolve_uncertain(actor=acting("dispatch", now=world.now))
    assert figures == {"sent": 0, "failed": 30, "uncertain": 0}


def test_who_was_not_asked_in_time_is_asked_first_the_next_time(world, servers, monkeypatch):
    monkeypatch.setattr(asking, "AT_ONCE", 4)
    slow = servers("lento", seconds=0.5, said="")  # it cannot tell, so that all of them stay uncertain
    handed_over(world, slow, 20)
    for _round in range(3):
        figures, seconds = timed(lambda: resolve_uncertain(actor=acting("dispatch", now=world.now), within_seconds=3))
        assert figures == {"sent": 0, "failed": 0, "uncertain": 20}
        assert seconds < 4
    assert len(slow.asked) == 20
    assert max(slow.asked.values()) - min(slow.asked.values()) <= 1, "nobody is asked over and over while others wait"


def test_silent_messages_are_asked_about_together_and_later_when_time_ran_out(world, servers, monkeypatch):
    monkeypatch.setattr(asking, "AT_ONCE", 4)
    slow = servers("lento", seconds=0.5)
    handed_over(world, slow, 20, status="SENT")
    every = timedelta(minutes=10)
    found, seconds = timed(
        lambda: poll_unreported_contacts(actor=acting("provider", now=world.now), every=every, within_seconds=3)
    )
    assert 0 < found < 20
    assert seconds < 4
    later = world.now + every  # their age has been passed since
    assert found + poll_unreported_contacts(actor=acting("provider", now=later), every=every) == 20
