"""Numbers that are equal but for leading zeros, or for what a spreadsheet does to them, are never a second debt."""

from __future__ import annotations

import random
import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recobra.intake import operations
from recobra.intake.models import RejectedRow
from recobra.journal.models import Entry
from recobra.portfolio.models import Account, Debtor, Instalment, Party, Posting
from recobra.tabular.numbers_alike import find_alike
from recobra.tabular.workspace import open_workspace
from tests.people import acting

from .conftest import SHORT

STRIP = {"id_zeros": "strip"}
# By the number that is known, how a file may write it.
ALIKE = {
    "00627": "627",
    "F001-0627": "F001-627",
    "F002-0627": "f002-627",
    "B-007/0008": "B-7/8",
    "628": "628.0",
    "12345678901234567": "12345678901234500",
    "22345678901234567": "22345678901234600",
    "032345678901234567": "32345678901234500",
    "12E3": "12000",
    "0012": "000012",
}


def asked():
    """Return what a person is asked: by line the code, the number in the file and the known one."""
    return {
        row.line: [(error["code"], error["value"], error["params"]["known"]) for error in row.errors]
        for row in RejectedRow.objects.order_by("line")
    }


def confirm(held, alike, now):
    return operations.confirm_load(load_id=held["load_id"], alike=alike, actor=acting("bruno", now=now))


def test_numbers_like_known_ones_wait_and_are_joined_where_a_person_says_so(day, now):
    day(20, dict.fromkeys(ALIKE, "5"))
    held = day(21, dict.fromkeys(ALIKE.values(), "5"))
    assert (held["held"], Account.objects.count()) == (True, len(ALIKE))
    expected = {line: [("alike", new, known)] for line, (known, new) in enumerate(ALIKE.items(), start=2)}
    assert asked() == expected
    done = confirm(held, "join", now)
    assert (done["held"], done["created"], done["gone"], done["payments"]) == (False, 0, 0, 0)
    assert done["alike_joined"] == len(ALIKE)
    assert set(Account.objects.values_list("external_id", flat=True)) == set(ALIKE)
    assert (Posting.objects.count(), RejectedRow.objects.count()) == (len(ALIKE), 0)
    again = day(21, dict.fromkeys(ALIKE.values(), "5"))
    assert (again["load_id"], again["created"], again["updated"]) == (done["load_id"], 0, 0)


def test_what_a_person_calls_another_debt_is_one_and_is_not_asked_about_again(day, now):
    day(20, {"0012": "1"})
    confirm(day(21, {"0012": "1", "12": "2"}), "apart", now)
    assert not day(22, {"0012": "1", "12": "3"})["held"]
    assert set(Account.objects.values_list("external_id", flat=True)) == {"0012", "12"}


def test_of_a_file_put_aside_nothing_is_asked_any_more(day, now):
    day(20, {"00627": "5"})
    held = day(21, {"627": "5"})
    assert asked() == {2: [("alike", "627", "00627")]}
    operations.discard_load(load_id=held["load_id"], actor=acting("bruno", now=now))
    assert asked() == {}


def test_two_numbers_alike_in_one_file_wait_too(day, now):
    held = day(20, {"0012": "1", "12": "2", "13": "3"})
    assert ": 2." in held["reason"]
    assert {line: rows[0][0] for line, rows in asked().items()} == {2: "alike_in_file", 3: "alike_in_file"}
    done = confirm(held, "join", now)
    # Said to be one, they are two rows of one account.
    assert [row["errors"][0]["code"] for row in done["errors"]] == ["duplicate", "duplicate"]
    assert Account.objects.get().external_id == "13"


def test_where_zeros_do_not_count_they_are_the_known_accounts_at_once(day):
    day(20, dict.fromkeys(ALIKE, "5"))
    figures = day(21, dict.fromkeys(ALIKE.values(), "4"), options=STRIP)
    assert (figures["held"], figures["created"], figures["gone"], figures["payments"]) == (False, 0, 0, len(ALIKE))
    assert set(Account.objects.values_list("external_id", flat=True)) == set(ALIKE)
    assert Entry.objects.filter(kind="load.done").latest("id").payload["alike_joined"] == len(ALIKE)
    figures = day(22, dict.fromkeys(ALIKE.values(), "4"), options=STRIP)
    assert (figures["updated"], figures["unchanged"]) == (0, len(ALIKE))


def test_what_is_like_several_is_asked_whatever_the_mapping_says(day, now):
    day(20, {"0012": "1", "12": "2"}, confirm=True)
    held = day(21, {"012": "1", "12": "2"}, options=STRIP)
    assert asked() == {2: [("alike_several", "012", "0012")]}
    done = confirm(held, "join", now)
    assert [(row["line"], row["errors"][0]["code"]) for row in done["errors"]] == [(2, "alike_several")]
    assert set(Account.objects.values_list("external_id", flat=True)) == {"0012", "12"}


