"""Mappings tell all their problems; doubtful loads wait for a person; mended rows go in alone."""

import csv
import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from recobra.intake import operations, queries
from recobra.intake.mapping import parse_mapping
from recobra.intake.models import Load, Mapping
from recobra.intake.operations.loads import resume_held_load
from recobra.portfolio.models import Account, Debtor, Party, Portfolio
from recobra_core.documents import DocumentError
from tests.people import acting

from .conftest import SHORT, TODAY


def test_a_mapping_tells_all_its_problems_at_once():
    with pytest.raises(DocumentError) as refusal:
        parse_mapping(
            {
                "account": {"produkt": "x"},
                "amounts": {"principal": 7},
                "balance": "saldo",
                "phones": "tel",
                "attributes": {"score": {"column": "s", "type": "color"}},
                "parties": [{"part": "AUNT"}],
                "options": {"decimal": "dot", "shrink_limit": 3, "speed": "fast"},
                "control": {"rows": "many", "amount": "NaN"},
                "colour": 1,
            }
        )
    assert [fault.path for fault in refusal.value.faults] == [
        "account.external_id",
        "account.produkt",
        "amounts.principal",
        "balance",
        "attributes.score.type",
        "parties[0].part",
        "parties[0].national_id",
        "options.decimal",
        "options.shrink_limit",
        "options.speed",
        "control.rows",
        "control.amount",
        "colour",
    ]


def test_a_portfolio_that_is_not_there_is_named(company, now):
    with pytest.raises(operations.LoadRefused, match="NO-HAY"):
        operations.load_file(
            path="x.csv",
            portfolio_code="NO-HAY",
            mapping=SHORT,
            as_of=date(2026, 11, 23),
            actor=acting("dario", now=now),
        )


def test_the_smallest_mapping_is_enough():
    document = parse_mapping({"account.external_id": "cuenta", "balance": ["saldo"]})
    assert document.columns() == ("cuenta", "saldo")


def test_columns_are_found_whatever_their_case_and_accents(load):
    assert load("CUENTA;Vencé;Saldo\nA;01/10/2026;1\n", mapping=SHORT | {"due_date": "vence"})["accepted"] == 1


def test_values_are_translated_defaulted_and_joined(load):
    mapping = {
        "account": {"external_id": "c", "product": {"column": "p", "values": {"7": "CARD"}}},
        "debtor": {"name": ["n", "a"], "kind": {"value": "COMPANY"}, "external_id": "d"},
        "balance": "s",
        "options": {"id_zeros": "strip"},
        "attributes": {
            "score": {"column": "x", "type": "number"},
            "vip": {"column": "v", "type": "boolean"},
            "canal": {"column": "k", "default": "web"},
        },
    }
    result = load("c;p;n;a;d;s;x;v;k\n1;7;Ana;Paz;0020;5;7,5;sí;\n2;7;Ana;Paz;20;5;mucho;no;app\n", mapping=mapping)
    # What an attribute says is no reason to leave a debt out.
    assert (result["accepted"], [each["column"] for each in result["warnings"] if each["code"] == "not_a_number"]) == (
        2,
        ["x"],
    )
    account = Account.objects.get(external_id="1")
    assert (account.product, account.attributes) == ("CARD", {"score": 7.5, "vip": True, "canal": "web"})
    assert (account.debtor.name, account.debtor.kind, account.debtor.external_id) == ("Ana Paz", "COMPANY", "20")


def test_guarantors_become_debtors_of_their_own(load):
    mapping = SHORT | {
        "parties": [{"part": "GUARANTOR", "name": "aval", "national_id": "dni_aval", "phone": "tel_aval"}]
    }
    load("cuenta;vence;saldo;aval;dni_aval;tel_aval\nA;;1;Luz;45678901;987654321\nB;;1;;;\n", mapping=mapping)
    party = Party.objects.get()
    assert (party.account.external_id, party.debtor.name, party.part) == ("A", "Luz", "GUARANTOR")
    assert party.debtor.points.get().value == "+51987654321"


def test_another_currency_and_an_unknown_product_are_errors_of_the_row(load):
    mapping = SHORT | {"account": {"external_id": "cuenta", "product": "p"}, "currency": "m"}
    result = load("cuenta;vence;saldo;p;m\nA;;1;prestamo;PEN\nB;;1;nave;USD\n", mapping=mapping)
    assert [error["code"] for error in result["errors"][0]["errors"]] == ["product", "currency"]


