"""The demonstration is whole, is found again, and its figures add up with its own files."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from recobra.cli import demo
from recobra.cli.answer import CommandRefused
from recobra.cli.demo_data import EXAMPLES, format_rut

ACCOUNTS = 120


@pytest.fixture(scope="module")
def shown(new_installation):
    return new_installation()


@pytest.fixture(scope="module")
def first(recobra, shown):
    ended = recobra("demo", "--accounts", ACCOUNTS, "--no-serve", "--no-dispatch", "--json", at=shown)
    assert ended.code == 0, ended.err
    return ended.document


def test_it_plays_a_lawful_morning_and_leaves_the_outbox_full(recobra, shown, first):
    assert (first["portfolios"], first["accounts"], first["rejected"]) == (3, ACCOUNTS, 2)
    assert first["contacts_planned"] > 0
    assert first["sent"] == 0
    assert demo._is_lawful(datetime.fromisoformat(first["now"]))


def test_the_second_start_finds_the_first(recobra, shown, first):
    again = recobra("demo", "--accounts", 5000, "--no-serve", "--json", at=shown)
    assert (again.code, again.document) == (0, first)


def test_what_was_planned_reaches_the_mailbox_once(recobra, shown, first, url_of):
    sent = recobra("dispatch", "--once", "--now", first["now"], "--json", at=shown).document
    assert (sent["sent"], sent["failed"], sent["uncertain"]) == (first["contacts_planned"], 0, 0)
    assert recobra("dispatch", "--once", "--now", first["now"], "--json", at=shown).document["leased"] == 0
    with psycopg.connect(url_of(shown)) as connection:
        kept = connection.execute("SELECT count(*), count(DISTINCT contact_public_id) FROM messaging_mailboxmessage")
        assert kept.fetchone() == (sent["sent"], sent["sent"])


def test_the_cycle_of_the_day_plans_nothing_twice(recobra, shown, first):
    cycle = recobra("cycle", "run", "--as-of", first["as_of"], "--yes", "--json", at=shown).document
    assert (cycle["contacts_planned"], cycle["tasks_created"], cycle["transitions"]) == (0, 0, 0)
    assert [step["name"] for step in cycle["steps"]] == [
        "freshness",
        "snapshot",
        "classify",
        "score",
        "decide",
        "commit",
        "campaigns",
        "measure",
    ]


def _owed(shown, first):
    """Return what the invoices' own file says: amounts by days late."""
    with (shown / "demo" / f"cl-facturas-{first['as_of']}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    as_of, late = date.fromisoformat(first["as_of"]), Counter()
    for row in rows:
        late[(as_of - datetime.strptime(row["vencimiento"], "%d-%m-%Y").replace(tzinfo=UTC).date()).days] += int(
            row["saldo"]
        )
    due = {row["factura"]: row["vencimiento"] for row in rows}
    for row in _paid(shown, first):
        day = datetime.strptime(due[row["cuenta"]], "%d-%m-%Y").replace(tzinfo=UTC).date()
        late[(as_of - day).days] -= int(row["monto"])
    return late


def _paid(shown, first):
    path = shown / "demo" / f"cl-facturas-{first['as_of']}-pagos.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def test_the_last_month_brought_money_in(shown, first, url_of):
    with psycopg.connect(url_of(shown)) as connection:
        rows = connection.execute(
            "SELECT o.code, count(*), sum(p.amount_minor), sum(p.unapplied_minor), min(p.paid_date), max(p.paid_date)"
            " FROM payments_payment p JOIN portfolio_portfolio o ON o.id = p.portfolio_id GROUP BY o.code"
        ).fetchall()
    assert sum(row[1] for row in rows) == first["payments"]
    assert sorted(row[0] for row in rows) == ["CL-FACTURAS", "CO-SERVICIOS", "PE-CONSUMO"]
    day = date.fromisoformat(first["as_of"])
    for code, _count, amount, unapplied, earliest, latest in rows:
        assert (amount > 0, unapplied) == (True, 0), code
        assert day - timedelta(days=30) <= earliest <= latest < day
    paid = {row[0]: row[2] for row in rows}
    assert paid["CL-FACTURAS"] == sum(int(row["monto"]) for row in _paid(shown, first))


def test_the_ageing_adds_up_with_the_file(recobra, shown, first):
    told = recobra(
        "report", "aging", "--as-of", first["as_of"], "--portfolio", "CL-FACTURAS", "--json", at=shown
    ).document
    late = _owed(shown, first)
    for row in told["rows"]:
        low = row["from_days"] if row["from_days"] is not None else -10_000
        high = row["to_days"] if row["to_days"] is not None else 10_000
        assert row["amount_minor"] == sum(amount for days, amount in late.items() if low <= days <= high)
    assert told["total_minor"] == sum(late.values())


def test_currencies_are_never_added_together(recobra, shown, first):
    told = recobra("report", "aging", "--as-of", first["as_of"], "--json", at=shown).document
    assert told["total_minor"] is None
    assert set(told["totals"]) == {"PEN", "COP", "CLP"}


def test_a_payment_file_counts_once(recobra, shown, first, tmp_path):
    day = date.fromisoformat(first["as_of"])
    (tmp_path / "pagos.csv").write_text(f"cuenta,monto,fecha,referencia\nF00000001,1000,{day},OP-1\n", encoding="utf-8")
    words = ("payments", "load", tmp_path / "pagos.csv", "--portfolio", "CL-FACTURAS", "--json")
    before = recobra("report", "aging", "--portfolio", "CL-FACTURAS", "--json", at=shown).document["total_minor"]
    assert recobra(*words, at=shown).document["accepted"] == 1
    assert recobra(*words, at=shown).document["accepted"] == 0
    after = recobra("report", "aging", "--portfolio", "CL-FACTURAS", "--json", at=shown).document["total_minor"]
    assert before - after == 1000


def test_rejected_rows_come_out_to_be_mended(recobra, shown, first, tmp_path):
    ended = recobra("intake", "errors", 1, "--output", tmp_path / "errores.csv", "--json", at=shown)
    assert ended.document["rows"] == 2
    text = (tmp_path / "errores.csv").read_text(encoding="utf-8-sig")
    assert "30/02/2026" in text
    assert "ciento" in text
    assert recobra("intake", "errors", 999, at=shown).reason == "recobra: There is no load 999."


def test_the_journal_of_the_day_is_sealed_and_whole(recobra, shown, first):
    told = recobra("journal", "verify", "--json", at=shown).document
    assert (told["ok"], told["first_altered"]) == (True, None)
    assert told["rows"] > first["contacts_planned"]


def test_a_company_at_work_is_never_mixed_with_a_demonstration(recobra, new_installation, url_of):
    folder = new_installation()
    with psycopg.connect(url_of(folder), autocommit=True) as connection:
        connection.execute("INSERT INTO portfolio_creditor VALUES (1, 'SUR', 'Banco Sur', '', '', '')")
        connection.execute(
            "INSERT INTO portfolio_portfolio"
            " (id, code, name, industry, country, currency, time_zone, attributes, creditor_id)"
            " VALUES (1, 'REAL', 'Real', 'CONSUMER', 'PE', 'PEN', 'America/Lima', '{}', 1)"
        )
    ended = recobra("demo", "--no-serve", at=folder)
    assert (ended.code, "holds the portfolio REAL" in ended.reason) == (1, True)


@pytest.mark.parametrize(
    ("now", "played"),
    [
        # Sunday: the law of all three is silent on Saturday afternoon; the last common morning is Friday's.
        (datetime(2026, 11, 22, 20, tzinfo=UTC), date(2026, 11, 20)),
        (datetime(2026, 11, 24, 3, tzinfo=UTC), date(2026, 11, 23)),
        # Half past nine in Santiago, half past seven on Easter Island.
        (datetime(2026, 11, 24, 12, 30, tzinfo=UTC), date(2026, 11, 23)),
    ],
)
def test_outside_lawful_hours_the_latest_lawful_morning_is_played(now, played):
    assert demo._choose_instant(None, now).date() == played


def test_in_lawful_hours_the_present_is_played():
    now = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
    assert demo._choose_instant(None, now) == now


def test_the_day_that_is_asked_for_is_played():
    assert demo._choose_instant(date(2026, 11, 22), datetime(2026, 11, 24, tzinfo=UTC)) == datetime(
        2026, 11, 22, 15, tzinfo=UTC
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.strategy)
def test_the_files_are_the_same_everywhere_and_move_with_the_day(example, tmp_path):
    day = date(2026, 11, 20)
    once = example.write(tmp_path, as_of=day, accounts=30).read_text(encoding="utf-8")
    assert example.write(tmp_path, as_of=day, accounts=30).read_text(encoding="utf-8") == once
    assert example.write(tmp_path, as_of=day + timedelta(days=1), accounts=30).read_text(encoding="utf-8") != once
    assert "@example.com" in once


def test_a_rut_has_its_check_digit():
    assert [format_rut(number) for number in (76_000_043, 12_345_678, 6)] == ["76000043-4", "12345678-5", "6-K"]


def test_a_day_that_has_not_come_is_refused_and_the_shown_one_can_be_taken_back(recobra, shown, first):
    far = recobra("cycle", "run", "--as-of", "2036-01-01", "--yes", at=shown)
    assert (far.code, "has not come" in far.reason) == (1, True)
    with pytest.raises(CommandRefused, match="has not come"):
        demo._choose_instant(date(2036, 1, 1), datetime.fromisoformat(first["now"]))
    asked = recobra("cycle", "take-back", "--as-of", first["as_of"], at=shown)
    assert (asked.code, "--yes" in asked.reason, f"{first['as_of']} is taken back" in asked.reason) == (1, True, True)
    taken = recobra("cycle", "take-back", "--as-of", first["as_of"], "--yes", "--json", at=shown).document
    assert taken["states"] > 0
    planned = recobra("cycle", "run", "--as-of", first["as_of"], "--yes", "--json", at=shown).document
    assert planned["transitions"] == 0
    assert recobra("journal", "verify", "--json", at=shown).document["ok"]