def test_numbers_that_differ_in_more_do_not_wait(day):
    day(20, {"12345678901234567": "1", "A-10": "1"})
    numbers = ["F001-627", "F0010627", "100", "1000", "F001-6270", "12345678901234568", "A-1", "A10", "A-10", "1.0.0"]
    assert not day(21, dict.fromkeys(numbers, "1"))["held"]


def test_a_number_of_several_columns_is_joined_as_it_is_known(load):
    mapping = SHORT | {"account": {"external_id": ["serie", "numero"]}, "options": {"decimal": "point"}}
    header = "serie;numero;vence;saldo\n"
    load(f"{header}F001;0627;;5\n", mapping=mapping, as_of=date(2026, 11, 20))
    assert load(f"{header}F001;627;;4\n", mapping=mapping, as_of=date(2026, 11, 21))["held"]
    mapping["options"] |= STRIP
    figures = load(f"{header}F001;627;;4\n", mapping=mapping, as_of=date(2026, 11, 21))
    assert (figures["created"], figures["payments"], Account.objects.get().external_id) == (0, 1, "F001 0627")


PEOPLE = SHORT | {"debtor": {"external_id": "cliente", "national_id": "dni", "name": "nombre"}}
PEOPLE |= {"parties": [{"part": "GUARANTOR", "national_id": "aval"}], "options": {"decimal": "point"}}
PEOPLE_HEADER = "cuenta;vence;saldo;cliente;dni;nombre;aval\n"


def test_customers_and_documents_are_asked_about_and_joined_like_accounts(load, now):
    known = "A1;;1;000777;;Ana;10345678\nA2;;1;;05678901;Bea;\nA3;;1;C3;;Cid;\n"
    load(PEOPLE_HEADER + known, mapping=PEOPLE, as_of=date(2026, 11, 20))
    people = dict(Debtor.objects.values_list("external_id", "pk"))
    owners = dict(Account.objects.values_list("external_id", "debtor_id"))
    changed = "A1;;1;777;;Ana;\nA2;;1;;5678901;Bea;\nA3;;1;C3;;Cid;\nA4;;9;;5678901;Bea;5678901\n"
    held = load(PEOPLE_HEADER + changed, mapping=PEOPLE, as_of=date(2026, 11, 21))
    document = ("alike", "5678901", "05678901")
    assert asked() == {2: [("alike", "777", "000777")], 3: [document], 5: [document, document]}
    assert (held["held"], Debtor.objects.count()) == (True, len(people))
    done = confirm(held, "join", now)
    assert (done["created"], done["rejected"]) == (1, 0)
    assert dict(Debtor.objects.values_list("external_id", "pk")) == people
    assert dict(Account.objects.exclude(external_id="A4").values_list("external_id", "debtor_id")) == owners
    bea = Debtor.objects.get(pk=owners["A2"])
    assert (bea.national_id, bea.national_id_valid, bea.accounts.count()) == ("05678901", True, 2)
    assert Party.objects.get(account__external_id="A4").debtor == bea


def test_customers_that_were_stored_with_their_zeros_are_found_without_them(load):
    mapping = SHORT | {"debtor": {"external_id": "cliente"}, "options": {"decimal": "point"}}
    load("cuenta;vence;saldo;cliente\nA;;1;000777\n", mapping=mapping, as_of=date(2026, 11, 20))
    mapping["options"] |= STRIP
    load("cuenta;vence;saldo;cliente\nA;;1;777\nB;;1;0777\n", mapping=mapping, as_of=date(2026, 11, 21))
    assert Debtor.objects.get().external_id == "000777"


def test_instalments_of_an_account_are_the_same_without_their_zeros(load):
    mapping = SHORT | {"instalment": {"number": "cuota", "due_date": "vence"}}
    mapping["options"] = {"decimal": "point", "due_rows": "several"}
    header = "cuenta;vence;saldo;cuota\n"
    load(f"{header}A;;5;01\nA;;5;02\nA;;5;10\nB;;7;1\n", mapping=mapping, as_of=date(2026, 11, 20))
    again = f"{header}A;;5;1\nA;;4;2\nA;;5;10\nB;;7;01\nB;;7;1\n"
    figures = load(again, mapping=mapping, as_of=date(2026, 11, 21))
    assert (figures["payments"], figures["created"]) == (1, 0)
    numbers = Instalment.objects.order_by("account__external_id", "number").values_list("number", flat=True)
    assert list(numbers) == ["01", "02", "10", "01", "1"]
    assert Posting.objects.filter(kind="CHARGE").count() == 5


