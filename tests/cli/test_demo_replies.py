"""The demonstration is lived in: its messages arrive, debtors answer, and a campaign waits to be launched."""

from __future__ import annotations

import psycopg
import pytest

from recobra.cli.demo_replies import SCENES

ACCOUNTS = 900


@pytest.fixture(scope="module")
def shown(new_house):
    return new_house()


@pytest.fixture(scope="module")
def first(recobra, shown):
    ended = recobra("demo", "--accounts", ACCOUNTS, "--no-serve", "--json", at=shown)
    assert ended.code == 0, ended.err
    return ended.document


@pytest.fixture
def asked(shown, first, url_of):
    """Give the answer of the demonstration's database to a question."""

    def ask(question):
        with psycopg.connect(url_of(shown)) as connection:
            return connection.execute(question).fetchall()

    return ask


def test_debtors_answer_and_are_answered(asked, first):
    told = asked("SELECT direction, count(*) FROM contact_conversationmessage GROUP BY direction ORDER BY direction")
    came_in, went_out = (count for _direction, count in told)
    assert came_in == first["answers"] == sum(map(len, SCENES))
    assert went_out > 0
    unsent = asked("SELECT count(*) FROM contact_contact WHERE conversation_id IS NOT NULL AND status <> 'SENT'")
    assert unsent == [(0,)]
    assert asked("SELECT count(*) FROM contact_conversation") == [(len(SCENES),)]


def test_what_they_say_has_its_consequences(asked):
    acts = asked("SELECT act FROM contact_consententry WHERE source = 'KEYWORD' ORDER BY act")
    assert acts == [("NOT_ME",), ("OPTED_OUT",)]
    holds = asked("SELECT reason FROM portfolio_hold ORDER BY reason")
    assert holds == [("DISPUTE",), ("PAYMENT_IN_PROCESS",), ("PROMISE",)]
    tasks = {kind for (kind,) in asked("SELECT DISTINCT kind FROM workbench_task WHERE created_by = 'bot'")}
    assert tasks == {"promise", "dispute", "payment", "conversation"}


def test_most_messages_arrive_and_some_are_read(asked, first):
    (delivered, read, bounced), *_none = asked(
        "SELECT count(delivered_at), count(read_at), count(undelivered_at) FROM contact_contact"
        " WHERE status = 'SENT' AND conversation_id IS NULL AND channel <> 'letter'"
    )
    assert first["sent"] * 0.8 < delivered < first["sent"]
    assert 0 < read < delivered
    assert 0 < bounced < first["sent"] * 0.05


def test_a_campaign_waits_to_be_launched(asked):
    assert asked("SELECT code, status, channels FROM strategy_campaign") == [
        ("recordatorio-whatsapp", "DRAFT", ["whatsapp"])
    ]
