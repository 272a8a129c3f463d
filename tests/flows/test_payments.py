"""Money in: taken once, applied by the waterfall, never more than is owed."""

import threading
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from recobra.journal.models import Entry
from recobra.payments import operations as payments
from recobra.payments.models import Payment
from recobra.payments.operations.record import ROWS
from recobra.portfolio.models import Account, Posting
from tests import databases, policies, receivables
from tests.people import acting

DUE = date(2026, 10, 1)


@pytest.fixture
def loan(company):
    person = receivables.debtor(company, "Rosa")
    return receivables.account(company, person, "L-1", (DUE, 10_000), (date(2026, 11, 1), 10_000))


def pay(loan, now, amount_minor, reference="R-1", account=True):
    return payments.record_payment(
        portfolio_id=loan.portfolio_id,
        debtor_id=loan.debtor_id,
        account_id=loan.pk if account else None,
        amount_minor=amount_minor,
        paid_date=date(2026, 11, 20),
        reference=reference,
        actor=acting("ana", now=now),
    )


def shares(payment):
    return list(
        Posting.objects.filter(payment_id=payment.pk)
        .order_by("instalment__due_date")
        .values_list("instalment__number", "amount_minor")
    )


def test_the_oldest_instalment_is_paid_first(loan, now):
    assert shares(pay(loan, now, 12_000)) == [("1", -10_000), ("2", -2_000)]


def test_what_is_too_much_stays_visible(loan, now):
    assert pay(loan, now, 25_000).unapplied_minor == 5_000


def test_a_payment_without_account_pays_all_the_debtor_owes(loan, now):
    card = receivables.account(loan.portfolio, loan.debtor, "T-1", (date(2026, 9, 1), 5_000))
    payment = pay(loan, now, 25_000, account=False)
    assert payment.unapplied_minor == 0
    card.refresh_from_db()
    assert card.status == "PAID"


@pytest.mark.parametrize(("amount", "reference"), [(0, "R-2"), (-5, "R-2"), (10, " "), (10**14, "R-2")])
def test_what_is_no_payment_is_refused(loan, now, amount, reference):
    with pytest.raises(payments.PaymentRefused):
        pay(loan, now, amount, reference)
    assert not Payment.objects.exists()


def test_the_same_receipt_is_taken_once(loan, now):
    pay(loan, now, 1_000)
    with pytest.raises(payments.PaymentRefused, match="R-1"):
        pay(loan, now, 1_000)


def test_a_payment_file_answers_every_row(loan, now, tmp_path):
    path = tmp_path / "pagos.csv"
    path.write_text(
        "Cuenta;Monto;Fecha;Operación\nL-1;100,50;20/11/2026;A1\nL-9;5;20/11/2026;A2\nL-1;x;31/02/2026;A3\n"
        "L-1;1.234,00;2026-11-21;A4\nL-1;7;2026-11-21;A1\n"
    )
    answer = payments.load_file(path=path, portfolio_code="PE-CONSUMO", actor=acting("ana", now=now))
    assert (answer["rows"], answer["accepted"], answer["rejected"], answer["known"]) == (5, 1, 4, 0)
    assert answer["amount_minor"] == 123_400
    assert [(error["line"], error["column"]) for error in answer["errors"]] == [
        (2, "date"),
        (3, "account"),
        (4, "amount"),
        (4, "date"),
        (6, "date"),
    ]
    again = payments.load_file(path=path, portfolio_code="PE-CONSUMO", actor=acting("ana", now=now))
    assert (again["accepted"], again["known"]) == (0, 1)


def test_a_receipt_pays_another_account_on_its_day_and_again_once_it_is_reversed(loan, now):
    card = receivables.account(loan.portfolio, loan.debtor, "T-1", (DUE, 5_000))
    first = pay(loan, now, 1_000)
    pay(card, now, 500)
    with pytest.raises(payments.PaymentRefused, match="R-1"):
        pay(loan, now, 1_000, account=False)
    payments.reverse_payment(payment_id=first.pk, reason="cheque devuelto", actor=acting("ana", now=now))
    pay(loan, now, 1_000)
    assert sum(Posting.objects.values_list("amount_minor", flat=True)) == 20_000 + 5_000 - 1_500


def test_payments_of_one_account_and_of_all_in_one_set_are_not_applied_twice(loan, now):
    rows = [
        {"debtor_id": loan.debtor_id, "account_id": account, "amount_minor": 15_000, "paid_date": DUE, "reference": ref}
        for account, ref in ((None, "R-1"), (loan.pk, "R-2"))
    ]
    payments.record_payments(
        portfolio_id=loan.portfolio_id,
        rows=pa.Table.from_pylist(rows, schema=ROWS),
        source="FILE",
        load_id=None,
        actor=acting("ana", now=now),
    )
    assert sum(Posting.objects.values_list("amount_minor", flat=True)) == 0
    assert list(Payment.objects.order_by("reference").values_list("unapplied_minor", flat=True)) == [10_000, 0]


