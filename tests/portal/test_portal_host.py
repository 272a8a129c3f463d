"""The pages of debtors under a host name of their own: each name answers for its own pages alone."""

from __future__ import annotations

import runpy

import pytest
from django.conf import settings as installed

from recobra.consent.models import Silence
from recobra.messaging import tokens

PORTAL = "pagos.example"


@pytest.fixture
def apart(settings):
    settings.PORTAL_URL, settings.PORTAL_HOST = f"https://{PORTAL}", PORTAL
    settings.ALLOWED_HOSTS = ["testserver", PORTAL]


def status(client, path, host):
    return client.get(path, headers={"host": host}).status_code


@pytest.mark.usefixtures("apart")
def test_each_host_answers_for_its_own_pages(client, post):
    link = tokens.unsubscribe_url(post.sent(post.debtor("Otilia")).public_id)
    assert link.startswith("https://pagos.example/d/baja/")
    path = link.removeprefix("https://pagos.example")
    opened = client.get(path, headers={"host": PORTAL})
    assert opened.status_code == 200
    assert "Content-Security-Policy" in opened
    for console_page in ("/entrar/", "/", "/cartera/", "/api/webhooks/x/", "/healthz", "/metrics"):
        assert status(client, console_page, PORTAL) == 404, console_page
    assert status(client, "/robots.txt", PORTAL) == 200
    assert status(client, "/entrar/", "testserver") == 200


@pytest.mark.usefixtures("apart")
def test_links_of_before_lead_on_and_who_asks_for_silence_there_is_heard(client, post):
    path = tokens.unsubscribe_url(post.sent(post.debtor("Otilia")).public_id).removeprefix("https://pagos.example")
    moved = client.get(path, headers={"host": "testserver"})
    assert (moved.status_code, moved["Location"]) == (302, f"https://pagos.example{path}")
    # A mail program follows no way on (RFC 8058).
    posted = client.post(path, {"List-Unsubscribe": "One-Click"}, headers={"host": "testserver"})
    assert (posted.status_code, Silence.objects.count()) == (200, 1)


def test_with_one_name_alone_everything_is_there(client, settings):
    assert (settings.PORTAL_HOST, settings.PORTAL_URL) == ("", "")
    assert tokens.statement_url(7).startswith(f"{settings.PUBLIC_URL}/d/estado/")


@pytest.mark.parametrize("value", ["pagos.example", "https://pagos.example/d", "https://a@b", "https://LOCALHOST:9"])
def test_what_is_no_host_of_its_own_does_not_start(monkeypatch, value):
    monkeypatch.setenv("RECOBRA_PORTAL_URL", value)
    with pytest.raises(ValueError, match="RECOBRA_PORTAL_URL"):
        runpy.run_path(str(installed.BASE_DIR / "config" / "settings.py"))


def test_the_host_of_its_own_is_let_in(monkeypatch):
    monkeypatch.setenv("RECOBRA_PORTAL_URL", "https://pagos.example:8443/")
    read = runpy.run_path(str(installed.BASE_DIR / "config" / "settings.py"))
    assert read["PORTAL_HOST"] in read["ALLOWED_HOSTS"]
    assert read["CSRF_TRUSTED_ORIGINS"][-1] == "https://pagos.example:8443"
