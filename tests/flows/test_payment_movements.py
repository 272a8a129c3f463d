"""A movement of money is itself, not its reference."""

from datetime import date, timedelta

import pytest

from recobra.payments import operations as payments
from recobra.payments.models import Payment
from recobra.payments.operations.movements import KnownMovement, Movement, sort_rows
from recobra.portfolio.models import Account, Posting
from tests import receivables
from tests.people import acting

DUE = date(2026, 10, 1)
HEADER = "cuenta;monto;fecha;referencia"
TRANSFER = ("F3;300,00;2026-11-25;OP-778812", "F4;50,00;2026-11-25;OP-778812", "F5;70,00;2026-11-25;OP-778812")


@pytest.fixture
def load(company, now, tmp_path):
    person = receivables.debtor(company, "Cliente Tres")
    for number, amount_minor in (("F3", 30_000), ("F4", 5_000), ("F5", 7_000), ("F6", 90_000)):
        receivables.account(company, person, number, (DUE, amount_minor))

    def load(*rows, days=3):
        path = tmp_path / "pagos.csv"
        path.write_text("\n".join([HEADER, *rows]))
        actor = acting("ana", now=now + timedelta(days=days))
        return payments.load_file(path=path, portfolio_code="PE-CONSUMO", actor=actor)

    return load


def counts(answer):
    return tuple(answer[figure] for figure in ("accepted", "rejected", "known", "repeated"))


def owed(number):
    return sum(Posting.objects.filter(account__external_id=number).values_list("amount_minor", flat=True))


def reverse(number, now):
    payment = Payment.objects.get(account__external_id=number, reversed_at=None)
    payments.reverse_payment(payment_id=payment.pk, reason="devuelto", actor=acting("ana", now=now + timedelta(days=3)))


@pytest.mark.parametrize("step", [1, -1])
def test_one_transfer_pays_three_invoices_once(load, step):
    answer = load(*TRANSFER[::step])
    assert counts(answer) == (3, 0, 0, 0)
    assert answer["amount_minor"] == 42_000
    assert [owed(number) for number in ("F3", "F4", "F5")] == [0, 0, 0]
    assert counts(load(*TRANSFER)) == (0, 0, 3, 0)
    assert Account.objects.filter(status="PAID").count() == 3


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("F6;300,00;2026-11-25;OP-778812", "account"),
        ("F3;310,00;2026-11-25;OP-778812", "amount"),
        ("F3;300,00;2026-11-26;OP-778812", "date"),
    ],
)
def test_a_known_movement_that_differs_is_an_error_of_its_row(load, row, column):
    load(*TRANSFER)
    answer = load(row)
    assert counts(answer) == (0, 1, 0, 0)
    assert [(error["line"], error["column"]) for error in answer["errors"]] == [(2, column)]
    assert Payment.objects.count() == 3


def test_what_a_file_left_out_of_a_transfer_is_taken_with_the_rest_of_it(load):
    assert counts(load(TRANSFER[0], "F5;x;2026-11-25;OP-778812")) == (1, 1, 0, 0)
    assert counts(load(*TRANSFER)) == (2, 0, 1, 0)
    assert owed("F4") == owed("F5") == 0


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("days", "counted"), [(0, (0, 4_000, 0)), (1, (0, 0, 4_000))])
def test_one_reference_in_all_rows_of_a_file_costs_no_more_than_many(now, days, counted):
    def movements(day):
        return [
            Movement(reference="BCP", debtor_id=n, account=f"F{n}", amount_minor=100 + n % 50, paid_date=day)
            for n in range(4_000)
        ]

    known = [KnownMovement(movement=each, received_at=now, reversed_at=None) for each in movements(DUE)]
    rows = dict(enumerate(movements(DUE + timedelta(days=days))))
    found = sort_rows(rows=rows, known={"BCP": known}, currency="PEN")
    assert (len(found.new_lines), found.known, len(found.errors)) == counted
    # Each is told in what it differs from the row of its own account, not from any.
    assert {error.column for error in found.errors} <= {"date"}


def test_equal_lines_are_taken_once_and_said(load):
    assert counts(load(TRANSFER[1], *TRANSFER, TRANSFER[1])) == (3, 0, 0, 2)


def test_one_operation_on_two_days_is_refused_whatever_comes_first(load):
    rows = (TRANSFER[0], "F4;50,00;2026-11-24;OP-778812")
    for answer in (load(*rows), load(*rows[::-1])):
        assert counts(answer) == (0, 2, 0, 0)
        assert {error["column"] for error in answer["errors"]} == {"date"}


def test_a_reversed_payment_is_loaded_again_corrected_but_not_as_it_was(load, now):
    load(*TRANSFER)
    reverse("F3", now)
    assert counts(load(*TRANSFER)) == (0, 0, 3, 0)
    assert owed("F3") == 30_000
    assert counts(load("F6;300,00;2026-11-25;OP-778812", days=4)) == (1, 0, 0, 0)
    assert (owed("F3"), owed("F6")) == (30_000, 60_000)
    # It is corrected: a further change is an error.
    assert counts(load("F3;290,00;2026-11-25;OP-778812")) == (0, 1, 0, 0)


def test_a_payment_for_all_accounts_is_known_by_the_row_that_names_one(load, company, now):
    debtor_id = Account.objects.filter(portfolio=company).values_list("debtor_id", flat=True)[0]
    payments.record_payment(
        portfolio_id=company.pk,
        debtor_id=debtor_id,
        amount_minor=30_000,
        paid_date=date(2026, 11, 25),
        reference="OP-778812",
        actor=acting("ana", now=now + timedelta(days=3)),
    )
    assert counts(load(TRANSFER[0])) == (0, 0, 1, 0)
