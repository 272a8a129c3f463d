"""The bench measures what it says it measures, on a database of its own."""

from __future__ import annotations

import csv
from datetime import date

import psycopg
import pytest

from recobra.cli.bench import FIRST_DAY, data, night

DAY = date(2026, 11, 23)
KEYS = {
    "accounts",
    "raw_floor_s",
    "storing_floor_s",
    "storing_floor_unchecked_s",
    "load_s",
    "cycle_s",
    "second_load_s",
    "second_cycle_s",
    "redecide_idle_ms",
    "redecide_idle_postgres_ms",
    "redecide_idle_duckdb_ms",
    "redecide_idle_rest_ms",
    "redecide_due_ms",
    "redecide_due_postgres_ms",
    "redecide_due_duckdb_ms",
    "redecide_due_rest_ms",
    "peak_rss_mb",
    "ratio_first",
    "ratio_first_unchecked",
    "ratio_second",
    "bytes_per_account",
}


def _rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return {row["cuenta"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    first = data.write_day_file(folder / "1.csv", accounts=10_000, first_day=DAY)
    return _rows(first), _rows(data.write_day_file(folder / "2.csv", accounts=10_000, first_day=DAY, later=True))


def test_there_are_half_as_many_debtors_as_accounts(days):
    first, _second = days
    assert (len(first), len({row["cliente"] for row in first.values()})) == (10_000, 5_000)


def test_the_later_day_differs_in_five_of_a_hundred(days):
    first, second = days
    gone = len(first.keys() - second.keys())
    changed = sum(first[key] != second[key] for key in first.keys() & second.keys())
    assert (gone + changed) / len(first) == pytest.approx(0.05, abs=0.01)
    assert second.keys() - first.keys()


def test_a_debtor_is_told_alike_in_every_row(days):
    first, _second = days
    contact = ("nombre", "dni", "celular", "telefono", "correo", "direccion", "postal")
    told = {(row["cliente"], *(row[name] for name in contact)) for row in first.values()}
    assert len(told) == 5_000


@pytest.mark.long
def test_the_bench_prints_its_figures_and_leaves_nothing(recobra, new_installation, url_of):
    installation = new_installation()
    ended = recobra("bench", "--accounts", 400, "--json", at=installation)
    assert ended.code == 0, ended.err
    figures = ended.document
    assert set(figures) == KEYS
    assert figures["accounts"] == 400
    assert figures.pop("bytes_per_account")["all"]["heap"] > 0
    assert all(value >= 0 for value in figures.values())
    assert figures["load_s"] > 0
    assert figures["peak_rss_mb"] > 50
    assert list(installation.iterdir()) == []
    with psycopg.connect(url_of(installation)) as connection:
        assert connection.execute("SELECT count(*) FROM portfolio_portfolio").fetchone() == (0,)


def test_each_customer_of_the_night_owes_and_all_of_it_is_late(tmp_path):
    path = night.write_invoices(tmp_path / "cartera.csv", lines=500, customers=60, day=FIRST_DAY)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["factura"] for row in rows}) == 500
    assert len({row["cliente"] for row in rows}) == len({row["correo"] for row in rows}) == 60
    late_days = [(FIRST_DAY.date() - date.fromisoformat(row["vence"])).days for row in rows]
    assert 30 <= min(late_days) <= max(late_days) <= 180


@pytest.mark.long
def test_a_night_is_played_both_ways_and_leaves_nothing(recobra, new_installation):
    installation = new_installation()
    ended = recobra("bench", "--night", "--lines", 600, "--customers", 100, "--json", at=installation)
    assert ended.code == 0, ended.err
    figures = ended.document
    assert (figures["messages"], figures["served_messages"]) == (100, 100)
    assert (figures["items"], figures["served_items"]) == (600, 600)
    assert (figures["duplicates"], figures["missing"]) == (0, 0)
    assert 0 < figures["served_wait_s"] < figures["served_night_s"]
    assert figures["night_s"] == pytest.approx(figures["cycle_s"] + figures["dispatch_s"])
    assert list(installation.iterdir()) == []
