"""What a lower balance told and what the bank tells are one payment, in whatever order they come."""

from datetime import date, timedelta

import pytest
from django.db.models import Sum

from recobra.intake.models import LoadWarning
from recobra.payments import operations as payments
from recobra.payments.models import Payment
from recobra.portfolio.models import Account, Posting
from tests import extent
from tests.people import acting

from .balances import owed, received

PAID = {"gone": "paid", "shrink_limit": 1}


def standing():
    rows = Payment.objects.filter(reversed_at=None).order_by("paid_date", "pk")
    return list(rows.values_list("source", "amount_minor", "paid_date__day"))


BANK = (("G1", "100,00", 25, "TR-1"), ("G2", "50,00", 25, "TR-2"))


@pytest.mark.parametrize("order", ["sheet first", "bank first"])
def test_the_same_money_is_taken_once_in_either_order(day, bank, order):
    day(23, {"G1": 100, "G2": 200})
    steps = [lambda: day(26, {"G2": 150}, options=PAID), lambda: bank(*BANK)]
    for step in steps if order == "sheet first" else steps[::-1]:
        step()
    assert owed() == {"G1": 0, "G2": 15_000}
    assert received() == 15_000
    assert standing() == [("FILE", 10_000, 25), ("FILE", 5_000, 25)]
    assert dict(Account.objects.values_list("external_id", "status")) == {"G1": "PAID", "G2": "OPEN"}
    assert bank(*BANK)["known"] == 2
    assert day(27, {"G2": 150}, options=PAID)["payments"] == 0


def test_a_part_that_the_bank_tells_leaves_the_rest_inferred(day, bank):
    day(23, {"G": 200})
    day(24, {"G": 150})
    day(26, {"G": 120})
    bank(("G", "20,00", 24, "TR-1"))
    assert standing() == [("FILE", 2_000, 24), ("INFERRED", 3_000, 24), ("INFERRED", 3_000, 26)]
    bank(("G", "45,00", 24, "TR-2"), ("G", "15,00", 26, "TR-3"))
    assert standing() == [("FILE", 2_000, 24), ("FILE", 4_500, 24), ("FILE", 1_500, 26)]
    assert (owed(), received()) == ({"G": 12_000}, 8_000)


def test_money_that_came_after_the_balance_is_more_money(day, bank):
    day(23, {"G": 200})
    day(24, {"G": 150})
    bank(("G", "50,00", 25, "TR-1"))
    assert (owed(), received()) == ({"G": 10_000}, 10_000)


def test_more_than_was_inferred_lowers_the_balance_by_the_rest(day, bank):
    day(23, {"G": 200})
    day(26, {"G": 150})
    bank(("G", "250,00", 25, "TR-1"))
    assert (owed(), received()) == ({"G": 0}, 25_000)
    assert Payment.objects.get(source="FILE").unapplied_minor == 5_000


def test_the_payment_itself_is_reversed_with_what_it_replaced(day, bank, now):
    day(23, {"G1": 100, "G2": 200})
    day(26, {"G2": 150}, options=PAID)
    bank(*BANK)
    actor = acting("ana", now=now + timedelta(days=5))
    for payment in Payment.objects.filter(source="FILE"):
        payments.reverse_payment(payment_id=payment.pk, reason="devuelto", actor=actor)
    assert (owed(), received()) == ({"G1": 10_000, "G2": 20_000}, 0)
    assert set(Account.objects.values_list("status", flat=True)) == {"OPEN"}


def test_a_payment_on_screen_for_all_accounts_replaces_what_was_inferred(day, company, now):
    day(23, {"G1": 100, "G2": 200})
    day(26, {"G2": 150}, options=PAID)
    for account in Account.objects.order_by("external_id"):
        payments.record_payment(
            portfolio_id=company.pk,
            debtor_id=account.debtor_id,
            amount_minor=5_000,
            paid_date=date(2026, 11, 25),
            reference=f"R-{account.external_id}",
            actor=acting("ana", now=now + timedelta(days=5)),
        )
    assert (owed(), received()) == ({"G1": 0, "G2": 15_000}, 15_000)
    assert standing() == [("SCREEN", 5_000, 25), ("SCREEN", 5_000, 25), ("INFERRED", 5_000, 26)]


