"""What a monitor reads: figures without anybody's data, and only with the token."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from recobra.approvals.models import Approval
from recobra.kit import clock

TOKEN = "una-clave-del-monitor"
pytestmark = pytest.mark.django_db


@pytest.fixture
def read(settings):
    """Give the figures by name, as Prometheus reads them."""
    settings.METRICS_TOKEN = TOKEN

    def fetch():
        answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        return dict(re.findall(r"^(recobra_\w+(?:\{[^}]*\})?) (\S+)$", answer.content.decode(), re.MULTILINE))

    return fetch


def test_an_installation_tells_its_backlog_its_room_and_its_jobs(read):
    figures = read()
    assert float(figures["recobra_contacts_due"]) == 0
    assert float(figures["recobra_disk_free_bytes"]) > 0
    assert float(figures["recobra_database_bytes"]) > 1_000_000
    assert float(figures['recobra_jobs{state="failed"}']) == 0
    assert "recobra_last_cycle_timestamp_seconds" not in figures, "there was none yet"


def test_what_waits_is_counted(read):
    Approval.objects.create(kind="template", subject="1", author="carla", asked_at=clock.now(), asked_by="carla")
    assert float(read()["recobra_approvals_waiting"]) == 1


def test_requests_are_counted_by_route_and_not_by_address(read):
    Client().get("/d/estado/una-clave-de-alguien")
    figures = read()
    routes = [name for name in figures if name.startswith("recobra_http_requests_total")]
    assert any('route="portal:' in name for name in routes)
    assert not any("clave" in name for name in figures)


def test_an_invented_method_makes_no_figure_of_its_own(read):
    Client().generic("QUIEN-SOY", "/entrar/")
    figures = read()
    assert not any("QUIEN" in name for name in figures)
    assert any('method="OTHER"' in name for name in figures)


def test_trace_is_refused():
    for address in ("/entrar/", "/d/baja/x", "/metrics"):
        assert Client().trace(address).status_code in {404, 405}


@pytest.mark.parametrize(
    ("configured", "sent"), [("", ""), ("", "Bearer "), (TOKEN, ""), (TOKEN, "Bearer otra"), (TOKEN, f"Basic {TOKEN}")]
)
def test_without_its_token_there_is_no_such_page(settings, configured, sent):
    settings.METRICS_TOKEN = configured
    answer = Client().get("/metrics", headers={"Authorization": sent})
    assert (answer.status_code, answer.content) == (404, b"")
