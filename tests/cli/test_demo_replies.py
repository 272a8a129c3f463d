"""The demonstration is lived in: its messages arrive, debtors answer, and a campaign waits to be launched."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import default as policy

import psycopg
import pytest

from recobra.cli.demo_replies import SCENES
from recobra.messaging.models import MailboxMessage

# A demonstration of its own, lived in for a day; `test_demo.py` begins one in each run.
pytestmark = pytest.mark.long
ACCOUNTS = 900
HTML = "text/html"


@pytest.fixture(scope="module")
def shown(new_installation):
    return new_installation(own_server=True)


@pytest.fixture(scope="module")
def first(recobra_process, shown):
    """The first start in an empty directory, as a person makes it: nothing is there yet, not even tables."""
    ended = recobra_process("demo", "--accounts", ACCOUNTS, "--no-serve", "--port", 8123, "--json", at=shown)
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
    told = asked(
        "SELECT direction, count(*) FROM conversations_conversationmessage GROUP BY direction ORDER BY direction"
    )
    came_in, went_out = (count for _direction, count in told)
    assert came_in == first["answers"] == sum(map(len, SCENES))
    assert went_out > 0
    unsent = asked("SELECT count(*) FROM messaging_contact WHERE conversation_id IS NOT NULL AND status <> 'SENT'")
    assert unsent == [(0,)]
    assert asked("SELECT count(*) FROM conversations_conversation") == [(len(SCENES),)]


def test_what_they_say_has_its_consequences(asked):
    acts = asked("SELECT act FROM consent_consententry WHERE source = 'KEYWORD' ORDER BY act")
    assert acts == [("NOT_ME",), ("OPTED_OUT",)]
    holds = asked("SELECT reason FROM portfolio_hold ORDER BY reason")
    assert holds == [("DISPUTE",), ("PAYMENT_IN_PROCESS",), ("PROMISE",)]
    tasks = {kind for (kind,) in asked("SELECT DISTINCT kind FROM workbench_task WHERE created_by = 'bot'")}
    assert tasks == {"promise", "dispute", "payment", "conversation"}


def test_most_messages_arrive_and_some_are_read(asked, first):
    (delivered, read, bounced), *_none = asked(
        "SELECT count(delivered_at), count(read_at), count(undelivered_at) FROM messaging_contact"
        " WHERE status = 'SENT' AND conversation_id IS NULL AND channel <> 'letter'"
    )
    assert first["sent"] * 0.8 < delivered < first["sent"]
    assert 0 < read < delivered
    assert 0 < bounced < first["sent"] * 0.05


def test_a_campaign_waits_to_be_launched(asked):
    assert asked("SELECT code, status, channels FROM strategy_campaign") == [
        ("recordatorio-whatsapp", "DRAFT", ["whatsapp"])
    ]


def test_links_of_a_demonstration_lead_to_its_port(asked, first, shown, monkeypatch):
    assert first["sent"] > 0
    monkeypatch.setenv("RECOBRA_KEYS_DIR", str(shown))
    raw = MailboxMessage._meta.get_field("raw")
    stored = asked("SELECT raw, contact_public_id FROM messaging_mailboxmessage")
    letters = [message_from_bytes(raw.open(value.decode(), row=row), policy=policy) for value, row in stored]
    texts = [part.get_content() for letter in letters for part in letter.walk() if part.get_content_type() == HTML]
    links = [link for text in texts for link in re.findall(r"http://localhost:?\d*", text)]
    marked = [letter for letter in letters if letter.get_body(preferencelist=("html",))]
    assert len(links) >= len(marked) > 0
    assert set(links) == {"http://localhost:8123"}


def test_the_first_start_brought_the_tables_of_its_own_database_up_to_date(recobra, shown, first):
    told = recobra("db", "status", "--json", at=shown).document
    assert (told["database"], told["pending"]) == ("embedded", [])