@pytest.mark.parametrize("order", extent.choose(daily=["FRL", "LFR"], whole=["FLR", "FRL", "LFR"]))
def test_file_balance_and_reversal_end_the_same_in_any_order(day, bank, now, order):
    day(23, {"G1": 100, "G2": 200, "G3": 80})

    def reverse():
        payment = Payment.objects.get(reference="TR-2")
        actor = acting("ana", now=now + timedelta(days=5))
        payments.reverse_payment(payment_id=payment.pk, reason="devuelto", actor=actor)

    steps = {
        "F": lambda: bank(*BANK, ("G3", "10,00", 26, "TR-3")),
        "L": lambda: day(26, {"G2": 150, "G3": 55}, options=PAID),
        "R": reverse,
    }
    for step in order:
        steps[step]()
    assert (owed(), received()) == ({"G1": 0, "G2": 20_000, "G3": 5_500}, 12_500)
    assert dict(Account.objects.values_list("external_id", "status")) == {"G1": "PAID", "G2": "OPEN", "G3": "OPEN"}
    # A file of a later day knows of the reversal.
    day(29, {"G2": 150, "G3": 55}, options=PAID)
    assert (owed(), received()) == ({"G1": 0, "G2": 15_000, "G3": 5_500}, 17_500)


def test_concepts_stay_where_the_load_put_them(load, bank):
    mapping = {
        "account": {"external_id": "cuenta"},
        "amounts": {"principal": "capital", "interest": "interes"},
        "instalment": {"due_date": "vence"},
        "options": {"decimal": "point"},
    }
    load("cuenta;vence;capital;interes\nA;01/10/2026;100;20\n", mapping=mapping, as_of=date(2026, 11, 23))
    load("cuenta;vence;capital;interes\nA;01/10/2026;60;10\n", mapping=mapping, as_of=date(2026, 11, 26))
    bank(("A", "50,00", 25, "TR-1"))
    sums = Posting.objects.values_list("concept").annotate(Sum("amount_minor"))
    assert dict(sums) == {"PRINCIPAL": 6_000, "INTEREST": 1_000}
    assert received() == 5_000


def test_a_balance_that_counts_money_in_hand_tells_of_no_further_payment(load, bank):
    mapping = {
        "account": {"external_id": "cuenta"},
        "debtor": {"external_id": "cliente"},
        "balance": "saldo",
        "instalment": {"due_date": "vence"},
        "options": {"decimal": "point", **PAID},
    }

    def sheet(day, *rows):
        text = "\n".join(
            ["cuenta;cliente;vence;saldo", *(f"{account};K1;01/11/2026;{saldo}" for account, saldo in rows)]
        )
        return load(text, mapping=mapping, as_of=date(2026, 11, day))

    sheet(23, ("C1", 100))
    bank(("C1", "150.00", 23, "OPC-1"))
    sheet(24, ("C5", 40), ("C6", 30))
    assert sheet(25, ("C5", 10), ("C6", 5))["payments"] == 1
    assert (owed(), received()) == ({"C1": 0, "C5": 1_000, "C6": 500}, 15_500)
    assert standing() == [("FILE", 15_000, 23), ("INFERRED", 500, 25)]
    assert not Payment.objects.filter(unapplied_minor__gt=0).exists()


