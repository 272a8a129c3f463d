"""A new file is set beside the portfolio: new, changed, unchanged, gone."""

from datetime import date

import pytest
from django.db import transaction
from django.db.models import Sum

from recobra.intake import operations
from recobra.intake.load import last_load
from recobra.intake.models import Load
from recobra.journal.models import Entry
from recobra.payments.models import Payment
from recobra.payments.operations import record_payment
from recobra.portfolio.models import Account, ContactPoint, Debtor, Instalment, Posting
from tests.people import acting

from .conftest import FILE, SHORT


def _balance(account):
    return Posting.objects.filter(account__external_id=account).aggregate(total=Sum("amount_minor"))["total"]


def _figures(result):
    return {name: result[name] for name in ("created", "updated", "unchanged", "gone", "payments")}


@pytest.fixture(params=["with the memory of the last load", "without it"])
def memory(request, company):
    """The remembered fingerprints make it fast; without them the answer is the same."""

    def forget():
        if request.param == "without it":
            for path in last_load.folder(company.pk).glob("*.parquet"):
                path.unlink()

    return forget


def test_the_same_file_twice_changes_nothing(load):
    first = load()
    postings = Posting.objects.count()
    again = load()
    assert (again["load_id"], again["unchanged"], again["created"], again["payments"]) == (first["load_id"], 3, 0, 0)
    assert (Posting.objects.count(), Load.objects.count()) == (postings, 1)


def test_the_same_file_under_a_mended_mapping_says_something_else(load):
    text = "cuenta;vence;saldo;total\nA;01/10/2026;1;100\nB;01/10/2026;2;200\n"
    options = {"options": {"decimal": "point", "lower_balance": "adjustment"}}
    load(text, mapping=SHORT | options)
    assert load(text, mapping=SHORT | options | {"balance": "total"})["updated"] == 2
    assert _balance("B") == 20000


def test_the_next_day_tells_new_changed_unchanged_and_gone(day, memory):
    day(20, {"A": 100, "B": 50, "C": 70, "D": 30})
    memory()
    assert _figures(day(21, {"A": 100, "B": 20, "C": 75.5, "E": 10})) == {
        "created": 1,
        "updated": 2,
        "unchanged": 1,
        "gone": 1,
        "payments": 1,
    }
    assert {name: _balance(name) for name in "ABCDE"} == {"A": 10000, "B": 2000, "C": 7550, "D": 3000, "E": 1000}
    payment = Payment.objects.get()
    assert (payment.amount_minor, payment.paid_date, payment.source) == (3000, date(2026, 11, 21), "INFERRED")
    assert Account.objects.get(external_id="D").status == "MISSING"


def test_a_payment_on_screen_makes_an_unchanged_row_worth_a_look(day, memory, company, now):
    day(20, {"A": 100, "B": 50})
    account = Account.objects.get(external_id="A")
    record_payment(
        portfolio_id=company.pk,
        debtor_id=account.debtor_id,
        account_id=account.pk,
        amount_minor=4000,
        paid_date=date(2026, 11, 20),
        reference="VOUCHER",
        source="SCREEN",
        actor=acting("ana", now=now),
    )
    memory()
    assert _balance("A") == 6000
    # A sheet of the days before is only behind the payment.
    assert day(26, {"A": 100, "B": "50.00"})["updated"] == 1
    assert _balance("A") == 10000


def test_what_gone_means_is_the_mappings_choice(day):
    day(20, {"A": 100, "B": 50})
    meanings = {
        "paid": ("PAID", 0),
        "recalled": ("RECALLED", 5000),
        "missing": ("MISSING", 5000),
        "keep": ("OPEN", 5000),
    }
    for gone, expected in meanings.items():
        with transaction.atomic():
            assert day(21, {"A": 100}, options={"gone": gone})["gone"] == 1
            assert (Account.objects.get(external_id="B").status, _balance("B")) == expected, gone
            assert Payment.objects.count() == (gone == "paid")
            transaction.set_rollback(True)


def test_an_account_that_comes_back_is_open_again(day):
    options = {"gone": "paid"}
    day(20, {"A": 100, "B": 50}, options=options)
    day(21, {"A": 100}, options=options)
    day(22, {"A": 100, "B": 20}, options=options)
    assert (Account.objects.get(external_id="B").status, _balance("B")) == ("OPEN", 2000)


def test_nothing_is_settled_while_rows_cannot_be_told_apart(day):
    options = {"gone": "paid"}
    day(20, {"A": 100, "B": 50}, options=options)
    result = day(21, {"A": 100, "": 50}, options=options)
    assert (result["rejected"], result["gone"], result["payments"]) == (1, 1, 0)
    assert (Account.objects.get(external_id="B").status, _balance("B")) == ("MISSING", 5000)


def test_a_rejected_row_does_not_make_its_account_gone(day):
    day(20, {"A": 100, "B": 50}, options={"gone": "paid"})
    assert day(21, {"A": 100, "B": "-5"}, options={"gone": "paid"})["gone"] == 0
    assert _balance("B") == 5000


def test_a_lower_balance_may_be_an_adjustment(day):
    day(20, {"A": 100})
    day(21, {"A": 40}, options={"lower_balance": "adjustment"})
    assert Payment.objects.count() == 0
    assert list(Posting.objects.order_by("id").values_list("kind", "amount_minor")) == [
        ("CHARGE", 10000),
        ("ADJUSTMENT", -6000),
    ]


def test_a_balance_of_nothing_closes_the_account(day):
    day(20, {"A": 100, "B": 1})
    day(21, {"A": 0, "B": 1})
    assert (Account.objects.get(external_id="A").status, _balance("A")) == ("PAID", 0)


