"""What a file says twice, what is worth a look in it, what becomes of its money, and where each debt comes from."""

from datetime import date

from django.db import transaction

from recobra.intake import operations, queries
from recobra.intake.models import Load, LoadWarning
from recobra.intake.operations.retention import delete_rejected_rows
from recobra.portfolio.models import Account, Instalment, Posting
from tests import extent
from tests.people import acting

from .conftest import SHORT

RICH = SHORT | {
    "debtor": {"external_id": "cliente", "national_id": "dni", "subdivision": "estado"},
    "instalment": {"due_date": "vence", "issue_date": "emision", "amount": "importe"},
    "phones": ["telefono"],
    "attributes": {"score": {"column": "score", "type": "number"}},
}
HEAD = "cuenta;cliente;dni;estado;emision;vence;importe;saldo;telefono;score"
WARNED = f"""{HEAD}
A;K1;45678901;LIM;2026-09-01;2026-10-01;10,50;10,50;987654321;7
B;K2;45678902;CUS;2026-10-02;2026-10-01;10,50;10,50;987654322;7
C;K3;11111111;LIM;2026-09-01;;10,50;10,60;;mucho
D;K4;4567890;LIM;2026-09-01;2046-10-01;diez;0;987654324;7
"""


def _warned(result):
    return {each["code"]: each["lines"] for each in result["warnings"]}


def test_identical_lines_are_taken_once_and_differing_ones_refused(load):
    rows = ["A;01/10/2026;10,50;1", "B;01/10/2026;1,00;2", "A;01/10/2026;10,50;1", "B;01/10/2026;1,00;3", "C;;5;9"]
    result = load("\n".join(["cuenta;vence;saldo;nota", *rows, "C;;5;9", "C;;5;9"]) + "\n", mapping=SHORT)
    assert {name: result[name] for name in ("rows", "accepted", "rejected", "set_aside", "amount_minor")} == {
        "rows": 7,
        "accepted": 2,
        "rejected": 2,
        "set_aside": 3,
        "amount_minor": 1_550,
    }
    # The note is in no mapping: two invoices may differ in it alone.
    assert [(row["line"], row["errors"][0]["params"]["lines"]) for row in result["errors"]] == [
        (3, "3, 5"),
        (5, "3, 5"),
    ]
    assert result["aside"] == [{"code": "repeated", "rows": 3, "lines": [4, 7, 8], "amounts": {"PEN": "20.50"}}]
    assert set(Account.objects.values_list("external_id", flat=True)) == {"A", "C"}


def test_what_is_worth_a_look_is_told_by_line_and_costs_no_debt(load, now):
    result = load(WARNED, mapping=RICH)
    assert (result["accepted"], result["rejected"]) == (4, 0)
    assert {code: lines for code, lines in _warned(result).items() if code != "not_a_number"} == {
        "balance_above_amount": [4],
        "day_far": [5],
        "due_before_issue": [3],
        "invalid_id": [5],
        "no_contact_point": [4],
        "no_due_date": [4],
        "nothing_owed": [5],
        "stand_in_id": [4],
    }
    by_column = {(each["code"], each["column"]): each["lines"] for each in result["warnings"]}
    assert by_column["not_a_number", "score"] == [4]
    assert by_column["not_a_number", "importe"] == [5]
    assert Account.objects.get(external_id="C").attributes == {"score": None}
    shares = {"accepted": 1.0, "contact": 0.75, "identity": 0.5, "due_date": 0.75, "coherence": 0.25}
    assert result["quality"] == {"score": 65, "parts": shares}
    kept = Load.objects.get()
    head, *lines = queries.warning_lines(kept)
    assert (len(head), len(lines)) == (3, sum(each["rows"] for each in result["warnings"]))
    delete_rejected_rows(until=now.replace(year=now.year + 1))
    assert not LoadWarning.objects.exists()