def test_a_new_instalment_hides_no_payment_that_came_back(load, bank, now):
    mapping = {
        "account": {"external_id": "cuenta"},
        "instalment": {"number": "cuota", "due_date": "vence"},
        "balance": "saldo",
        "options": {"decimal": "point", "due_rows": "several"},
    }
    head = "cuenta;cuota;vence;saldo\n"
    load(f"{head}A;1;01/10/2026;100\nA;2;01/11/2026;100\n", mapping=mapping, as_of=date(2026, 11, 23))
    bank(("A", "100.00", 25, "CH-1"))
    actor = acting("ana", now=now + timedelta(days=5))
    payments.reverse_payment(payment_id=Payment.objects.get().pk, reason="devuelto", actor=actor)
    rows = f"{head}A;2;01/11/2026;100\nA;3;01/12/2026;100\n"
    assert load(rows, mapping=mapping, as_of=date(2026, 11, 26))["payments"] == 0
    assert (owed(), received()) == ({"A": 20_000}, 0)
    # A file of a later day knows of the reversal.
    rows = f"{head}A;1;01/10/2026;100\nA;2;01/11/2026;100\nA;3;01/12/2026;100\n"
    load(rows, mapping=mapping, as_of=date(2026, 11, 29))
    assert (owed(), received()) == ({"A": 30_000}, 0)


UNSEEN = [
    (27, 100, 60, "payment_unseen"),  # the bank is faster than the creditor's books
    (27, 60, 60, None),
    (24, 150, 110, "payment_unseen"),  # 50 more, and nothing of the payment yet
    (27, 150, 150, "payment_contradicted"),  # more than the file before: it may be anything
    (24, 100, 60, "payment_unseen"),  # of the day before the payment
    (25, 100, 60, "payment_unseen"),
    (27, 80, 80, "payment_contradicted"),
]


@pytest.mark.parametrize("case", extent.choose(daily=UNSEEN[:4], whole=UNSEEN))
def test_a_payment_that_the_sheet_does_not_show_yet_is_no_new_debt(day, bank, case):
    as_of, states, owes, warned = case
    day(23, {"G": 100})
    bank(("G", "40,00", 25, "TR-1"))
    result = day(as_of, {"G": states}, options=PAID)
    assert (owed(), received()) == ({"G": owes * 100}, 4_000)
    codes = {each["code"]: each["lines"] for each in result["warnings"] if each["code"].startswith("payment")}
    assert codes == ({warned: [2]} if warned else {})
    assert list(LoadWarning.objects.filter(code__startswith="payment").values_list("lines", flat=True)) == (
        [[2]] if warned else []
    )
    assert day(28, {"G": owes}, options=PAID)["payments"] == 0
    assert (owed(), received()) == ({"G": owes * 100}, 4_000)


def test_an_account_that_is_paid_stays_paid_until_the_sheet_shows_it(day, bank):
    day(23, {"G": 100, "H": 5})
    bank(("G", "100,00", 25, "TR-1"))
    for number in (26, 27):
        assert day(number, {"G": 100, "H": 5}, options=PAID)["updated"] == 0
    assert dict(Account.objects.values_list("external_id", "status")) == {"G": "PAID", "H": "OPEN"}
    assert day(28, {"H": 5}, options=PAID)["payments"] == 0
    assert (owed(), received()) == ({"G": 0, "H": 500}, 10_000)


def test_a_payment_that_the_creditors_books_never_show_is_believed_no_longer_and_said(day, bank):
    day(15, {"G": 100})
    bank(("G", "40,00", 16, "TR-1"))
    day(20, {"G": 100})
    assert owed() == {"G": 6_000}
    result = day(22, {"G": 100})
    assert owed() == {"G": 10_000}
    assert "payment_contradicted" in [each["code"] for each in result["warnings"]]
    assert [each["code"] for each in day(23, {"G": 100})["warnings"]] == ["no_contact_point", "no_national_id"]


def test_another_bill_of_the_same_amount_is_new_debt(load, bank):
    mapping = {"account": {"external_id": "cuenta"}, "balance": "saldo", "instalment": {"due_date": "vence"}}
    load("cuenta;vence;saldo\nG;01/10/2026;40,00\n", mapping=mapping, as_of=date(2026, 11, 23))
    bank(("G", "40,00", 25, "TR-1"))
    load("cuenta;vence;saldo\nG;01/11/2026;40,00\n", mapping=mapping, as_of=date(2026, 11, 26))
    assert owed() == {"G": 4_000}