def test_money_for_a_debtor_does_not_go_to_an_account_that_the_creditor_took_back(loan, now):
    recalled = receivables.account(loan.portfolio, loan.debtor, "T-1", (date(2026, 9, 1), 5_000))
    Account.objects.filter(pk=recalled.pk).update(status="RECALLED")
    payment = pay(loan, now, 25_000, account=False)
    assert payment.unapplied_minor == 5_000
    assert not Posting.objects.filter(payment_id=payment.pk, account=recalled).exists()


@pytest.mark.parametrize(
    ("written", "minor"),
    [
        ("1.234,56", 123_456),
        ("1,234.56", 123_456),
        ("PEN 12", 1_200),
        ("Bs. 12,50", 1_250),
        ("12,50 €", None),  # euros are no soles
        ("12.345.678,9", 1_234_567_890),
        ("0.125", None),
        ("1e5", None),
        ("12 a 34", None),
        ("USD 12", None),
        ("1,234,56", None),
        ("1.23.4", None),
        ("9" * 200_000, None),
    ],
)
def test_an_amount_is_read_as_it_is_written_or_not_at_all(loan, now, tmp_path, written, minor):
    path = tmp_path / "pagos.csv"
    path.write_text(f"Cuenta;Monto;Fecha;Operación\nL-1;{written};20/11/2026;A1\n")
    answer = payments.load_file(path=path, portfolio_code="PE-CONSUMO", actor=acting("ana", now=now, user_id=7))
    assert answer["amount_minor"] == (minor or 0)
    assert Entry.objects.filter(kind="payment.recorded", actor_id=7).exists() is (minor is not None)


def test_today_is_the_day_where_the_portfolio_is(loan):
    evening = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # the 23rd in Lima
    with pytest.raises(payments.PaymentRefused):
        payments.record_payment(
            portfolio_id=loan.portfolio_id,
            debtor_id=loan.debtor_id,
            amount_minor=1,
            paid_date=date(2026, 11, 24),
            reference="R-1",
            actor=acting("ana", now=evening),
        )


@pytest.mark.parametrize("change", ["UPDATE portfolio_posting SET amount_minor = 1", "DELETE FROM portfolio_posting"])
def test_the_ledger_only_grows(loan, change):
    with databases.acting_as_owner(), pytest.raises(IntegrityError, match="only grows"), transaction.atomic():
        connection.cursor().execute(change)
    with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(change)


def test_two_clicks_at_once_take_a_receipt_once(transactional_db, loan, now):
    answers = []

    def click():
        try:
            answers.append(pay(loan, now, 1_000))
        except payments.PaymentRefused as refused:
            answers.append(refused)
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(type(answer).__name__ for answer in answers) == ["Payment", "PaymentRefused"]
    assert Payment.objects.get().amount_minor == 1_000


def test_a_payment_is_applied_in_the_order_of_its_day(company, now):
    principal_first = ["PRINCIPAL", "FEE", "LATE_INTEREST", "INTEREST", "TAX"]
    policies.put_in_force(company, day=date(2026, 11, 20), waterfall={"by": "due_date", "concepts": principal_first})
    person = receivables.debtor(company, "Rosa")
    loan = receivables.account(company, person, "L-1", (DUE, 10_000))
    instalment = loan.instalments.get()
    Posting.objects.create(
        account=loan,
        instalment=instalment,
        kind="CHARGE",
        concept="FEE",
        amount_minor=500,
        value_date=DUE,
        booked_at=now,
    )
    rows = [
        {"debtor_id": person.pk, "account_id": loan.pk, "amount_minor": 300, "paid_date": day, "reference": f"R-{day}"}
        for day in (date(2026, 11, 20), date(2026, 11, 19))
    ]
    table = pa.Table.from_pylist(rows, ROWS)
    payments.record_payments(
        portfolio_id=company.pk, rows=table, source="FILE", load_id=None, actor=acting("ana", now=now)
    )
    paid = Posting.objects.filter(kind="PAYMENT").order_by("value_date").values_list("concept", "amount_minor")
    assert list(paid) == [("FEE", -300), ("PRINCIPAL", -300)]


def test_an_order_that_comes_back_does_not_take_what_an_earlier_day_paid(company, now):
    principal_first = ["PRINCIPAL", "FEE", "LATE_INTEREST", "INTEREST", "TAX"]
    policies.put_in_force(company, day=date(2026, 11, 20), waterfall={"by": "due_date", "concepts": principal_first})
    policies.put_in_force(company, day=date(2026, 11, 21))
    person = receivables.debtor(company, "Rosa")
    loan = receivables.account(company, person, "L-1", (DUE, 1_000))
    rows = [
        {"debtor_id": person.pk, "account_id": loan.pk, "amount_minor": 400, "paid_date": date(2026, 11, day)}
        for day in (19, 20, 21)
    ]
    table = pa.Table.from_pylist([{**row, "reference": str(row["paid_date"])} for row in rows], ROWS)
    payments.record_payments(
        portfolio_id=company.pk, rows=table, source="FILE", load_id=None, actor=acting("ana", now=now)
    )
    left = Payment.objects.order_by("paid_date").values_list("unapplied_minor", flat=True)
    assert list(left) == [0, 0, 200]
