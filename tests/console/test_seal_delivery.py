"""The journal's seal leaves the house once a day; what fails is shown and tried again."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from recobra.compliance.seal_delivery import deliver_seal
from recobra.journal import operations, seal
from recobra.strategy.alarms import check_installation
from recobra.strategy.models import Alarm
from recobra.workbench.facts import VisitNoted
from tests.messaging.smtp_sink import Sink
from tests.people import acting


class _Listener(ThreadingHTTPServer):
    """Another system that takes seals, with the status that it answers."""

    def __init__(self):
        self.bodies = []
        self.status = 204
        super().__init__(("127.0.0.1", 0), _Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/seals"


class _Answer(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_words):
        """Say nothing."""


@pytest.fixture
def listener(settings):
    server = _Listener()
    settings.SEAL_WEBHOOK = server.url
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def sealed(db, now):
    noted = VisitNoted(visit_id=1, result="MET")
    operations.record_fact(noted, actor=acting("bruno", now=now), debtor_id=7)
    return seal.seal_journal(now=now)


def _deliver(now, **options):
    return deliver_seal(actor=acting("night", now=now), **options)


def test_the_seal_is_posted_once_a_day(listener, sealed, now):
    _deliver(now)
    _deliver(now + timedelta(minutes=10))
    assert [body["hash"] for body in listener.bodies] == [bytes(sealed.digest).hex()]
    _deliver(now + timedelta(days=1))
    assert len(listener.bodies) == 2


def test_what_failed_is_shown_raises_an_alarm_and_is_tried_again(listener, sealed, now, at_desk):
    listener.status = 503
    _deliver(now)
    (failed,) = _deliver(now + timedelta(minutes=10))
    assert (failed.attempts, failed.sent_at, failed.error) == (2, None, "La dirección respondió con 503.")
    assert "La dirección respondió con 503." in at_desk("hilda").get("/auditoria/").content.decode()
    hour_later = now + timedelta(hours=1)
    check_installation(actor=acting("system", now=hour_later))
    raised = Alarm.objects.filter(kind="undelivered_seal", cleared_at__isnull=True)
    assert raised.count() == 1
    listener.status = 200
    (sent,) = _deliver(hour_later)
    assert (sent.attempts, sent.sent_at, sent.error) == (3, hour_later, "")
    check_installation(actor=acting("system", now=hour_later))
    assert raised.count() == 0


def test_the_seal_is_mailed_to_each_address(settings, sealed, now):
    with Sink(faults={}) as sink:
        settings.SMTP_URL = sink.url
        settings.SEAL_MAIL = ["auditoria@empresa.example", "notaria@estudio.example"]
        (mail,) = _deliver(now)
        assert (mail.error, mail.sent_at) == ("", now)
        assert [bytes(sealed.digest).hex().encode() in each for each in sink.contents] == [True, True]


def test_without_a_way_out_the_screen_says_so(sealed, at_desk):
    page = at_desk("hilda").get("/auditoria/").content.decode()
    assert "Los sellos no salen de este equipo" in page
    assert bytes(sealed.digest).hex() in page
