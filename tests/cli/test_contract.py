"""What every command promises: one JSON object on standard output, exit codes 0, 1 and 2, one line that says why."""

from __future__ import annotations

import csv
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from recobra.cli.main import main
from recobra.kit import clock


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("cobrar",),
        ("cycle",),
        ("cycle", "run", "--as-of", "22/11/2026"),
        ("demo", "--accounts", "0"),
        ("dispatch", "--now", "2026-11-23T15:00:00Z"),
        ("dispatch", "--once", "--now", "mañana"),
        ("serve", "--port", "99999"),
        ("intake", "load", "cartera.csv"),
        ("intake", "errors", "uno"),
        ("payments", "load", "pagos.csv", "--portfolio", "X", "--format", "fax"),
        ("contact", "check", "--batch", "a.csv", "--output", "b.csv", "--profile", "lax"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert "usage: recobra" in said.err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("intake", "load", "a.csv", "--portfolio", "X", "--mapping", "no.yaml"), "The mapping no.yaml cannot be read"),
        (("db", "restore", "no.dump"), "There is no file no.dump"),
        (("contact", "check", "--batch", "no.csv", "--output", "out.csv"), "no.csv cannot be read"),
        (("report", "aging", "--portfolio", "NADIE"), "There is no portfolio «NADIE»; there are: none yet."),
        (("payments", "load", "no.csv", "--portfolio", "NADIE"), "NADIE"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_refusal_ends_with_1_and_one_line(recobra, words, reason):
    ended = recobra(*words, "--json")
    assert (ended.code, ended.out) == (1, "")
    assert ended.reason.startswith("recobra: ")
    assert reason in ended.reason


def test_another_database_than_postgresql_is_refused_by_name(recobra):
    ended = recobra("db", "status", RECOBRA_DATABASE_URL="mysql://root@localhost/cobranzas")
    assert ended.code == 1
    assert ended.err.count("\n") == 1
    assert "mysql" in ended.err
    assert "PostgreSQL 15" in ended.err


def test_a_company_database_that_is_behind_is_left_to_its_administrators(recobra, empty_database_url):
    url = empty_database_url
    ended = recobra("journal", "verify", RECOBRA_DATABASE_URL=url)
    assert (ended.code, "run «recobra db migrate» first" in ended.reason) == (1, True)
    assert recobra("db", "migrate").code == 0
    assert recobra("journal", "verify").code == 0


@pytest.mark.long
def test_a_company_database_that_was_behind_is_used_once_it_is_migrated(recobra, empty_database_url):
    url = empty_database_url
    assert recobra("db", "migrate", RECOBRA_DATABASE_URL=url).code == 0
    assert recobra("journal", "verify", RECOBRA_DATABASE_URL=url).code == 0


@pytest.mark.parametrize("words", [("--json", "db", "status"), ("db", "--json", "status"), ("db", "status", "--json")])
def test_json_may_be_asked_for_anywhere(recobra, words):
    document = recobra(*words).document
    assert (document["database"], document["pending"]) == ("RECOBRA_DATABASE_URL", [])


def test_without_json_a_person_reads_lines(recobra):
    ended = recobra("db", "status")
    assert ended.code == 0
    assert "database: RECOBRA_DATABASE_URL" in ended.out.splitlines()


def test_a_failure_tells_its_place_to_who_asks(recobra_process):
    ended = recobra_process("report", "aging", "--portfolio", "NADIE", RECOBRA_DEBUG="1")
    assert ended.code == 1
    assert "Traceback" in ended.err


@pytest.mark.parametrize("count", ["0", "17", "dos", "-1", ""])
def test_a_number_of_dispatchers_that_cannot_be_is_refused(recobra, count):
    ended = recobra("report", "aging", RECOBRA_DISPATCHERS=count)
    assert (ended.code, ended.reason) == (
        1,
        f"recobra: RECOBRA_DISPATCHERS is «{count}»; a whole number from 1 to 16 was expected.",
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("RECOBRA_CYCLE_TIME", "25:00", "a time such as 05:00"),
        ("RECOBRA_CYCLE_TIME", "05:00+01:00", "a time such as 05:00"),
        ("RECOBRA_CYCLE_TIME_ZONE", "America", "a time zone such as America/Lima"),
    ],
)
def test_an_hour_of_the_cycle_that_cannot_be_is_refused_by_its_name(recobra, name, value, expected):
    ended = recobra("report", "aging", **{name: value})
    assert (ended.code, ended.reason) == (1, f"recobra: {name} is «{value}»; {expected} was expected.")


def test_nobody_shifts_the_clock_of_an_installation(recobra, new_installation):
    installation = new_installation()
    # The mark of a bench alone is not enough: this one works on a database that was named.
    for marked in (None, "61", "60"):
        if marked:
            clock.shift_marker(installation).write_text(marked)
        ended = recobra("report", "aging", at=installation, RECOBRA_BENCH_CLOCK="60", RECOBRA_DEMO="1")
        assert ended.code == 1
        assert ended.reason.startswith("recobra: RECOBRA_BENCH_CLOCK shifts the clock; only «recobra bench --night»")


def test_an_empty_house_owes_nothing(recobra, tmp_path):
    document = recobra("report", "aging", "--as-of", "2026-11-23", "--json").document
    assert (document["rows"], document["total_minor"]) == ([], 0)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue"])  # 25 hours apart: never the same day
def test_the_ageing_is_of_the_installations_own_day(recobra, zone):
    days = {datetime.now(ZoneInfo(zone)).date().isoformat()}
    document = recobra("report", "aging", "--json", RECOBRA_CYCLE_TIME_ZONE=zone).document
    days.add(datetime.now(ZoneInfo(zone)).date().isoformat())
    assert document["as_of"] in days


@pytest.fixture
def batch(tmp_path):
    path = tmp_path / "contactos.csv"
    path.write_text(
        "country,time_zone,channel,local_datetime,prior_contacts,nota\n"
        "PE,America/Lima,call,2026-07-06T20:00,,tarde\n"
        "PE,America/Lima,call,2026-07-06T10:00,,mañana\n"
        "XX,America/Lima,call,2026-07-06T10:00,,país desconocido\n",
        encoding="utf-8",
    )
    return path


def test_the_gate_judges_a_written_list(recobra, batch, tmp_path):
    ended = recobra(
        "contact", "check", "--batch", batch, "--output", tmp_path / "out.csv", "--profile", "strict", "--json"
    )
    assert (ended.code, ended.document["rows"], ended.document["allowed"]) == (0, 3, 1)
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["allowed"] for row in rows] == ["no", "yes", "no"]
    assert [row["nota"] for row in rows] == ["tarde", "mañana", "país desconocido"]
    assert "29571" in rows[0]["source"]


def test_a_list_without_the_columns_is_refused(recobra, tmp_path):
    (tmp_path / "in.csv").write_text("pais,canal\nPE,call\n")
    ended = recobra("contact", "check", "--batch", tmp_path / "in.csv", "--output", tmp_path / "out.csv")
    assert ended.code == 1
    assert "columns" in ended.reason
    assert not (tmp_path / "out.csv").exists()


def test_the_schema_of_a_document_is_printed_for_an_editor(recobra):
    told = recobra("schema", "strategy", "--json")
    assert (told.code, told.document["properties"]["steps"]["type"]) == (0, "array")
    refused = recobra("schema", "estrategia")
    assert (refused.code, refused.reason) == (
        1,
        "recobra: There is no document «estrategia»; there are: company-rules, gateway, law, mapping, payment-mapping, strategy, templates.",
    )
