"""Links lead to where the installation is reached, and nothing leaves while they would lead nowhere."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import default as policy

import psycopg
import pytest

HTML = "text/html"
OUTSIDE = {"RECOBRA_SMTP_URL": "smtp://mail.example.com:25"}
REACHED = {"RECOBRA_MAIL_FROM": "cobranzas@example.com", "RECOBRA_PUBLIC_URL": "https://pagos.example.com"}


@pytest.mark.parametrize("missing", sorted(REACHED))
def test_nothing_is_sent_with_an_address_of_this_machine(recobra, missing):
    given = {name: value for name, value in REACHED.items() if name != missing}
    ended = recobra("dispatch", "--once", **OUTSIDE, **given)
    assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert missing in ended.reason


def test_a_finished_installation_and_a_relay_on_this_machine_may_send(recobra):
    assert recobra("dispatch", "--once", **OUTSIDE, **REACHED).code == 0
    assert recobra("dispatch", "--once", RECOBRA_SMTP_URL="smtp://127.0.0.1:25").code == 0


def test_links_of_a_demonstration_lead_to_its_port(recobra, new_house, url_of):
    folder = new_house()
    ended = recobra("demo", "--accounts", 40, "--no-serve", "--port", 8123, "--json", at=folder)
    assert ended.document["sent"] > 0, ended.err
    with psycopg.connect(url_of(folder)) as connection:
        rows = connection.execute("SELECT raw FROM contact_mailboxmessage").fetchall()
    letters = [message_from_bytes(raw, policy=policy) for (raw,) in rows]
    texts = [part.get_content() for letter in letters for part in letter.walk() if part.get_content_type() == HTML]
    links = [link for text in texts for link in re.findall(r"http://localhost:?\d*", text)]
    marked = [letter for letter in letters if letter.get_body(preferencelist=("html",))]
    assert len(links) >= len(marked) > 0
    assert set(links) == {"http://localhost:8123"}


def test_commands_speak_english_unless_spanish_is_asked_for(recobra, tmp_path):
    words = ("payments", "load", tmp_path / "no.csv", "--portfolio", "NADIE")
    assert "There is no portfolio «NADIE»." in recobra(*words).reason
    assert "No existe" in recobra(*words, RECOBRA_LANGUAGE="es").reason
    assert "en or es was expected" in recobra(*words, RECOBRA_LANGUAGE="fr").reason
