"""A file with every kind of damage comes in to the cent, as a text and as a workbook that nobody tidied."""

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from recobra.intake import operations
from recobra.intake.mapping import guess_mapping
from recobra.intake.models import LoadWarning, RejectedRow
from recobra.portfolio.models import Account, ContactPoint, Posting

from . import damaged_file
from .conftest import SHORT


@pytest.mark.parametrize("is_workbook", [False, True], ids=["text", "workbook"])
def test_every_kind_of_damage_has_its_right_reading(load, tmp_path, is_workbook):
    rows, right, hidden = damaged_file.make_rows(is_workbook=is_workbook)
    path = tmp_path / "danada"
    write = damaged_file.write_workbook(rows, right, hidden) if is_workbook else damaged_file.write_text(rows)
    path.write_bytes(write)
    result = load(path, mapping=damaged_file.MAPPING)

    stated = {
        account: (Decimal(amount) / 100, due)
        for account, amount, due in Posting.objects.values_list(
            "account__external_id", "amount_minor", "instalment__due_date"
        )
    }
    owed = {account: value for account, value in right.accounts.items() if value[0]}
    assert stated == owed
    assert dict(Account.objects.values_list("external_id", "debtor__external_id")) == right.customers
    points = {account: set() for account in right.points}
    for account, value in ContactPoint.objects.filter(valid=True).values_list("debtor__accounts__external_id", "value"):
        points[account].add(value)
    assert points == right.points
    codes = Counter(row.errors[0]["code"] for row in RejectedRow.objects.all())
    assert codes == right.rejected
    assert Counter({each["code"]: each["rows"] for each in result["aside"]}) == right.aside
    assert result["amount_minor"] == sum(amount for amount, _due in owed.values()) * 100
    *parts, whole = result["money"]
    money = {(each["part"], name): Decimal(sum_) for each in parts for name, sum_ in each["amounts"].items()}
    assert money == right.money
    assert {name: Decimal(total) for name, total in whole["amounts"].items()} == right.sum_file()
    assert (whole["unread"], sum(each["unread"] for each in parts)) == (right.unread, right.unread)
    assert result["rows"] == result["accepted"] + result["rejected"] + result["set_aside"]
    assert (result["rows"], result["rows"]) == (whole["rows"], sum(each["rows"] for each in parts))
    aside = LoadWarning.objects.filter(code__startswith="aside_")
    assert {each.code: len(each.lines) for each in aside} == {f"aside_{code}": n for code, n in right.aside.items()}


def test_the_kinds_are_no_fewer_than_people_meet():
    assert damaged_file.count_kinds() >= 60


def test_a_person_finds_the_columns_of_the_damaged_file_already_chosen(tmp_path):
    rows, _right, _hidden = damaged_file.make_rows(is_workbook=False)
    path = tmp_path / "danada.csv"
    path.write_bytes(damaged_file.write_text(rows))
    guess = operations.preview_file(path)["mapping"]
    read = {name: guess[name] for name in ("account", "balance", "currency", "emails", "phones")}
    assert read == {name: damaged_file.MAPPING[name] for name in read}
    assert guess["debtor"] == {"external_id": "cliente", "name": "nombre", "national_id": "documento"}
    assert guess["instalment"]["due_date"] == "vence"


@pytest.mark.parametrize(
    ("headers", "cells", "debtor"),
    [
        (["cliente", "nombre"], ["K0001", "Rosa Quispe"], {"external_id": "cliente", "name": "nombre"}),
        (["nombre", "cliente"], ["Rosa Quispe", "K0001"], {"external_id": "cliente", "name": "nombre"}),
        (["cliente", "saldo"], ["400123", "1"], {"external_id": "cliente"}),
        (["cliente", "saldo"], ["Ferretería 3 de Mayo", "1"], {"name": "cliente"}),
        (["cod cliente", "cliente"], ["K0001", "Rosa Quispe"], {"external_id": "cod cliente", "name": "cliente"}),
        (["customer", "name"], ["0379-NEVHP", "Rosa Quispe"], {"external_id": "customer", "name": "name"}),
    ],
)
def test_a_column_of_codes_is_no_name(headers, cells, debtor):
    assert guess_mapping(headers, [cells])["debtor"] == debtor


def test_a_lost_number_is_one_error_of_its_row_and_not_the_number_of_another(load):
    text = "cuenta;vence;saldo\n#N/D;01/10/2026;1\n#N/D;01/10/2026;2\n1,9E+15;01/10/2026;3\n1,9E+15;01/10/2026;3\n"
    result = load(text, mapping=SHORT)
    assert [[error["code"] for error in row["errors"]] for row in result["errors"]] == [
        ["text_error"],
        ["text_error"],
        ["scientific"],
        ["scientific"],
    ]
    assert result["money"][-1] == {"part": "file", "rows": 4, "amounts": {"PEN": "9.00"}, "unread": 0}


def test_a_currency_that_the_mapping_does_not_read_is_never_taken_for_the_own(load):
    text = "cuenta;vence;saldo;moneda\nA;01/10/2026;1;soles\nB;01/10/2026;2;US$\nC;01/10/2026;3;\n"
    held = load(text, mapping=SHORT)
    assert held["held_reasons"] == [
        {"code": "unread_currency", "column": "moneda", "found": 1, "line": 3, "value": "US$", "rows": 3, "own": "PEN"}
    ]
    assert "«US$»" in held["reason"]
    assert not Posting.objects.exists()
    done = load(text, mapping=SHORT | {"currency": "moneda"}, as_of=date(2026, 11, 24))
    assert (done["held"], done["accepted"], done["rejected"]) == (False, 2, 1)
    assert not load(text, mapping=SHORT | {"currency": {"value": "PEN"}}, as_of=date(2026, 11, 25))["held"]


def test_a_held_load_lists_what_would_be_rejected_behind_what_is_asked(day, load):
    day(20, {"0012": "1"})
    text = "cuenta;vence;saldo\n5;01/10/2026;x\n12;01/10/2026;1\n"
    for is_dry_run in (True, False):
        held = load(text, mapping=SHORT, as_of=date(2026, 11, 21), dry_run=is_dry_run)
        assert [(row["line"], row["errors"][0]["code"]) for row in held["errors"]] == [(3, "alike"), (2, "amount")]


def test_rows_that_stay_wrong_do_not_refuse_the_rest_of_the_next_file(load):
    wrong = "".join(f"W{n};01/10/2026;x\n" for n in range(12))
    good = "".join(f"G{n};01/10/2026;1,00\n" for n in range(30))
    assert load(f"cuenta;vence;saldo\n{good}{wrong}", mapping=SHORT)["rejected"] == 12
    again = load(f"cuenta;vence;saldo\n{wrong}{good}", mapping=SHORT, as_of=date(2026, 11, 24))
    assert (again["unchanged"], again["rejected"], again["gone"]) == (30, 12, 0)