def test_a_debtor_of_the_same_creditor_is_one_over_portfolios(load, company, now, tmp_path):
    mapping = SHORT | {"debtor": {"external_id": "d"}}
    load("cuenta;vence;saldo;d\nA;;1;X\n", mapping=mapping)
    Portfolio.objects.create(
        creditor=company.creditor,
        code="PE-2",
        name="2",
        industry="CONSUMER",
        country="PE",
        currency="PEN",
        time_zone="America/Lima",
    )
    operations.load_file(
        path=tmp_path / "cartera.csv",
        portfolio_code="PE-2",
        mapping=mapping,
        as_of=date(2026, 11, 23),
        actor=acting("dario", now=now),
    )
    assert (Debtor.objects.count(), Account.objects.count()) == (1, 2)


def test_a_mapping_is_kept_by_version(load):
    load("cuenta;vence;saldo\nA;;1\n", mapping=SHORT)
    load("cuenta;vence;saldo\nA;;2\n", mapping=SHORT)
    load("cuenta;vence;saldo\nA;;3\n", mapping=SHORT | {"phones": ["vence"]})
    assert list(Mapping.objects.order_by("version").values_list("name", "version")) == [("default", 1), ("default", 2)]


@pytest.fixture
def shrunk(day):
    """Ten accounts yesterday, three today."""
    day(20, {f"A{n}": 10 for n in range(10)}, options={"gone": "paid"})
    return day(21, {f"A{n}": 10 for n in range(3)}, options={"gone": "paid"})


def test_a_file_that_shrank_waits_for_a_person(shrunk):
    assert (shrunk["held"], shrunk["gone"]) == (True, 0)
    assert Account.objects.filter(status="OPEN").count() == 10


def test_a_confirmed_load_goes_on(shrunk, now):
    result = operations.confirm_load(load_id=shrunk["load_id"], actor=acting("bruno", now=now))
    assert (result["load_id"], result["held"], result["gone"], result["payments"]) == (shrunk["load_id"], False, 7, 7)
    with pytest.raises(operations.LoadRefused, match=str(shrunk["load_id"])):
        operations.confirm_load(load_id=shrunk["load_id"], actor=acting("bruno", now=now))


def test_two_people_deciding_at_once_decide_once(shrunk, now):
    """Bruno's page was read before Carla discarded the load: his confirmation comes too late."""
    load = Load.objects.select_related("portfolio", "mapping").get(pk=shrunk["load_id"])
    operations.discard_load(load_id=load.pk, actor=acting("carla", now=now))
    with pytest.raises(operations.LoadRefused, match=str(load.pk)):
        resume_held_load(load, actor=acting("bruno", now=now))
    load.refresh_from_db()
    assert (load.status, Account.objects.filter(status="OPEN").count()) == ("DISCARDED", 10)


def test_a_discarded_load_leaves_everything(shrunk, now):
    operations.discard_load(load_id=shrunk["load_id"], actor=acting("bruno", now=now))
    assert Load.objects.get(pk=shrunk["load_id"]).status == "DISCARDED"
    assert Account.objects.filter(status="OPEN").count() == 10


@pytest.mark.parametrize(("control", "code"), [({"rows": 3}, "control_rows"), ({"amount": "31.00"}, "control_amount")])
def test_control_totals_that_differ_hold_the_load(day, control, code):
    result = day(20, {"A": 10, "B": 20.5}, control=control)
    assert (result["held"], Load.objects.get().figures["held"][0]["code"]) == (True, code)
    assert result["reason"]


def test_control_totals_that_agree_let_it_pass(day):
    assert day(20, {"A": 10, "B": 20.5}, control={"rows": 2, "amount": "30.5"})["created"] == 2


def test_mended_errors_are_loaded_alone(load, tmp_path):
    text = "cuenta;vence;saldo\nA;01/10/2026;1\n007;30/02/2026;2\nC;01/10/2026;uno\nD;01/10/2026\n"
    first = load(text, mapping=SHORT | {"options": {"gone": "paid"}})
    with Path(first["errors_file"]).open(encoding="utf-8-sig", newline="") as handle:
        head, *rows = csv.reader(handle, delimiter=";")
    assert [row[0] for row in rows] == ["007", "C", "D"]
    for row, (due, amount) in zip(rows, [("28/02/2026", "2"), ("01/10/2026", "1"), ("01/10/2026", "4")], strict=True):
        row[1:3] = [due, amount]
    mended = tmp_path / "corregido.csv"
    with mended.open("w", newline="") as handle:
        csv.writer(handle, delimiter=";").writerows([head, *rows])
    result = load(mended, mapping=SHORT | {"options": {"gone": "paid"}}, partial=True)
    assert (result["created"], result["rejected"], result["gone"]) == (3, 0, 0)
    assert set(Account.objects.filter(status="OPEN").values_list("external_id", flat=True)) == {"A", "007", "C", "D"}