def _spellings(number):
    """Return what may be written for a number, by a second reading of the rule: itself bare, then rounded."""
    bare = re.sub(r"(?<![0-9])0+(?=[0-9])", "", re.sub(r"^([0-9]+)\.0+$", r"\1", number.upper()))
    rounded = set()
    if re.fullmatch("[0-9]{16,}", bare):
        rounded = {bare[:15], str(int(bare[:15]) + (bare[15] >= "5"))}
        rounded = {kept + "0" * (len(bare) - len(kept)) for kept in rounded}
    if re.fullmatch("[0-9]+E[0-9]{1,2}", bare):
        figures, zeros = bare.split("E")
        rounded = {str(int(figures)) + "0" * int(zeros)}
    return bare, rounded


_MARKS = st.sampled_from(["", "", "F001-", "F1-", "f01-", "B 0/", "0.", "A"])
_FIGURES = st.from_regex("0{0,3}[07]{1,2}(\\.0)?|0?12(E3|000)|0?12345678901234(56|99|50|60|00)[05]?", fullmatch=True)
_NUMBERS = st.lists(st.tuples(st.builds(str.__add__, _MARKS, _FIGURES), st.booleans()), min_size=1, max_size=60)


def _expect_alike(new, known):
    """Return what the rule says of new numbers that are like others, pair by pair."""
    expected = {}
    for number in new:
        bare, rounded = _spellings(number)
        likes = [
            other
            for other in known
            if bare in {_spellings(other)[0], *_spellings(other)[1]} or _spellings(other)[0] in rounded
        ]
        others = [other for other in new - {number} if _spellings(other)[0] == bare]
        if likes or others:
            expected[number] = (min(likes, default=None), max(likes, default=None), bool(others))
    return expected


@pytest.fixture(scope="module")
def duck():
    with open_workspace() as duck:
        yield duck


def _check_rule(duck, drawn):
    """Compare the rule with its second reading, for numbers that are new (true) or known."""
    known = {number for number, is_new in drawn if not is_new}
    new = {number for number, is_new in drawn if is_new} - known
    for name, values in (("new", new), ("known", known)):
        duck.create(f"{name}_numbers", "SELECT unnest(?::VARCHAR[]) AS number", [sorted(values)])
    alike = find_alike(duck, "alike", new="SELECT number FROM new_numbers", known="SELECT number FROM known_numbers")
    found = {row[0]: row[1:] for row in duck.fetch_all(f"SELECT number, known, known_last, other FROM {alike}")}
    assert {
        number: (first, last, other is not None) for number, (first, last, other) in found.items()
    } == _expect_alike(new, known)


@settings(max_examples=10, deadline=None)
@given(drawn=_NUMBERS)
def test_the_rule_agrees_with_a_second_reading_of_it(duck, drawn):
    _check_rule(duck, drawn)


@pytest.mark.long
@settings(max_examples=1_000, deadline=None)
@given(drawn=_NUMBERS)
def test_the_rule_agrees_with_a_second_reading_of_it_for_many_numbers(duck, drawn):
    _check_rule(duck, drawn)


def _state():
    """Return what the portfolio holds, but for numbers of rows."""
    accounts = Account.objects.order_by("external_id").values_list("external_id", "debtor__external_id", "status")
    postings = Posting.objects.order_by("account__external_id", "id").values_list(
        "account__external_id", "amount_minor"
    )
    debtors = Debtor.objects.order_by("external_id").values_list("external_id", "name", "national_id")
    return list(accounts), list(postings), list(debtors), Instalment.objects.count()


@pytest.mark.parametrize("seed", [7, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(12))])
def test_a_file_again_and_its_rows_in_another_order_change_nothing(load, seed):
    chance = random.Random(seed)
    documents = ["", "S/N", "05678901", "5678901", "20512333797", "20512333798", "10203040", "00000000"]
    customers = ["", "", "C1", "0077", "77", "S/N"]
    rows = [
        f"{chance.choice(['', '0', '00'])}{number};;{number + 1};{chance.choice(customers)};"
        f"{chance.choice(documents)};Nombre;{chance.choice(documents)}\n"
        for number in range(60)
    ]
    for options in ({}, STRIP):
        mapping = PEOPLE | {"options": {"decimal": "point", **options}}
        load(PEOPLE_HEADER + "".join(rows), mapping=mapping, confirm=True)
        before = _state()
        for _again in range(2):
            chance.shuffle(rows)
            figures = load(PEOPLE_HEADER + "".join(rows), mapping=mapping)
            assert (figures["held"], figures["created"], figures["updated"]) == (False, 0, 0)
            assert (figures["gone"], figures["payments"], _state()) == (0, 0, before)
