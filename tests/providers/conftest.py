"""A message to send and a provider to send it by."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.utils import translation

from recobra.messaging.channels import http
from recobra.messaging.channels.base import Message

from .mocks import Mocks
from .peer import HANG, open_peer

PUBLIC_ID = UUID("6c0a3a52-1f0e-4d52-9a52-0d8f3a9b1c77")


@pytest.fixture
def short_patience(monkeypatch):
    """A provider that hangs is given up after a moment."""
    monkeypatch.setattr(http, "TOTAL_SECONDS", 0.4)


@pytest.fixture(autouse=True)
def _in_english():
    """The tests read sentences in the language of the source."""
    with translation.override("en"):
        yield


@pytest.fixture
def message():
    """Build the message that Banco Sur sends to a number in Lima; a test says what it changes."""

    def build(**changes):
        fields = {
            "public_id": PUBLIC_ID,
            "address": "+51987654321",
            "subject": "Banco Sur: su cuota",
            "text": "Hola José, de Banco Sur: su cuota de S/ 120 venció ayer. ¿Pagó? Responda SÍ.",
            "html": "<p>Hola José</p>",
            "date": datetime(2026, 11, 23, 15, 0, tzinfo=UTC),
            "channel": "sms",
            "country": "PE",
            "on_behalf_of": "Banco Sur",
            "name": "José Pérez",
        }
        return Message(**{**fields, **changes})

    return build


@pytest.fixture
def send_message(request):
    """Send a message by an adapter to a peer that gives these answers; return the outcome and the peer's requests."""

    def send(adapter, config, message, *answers):
        if HANG in answers:
            request.getfixturevalue("short_patience")

        async def run():
            async with open_peer(*answers) as peer, adapter.open_sender(config(peer.url)) as sender:
                return await sender.send(message), peer.requests

        return asyncio.run(run())

    return send


@pytest.fixture(scope="session")
def mock_servers(tmp_path_factory):
    """Give the server of a provider's document, one process for all tests of a run."""
    mocks = Mocks(tmp_path_factory.mktemp("prism"))
    yield mocks.__getitem__
    mocks.stop()


@pytest.fixture
def mock(mock_servers):
    """Serve a provider's document; whatever this test asks against it fails the test."""
    before: dict[str, int] = {}

    def serve(name):
        before.setdefault(name, len(mock_servers(name).violations))
        return mock_servers(name)

    yield serve
    for name, count in before.items():
        assert mock_servers(name).violations[count:] == [], f"{name}: asked against the document"