def test_rows_to_mend_run_nothing_in_a_spreadsheet(load):
    rows = "A;30/02/2026;-1;=HYPERLINK(1)\nB;30/02/2026;1;+51 987 654 321\n"
    result = load(f"cuenta;vence;saldo;nombre\n{rows}", mapping=SHORT)
    with Path(result["errors_file"]).open(encoding="utf-8-sig", newline="") as handle:
        _head, *kept = csv.reader(handle, delimiter=";")
    assert [row[2:4] for row in kept] == [["-1", "'=HYPERLINK(1)"], ["1", "+51 987 654 321"]]


def test_a_load_left_running_by_a_crash_is_failed_by_the_next(load, company, now):
    crashed = Load.objects.create(
        portfolio=company,
        file_name="x",
        file_sha256="0" * 64,
        as_of=date(2026, 11, 20),
        status="RUNNING",
        started_at=now,
        actor="dario",
    )
    load("cuenta;vence;saldo\nA;;1\n", mapping=SHORT)
    crashed.refresh_from_db()
    assert crashed.status == "FAILED"


def test_the_first_load_is_diagnosed(day, load):
    diagnosis = day(20, {"A": 100, "B": 50, "C": 0})["diagnosis"]
    assert diagnosis["amounts"]["total_minor"] == 15000
    assert sum(bucket["amount_minor"] for bucket in diagnosis["ageing"]) == 15000
    assert diagnosis["composition"] == [{"product": "LOAN", "accounts": 3, "amount_minor": 15000}]
    assert diagnosis["gaps"]["no_contact_point"] == 3
    assert diagnosis["concentration"]["top10_share"] == 1
    assert json.dumps(diagnosis)
    assert day(21, {"A": 100, "B": 50, "C": 0})["diagnosis"] == {}


def test_the_first_load_says_where_risk_and_chances_are(load):
    late = {"A": (200, 900), "B": (40, 300), "C": (10, 200), "D": (-3, 100), "E": (5, 50), "F": (400, 0)}
    rows = []
    for account, (days, amount) in late.items():
        mail = "" if account in {"B", "E"} else f"{account.lower()}@correo.example"
        rows.append(f"{account};{TODAY - timedelta(days):%d/%m/%Y};{amount};{mail}")
    text = "cuenta;vence;saldo;correo\n" + "\n".join(rows) + "\n"
    result = load(text, mapping=SHORT | {"emails": ["correo"]})
    seen = result["diagnosis"]
    risk = {row["risk"]: (row["accounts"], row["amount_minor"], row["reachable_minor"]) for row in seen["risk"]}
    assert risk == {
        "none": (1, 10_000, 10_000),
        "low": (2, 25_000, 20_000),
        "medium": (1, 30_000, 0),
        "high": (0, 0, 0),
        "very_high": (1, 90_000, 90_000),
        "unknown": (0, 0, 0),
    }
    assert sum(amount for _accounts, amount, _reachable in risk.values()) == seen["amounts"]["total_minor"]
    names = dict(Account.objects.values_list("pk", "external_id"))
    critical = [(names[row["account_id"]], row["overdue_minor"], row["days"]) for row in seen["critical"]]
    assert critical == [("A", 90_000, 200), ("B", 30_000, 40), ("C", 20_000, 10), ("E", 5_000, 5)]
    assert seen["chances"] == [
        {"chance": "early", "accounts": 1, "amount_minor": 20_000},
        {"chance": "soon", "accounts": 1, "amount_minor": 10_000},
        {"chance": "half", "accounts": 1, "amount_minor": 90_000},
        {"chance": "unreachable", "accounts": 2, "amount_minor": 35_000},
    ]
    assert json.dumps(seen)


def test_people_see_the_loads_of_their_portfolios_only(day, cast):
    result = day(20, {"A": 10, "B": "x"})
    assert queries.loads_for(cast["zoe"]).count() == 0
    load = queries.load_for(cast["ana"], result["load_id"])
    [error] = queries.errors_for(load)
    assert (error["line"], error["row"]["cuenta"], "1,234.56" in error["errors"][0]["expected"]) == (3, "B", True)
    assert [mapping.version for mapping in queries.mappings_for(cast["carla"], "PE-CONSUMO")] == [1]
    assert not queries.mappings_for(cast["zoe"], "PE-CONSUMO")