def test_concepts_are_the_files_own_however_a_payment_was_split(load):
    mapping = {
        "account": {"external_id": "cuenta"},
        "amounts": {"principal": "capital", "interest": "interes", "fee": "gasto"},
        "options": {"decimal": "point"},
    }
    load("cuenta,capital,interes,gasto\nA,100,20,5\n", mapping=mapping, as_of=date(2026, 11, 20))
    result = load("cuenta,capital,interes,gasto\nA,60,21,5\n", mapping=mapping, as_of=date(2026, 11, 21))
    assert result["payments"] == 1
    assert Payment.objects.get().amount_minor == 4000
    owed = Posting.objects.values("concept").annotate(total=Sum("amount_minor")).values_list("concept", "total")
    assert dict(owed) == {"PRINCIPAL": 6000, "INTEREST": 2100, "FEE": 500}


def test_several_instalments_of_an_account_are_compared_one_by_one(load):
    mapping = {
        "account": {"external_id": "cuenta"},
        "balance": "saldo",
        "instalment": {"number": "cuota", "due_date": "vence"},
        "options": {"due_rows": "several", "decimal": "point", "gone": "paid"},
    }
    rows = "cuenta,cuota,vence,saldo\nA,1,2026-10-01,50\nA,2,2026-11-01,50\nB,1,2026-10-01,9\n"
    load(rows, mapping=mapping, as_of=date(2026, 11, 20))
    assert Instalment.objects.count() == 3
    paid = "cuenta,cuota,vence,saldo\nA,2,2026-11-01,50\nA,3,2026-12-01,50\nB,1,2026-10-01,9\n"
    result = load(paid, mapping=mapping, as_of=date(2026, 11, 21))
    assert _figures(result) == {"created": 0, "updated": 1, "unchanged": 1, "gone": 0, "payments": 1}
    owed = Instalment.objects.filter(account__external_id="A").annotate(owes=Sum("postings__amount_minor"))
    assert dict(owed.values_list("number", "owes")) == {"1": 0, "2": 5000, "3": 5000}


def test_what_changed_about_a_debtor_is_updated_and_old_points_stay(load):
    load(as_of=date(2026, 11, 20))
    changed = FILE.replace("Rosa Quispe", "Rosa Quispe Huamán").replace("987 654 321", "999888777")
    result = load(changed, as_of=date(2026, 11, 21))
    assert _figures(result) == {"created": 0, "updated": 2, "unchanged": 1, "gone": 0, "payments": 0}
    assert Debtor.objects.get(external_id="C1").name == "Rosa Quispe Huamán"
    phones = ContactPoint.objects.filter(kind="PHONE").values_list("value", flat=True)
    assert set(phones) == {"+51987654321", "+51999888777"}


def test_a_corrected_address_comes_before_the_one_it_corrects(load):
    load(as_of=date(2026, 11, 20))
    load(FILE.replace("ROSA@Example.com", "rosa.quispe@example.com").replace("rosa@example.com", ""))
    emails = ContactPoint.objects.filter(kind="EMAIL").order_by("-quality")
    assert list(emails.values_list("value", flat=True)) == ["rosa.quispe@example.com", "rosa@example.com"]
    assert emails[0].quality > emails[1].quality


def test_a_file_older_than_the_portfolio_is_refused(day):
    day(21, {"A": 100})
    with pytest.raises(operations.LoadRefused) as refusal:
        day(20, {"A": 90})
    assert refusal.value.code == "older"


def test_a_load_is_one_fact_of_the_journal(day):
    result = day(20, {"A": 100})
    entry = Entry.objects.get(kind="load.done")
    assert (entry.payload["load_id"], entry.payload["created"], entry.payload["amount_minor"]) == (
        result["load_id"],
        1,
        10000,
    )


def test_a_dry_run_finds_the_same_and_writes_nothing(day):
    day(20, {"A": 100, "B": 50})
    counts = [model.objects.count() for model in (Load, Account, Posting, Payment, Debtor, Entry)]
    dry = day(21, {"A": 80, "B": 50, "C": "?"}, dry_run=True)
    assert counts == [model.objects.count() for model in (Load, Account, Posting, Payment, Debtor, Entry)]
    real = day(21, {"A": 80, "B": 50, "C": "?"})
    same = ("rows", "accepted", "rejected", "updated", "unchanged", "payments", "amount_minor", "errors")
    assert {name: dry[name] for name in same} == {name: real[name] for name in same}
    assert dry["load_id"] is None


def test_a_rejected_or_absent_instalment_is_no_payment(load):
    mapping = {
        "account": {"external_id": "cuenta"},
        "balance": "saldo",
        "instalment": {"number": "cuota", "due_date": "vence"},
        "options": {"due_rows": "several", "decimal": "point", "gone": "paid"},
    }
    head = "cuenta,cuota,vence,saldo\n"
    load(f"{head}A,1,2026-10-01,50\nA,2,2026-11-01,50\nB,1,2026-10-01,9\n", mapping=mapping, as_of=date(2026, 11, 20))
    bad = load(f"{head}A,1,2026-10-01,50\nA,2,2026-02-30,50\nB,1\n", mapping=mapping, as_of=date(2026, 11, 21))
    assert (bad["rejected"], bad["payments"], bad["gone"]) == (2, 0, 0)
    part = load(f"{head}A,2,2026-11-01,40\n", mapping=mapping, as_of=date(2026, 11, 21), partial=True)
    assert (part["payments"], part["gone"], _balance("A")) == (1, 0, 9000)
    assert Payment.objects.get().amount_minor == 1000
