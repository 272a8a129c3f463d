"""A file's first load opens its portfolio; a trial says the same and leaves nothing behind."""

from __future__ import annotations

import psycopg
import pytest

MAPPING = """
account: {external_id: cuenta}
debtor: {external_id: cliente, name: nombre}
instalment: {due_date: vence}
balance: saldo
portfolio:
  name: Consumo Sur
  industry: CONSUMER
  country: PE
  currency: PEN
  time_zone: America/Lima
  creditor: {code: SUR, name: Banco Sur}
"""
FILE = "cuenta;cliente;nombre;vence;saldo\n01;C1;Rosa Quispe;2026-10-01;1234,50\n02;C2;José Peña;2026-10-01;mucho\n"
TABLES = (
    "portfolio_creditor",
    "portfolio_portfolio",
    "portfolio_account",
    "intake_load",
    "intake_mapping",
    "strategy_strategyversion",
    "messaging_template",
    "journal_entry",
)


@pytest.fixture(scope="module")
def office(new_installation):
    return new_installation()


@pytest.fixture
def words(tmp_path):
    (tmp_path / "mapeo.yaml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "cartera.csv").write_text(FILE, encoding="utf-8")
    return ("intake", "load", tmp_path / "cartera.csv", "--portfolio", "SUR-1", "--mapping", tmp_path / "mapeo.yaml")


def stored(url):
    with psycopg.connect(url) as connection:
        return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES}


def test_a_trial_says_what_would_happen_and_leaves_nothing(recobra, office, url_of, words):
    before = stored(url_of(office))
    ended = recobra(*words, "--dry-run", "--json", at=office)
    assert ended.code == 0, ended.err
    told = ended.document
    assert (told["portfolio_opened"], told["accepted"], told["rejected"]) == ("would open", 1, 1)
    assert (told["load_id"], told["created"], told["amount_minor"]) == (None, 1, 123450)
    assert stored(url_of(office)) == before
    assert before["portfolio_portfolio"] == 0


def test_the_load_opens_the_portfolio_and_speaks_to_a_person(recobra, office, url_of, words):
    ended = recobra(*words, at=office)
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[:4] == [
        "Portfolio SUR-1: opened.",
        "Rows: 2; accepted 1, rejected 1.",
        "Accounts: 1 new, 0 changed, 0 unchanged, 0 gone; 0 payments inferred.",
        "Amount: 1,234.50 PEN.",
    ]
    assert lines[4].startswith("Line 3: saldo: expected ")
    assert lines[5].startswith("Rows to mend: ")
    assert "{" not in ended.out
    assert stored(url_of(office))["portfolio_account"] == 1
    assert recobra(*words, "--json", at=office).document["portfolio_opened"] == "no"


def test_thousands_of_new_customers_a_day_are_taken(recobra, office, words, tmp_path):
    """Each day two thousand more than the day before, none of them twice."""
    words = ["SUR-2" if word == "SUR-1" else word for word in words]
    head = FILE.partition("\n")[0]
    for day, customers in ((1, 2_000), (2, 4_000)):
        rows = [f"N{n:05};C{n:05};Cliente {n};2026-11-0{day};100,50" for n in range(customers)]
        (tmp_path / "cartera.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        ended = recobra(*words, "--as-of", f"2026-11-0{day}", "--json", at=office)
        assert ended.code == 0, ended.err
        told = ended.document
        assert (told["rows"], told["accepted"], told["rejected"]) == (customers, customers, 0)
        assert told["created"] == 2_000