def test_rows_that_did_not_change_keep_their_warnings_and_their_source(load):
    first = load(WARNED, mapping=RICH)
    changed = WARNED.replace("10,60", "10,55").replace("A;K1", "N;K9;45678909;LIM;2026-09-01;;1;1;;\nA;K1")
    second = load(changed, mapping=RICH, as_of=date(2026, 11, 24))
    assert (second["unchanged"], second["updated"], second["created"]) == (3, 1, 1)
    assert _warned(second)["due_before_issue"] == [4]
    assert _warned(second)["no_due_date"] == [2, 5]
    sources = dict(Instalment.objects.values_list("account__external_id", "load_id"))
    ids = (first["load_id"], second["load_id"])
    assert sources == {"A": ids[0], "B": ids[0], "D": ids[0], "C": ids[1], "N": ids[1]}
    lines = dict(Instalment.objects.values_list("account__external_id", "line"))
    assert lines == {"A": 2, "B": 3, "D": 5, "C": 5, "N": 2}
    mended = f"{HEAD}\nB;K2;45678902;LIM;2026-09-01;2026-10-01;10,50;10,50;987654322;7\n"
    part = load(mended, mapping=RICH, as_of=date(2026, 11, 24), partial=True)
    assert "due_before_issue" not in _warned(part)
    again = load(changed, mapping=RICH, as_of=date(2026, 11, 25))
    assert _warned(again)["no_due_date"] == [2, 5]


ROWS = [f"C{n};2026-10-01;100;PEN" for n in range(20)]


HIDING = {
    "another currency": ([*ROWS[:-1], "C19;2026-10-01;100;USD"], {}, ["other_currency"]),
    "another currency, set aside": (
        [*ROWS[:-1], "C19;2026-10-01;100;USD"],
        {"other_currencies": "set_aside"},
        ["other_currency"],
    ),
    "another currency within the limit": ([*ROWS[:-1], "C19;2026-10-01;100;USD"], {"aside_limit": 0.06}, []),
    "many doubles": ([*ROWS[:15], *ROWS[:4], "C4;2026-10-01;7;PEN"], {}, ["doubles"]),
    "few doubles": ([*ROWS[:18], ROWS[0], "C1;2026-10-01;7;PEN"], {}, []),
    "much less money": ([row.replace(";100;", ";40;") for row in ROWS], {}, ["less_money"]),
    "less money": ([row.replace(";100;", ";60;") for row in ROWS], {}, []),
    "fewer rows": (ROWS[:8], {}, ["shrunk", "less_money"]),
    # A share of few rows says nothing.
    "few rows": (["C0;2026-10-01;100;USD", *ROWS[1:3]], {"shrink_limit": 1}, []),
}


# Which of them are tried first: day by day one that waits and one that does not.
TRIED = extent.choose(daily=["another currency", "less money"], whole=list(HIDING))


def test_a_load_that_would_hide_money_waits_with_its_figures(load):
    """One portfolio answers for every file; each finds it as it was."""
    head, mapping = "cuenta;vence;saldo;moneda", SHORT | {"currency": "moneda", "options": {"decimal": "point"}}
    load("\n".join([head, *ROWS]) + "\n", mapping=mapping)
    for name, (rows, options, codes) in HIDING.items():
        given = mapping | {"options": {"decimal": "point", **options}}
        file = "\n".join([head, *rows]) + "\n"
        with transaction.atomic():
            if name in TRIED:
                result = load(file, mapping=given, as_of=date(2026, 11, 24), dry_run=True)
                assert result["held"] is bool(codes), name
            held = load(file, mapping=given, as_of=date(2026, 11, 24))
            reasons = Load.objects.get(pk=held["load_id"]).figures.get("held", [])
            assert [reason["code"] for reason in reasons] == codes, name
            if codes == ["other_currency"]:
                assert "USD 100" in held["reason"], name
            transaction.set_rollback(True)


def test_a_person_lets_a_held_load_go_on(load, now):
    mapping = SHORT | {"currency": "moneda", "options": {"decimal": "point"}}
    held = load("\n".join(["cuenta;vence;saldo;moneda", *ROWS[:-1], "C19;;100;USD"]) + "\n", mapping=mapping)
    assert not Posting.objects.exists()
    done = operations.confirm_load(load_id=held["load_id"], actor=acting("bruno", now=now))
    assert (done["held"], done["accepted"], done["rejected"]) == (False, 19, 1)
