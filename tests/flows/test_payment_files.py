"""A payment file may be written in every way in which a file of receivables may."""

import io
from datetime import date, timedelta

import pytest
import xlsxwriter

from recobra.payments import operations as payments
from recobra.payments.models import Payment, PaymentMapping
from recobra.portfolio.models import Account
from tests import receivables
from tests.people import acting

DUE = date(2026, 10, 1)
DAY = date(2026, 11, 24)
HEADER = ("cuenta", "monto", "fecha", "referencia")


@pytest.fixture
def loan(company):
    person = receivables.debtor(company, "Rosa")
    return receivables.account(company, person, "D1", (DUE, 80_000))


@pytest.fixture
def load(loan, now, tmp_path):
    def load(content, mapping=None, dry_run=False, **notation):
        path = tmp_path / "pagos"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return payments.load_file(
            path=path,
            portfolio_code="PE-CONSUMO",
            notation=payments.Notation(**notation),
            mapping=mapping,
            dry_run=dry_run,
            actor=acting("ana", now=now + timedelta(days=2)),
        )

    return load


def recorded():
    return list(Payment.objects.order_by("id").values_list("reference", "amount_minor", "paid_date"))


@pytest.mark.parametrize(
    "row", ["D1;1,50;2026-11-24;Q1;\"pago; de 'Ana' hoy\"", "D1;1,50;2026-11-24;Q1;cuotas ['1', '2']"]
)
def test_apostrophes_and_quoted_marks_in_a_remark_part_no_cells(load, row):
    answer = load(f"cuenta;monto;fecha;referencia;glosa\n{row}\nD1;2,50;2026-11-24;Q2;abono\n")
    assert (answer["accepted"], answer["rejected"], answer["amount_minor"]) == (2, 0, 400)


def test_a_file_of_another_format_than_was_asked_for_is_refused(load):
    content = ";".join(HEADER) + "\nD1;1,50;2026-11-24;Q1\n"
    with pytest.raises(payments.PaymentRefused, match=r"CSV.*XLSX"):
        load(content, format="xlsx")
    assert recorded() == []
    assert load(content, format="csv")["accepted"] == 1


def test_a_day_is_read_in_every_way_it_is_written(load):
    days = ("24/11/2026 14:35", "2026-11-24T14:35:00-05:00", "2026-11-24 14:35:00", "24/11/26", "2026/11/24", "46350")
    rows = [f"D1;1,00;{day};R{number}" for number, day in enumerate(days)]
    answer = load("\n".join([";".join(HEADER), *rows]))
    assert answer["errors"] == []
    assert [paid_on for _reference, _amount, paid_on in recorded()] == [DAY] * 6


@pytest.mark.parametrize("day", ["0001-11-24", "1899-12-31", "2027-01-01"])
def test_a_day_that_no_payment_has_is_refused_of_a_file_as_on_screen(load, loan, now, day):
    answer = load(f"{';'.join(HEADER)}\nD1;1,00;{day};R1\n")
    assert [(error["line"], error["column"]) for error in answer["errors"]] == [(2, "date")]
    with pytest.raises(payments.PaymentRefused, match="1900"):
        payments.record_payment(
            portfolio_id=loan.portfolio_id,
            debtor_id=loan.debtor_id,
            amount_minor=100,
            paid_date=date.fromisoformat(day),
            reference="R1",
            actor=acting("ana", now=now),
        )
    assert recorded() == []


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("cp1252"),
        lambda text: text.encode("utf-16"),
        lambda text: b"sep=;\n" + text.encode("utf-8-sig"),
        lambda text: text.replace(";", "\t").encode(),
    ],
    ids=["cp1252", "UTF-16", "a separator line", "tabs"],
)
def test_encodings_and_separators_are_those_of_a_load(load, encode):
    load(encode("Cuenta;Monto;Fecha;Operación\nD1;1,50;2026-11-24;Nº 7\n"))
    assert recorded() == [("Nº 7", 150, DAY)]


def test_a_workbook_is_a_payment_file(load):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, ("D1", 1234.5))
        sheet.write_datetime(1, 2, DAY, book.add_format({"num_format": "dd/mm/yyyy"}))
        sheet.write(1, 3, "OP-1")
    load(content.getvalue())
    assert recorded() == [("OP-1", 123_450, DAY)]


def test_a_number_of_a_workbook_needs_no_decimal_mark(load):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        for row, cells in enumerate(
            (
                HEADER,
                ("D1", 150.75, "2026-11-24", "R1"),
                ("D1", 1234.5, "2026-11-24", "R2"),
                ("D1", "1.234,50", "2026-11-24", "R3"),
                ("D1", "1.234", "2026-11-24", "R4"),
            )
        ):
            sheet.write_row(row, 0, cells)
    assert load(content.getvalue(), decimal="comma")["errors"] == []
    assert [amount for _reference, amount, _paid_on in recorded()] == [15_075, 123_450, 123_450, 123_400]


@pytest.mark.parametrize(("decimal", "minor"), [("comma", 123_400), ("point", None)])
def test_a_file_that_leaves_the_decimal_mark_open_asks_for_it(load, decimal, minor):
    text = ";".join(HEADER) + "\nD1;1.234;2026-11-24;R1\n"
    with pytest.raises(payments.PaymentRefused, match=r"1\.234"):
        load(text)
    answer = load(text, decimal=decimal)
    assert answer["amount_minor"] == (minor or 0)
    assert answer["rejected"] == (minor is None)


def test_the_order_of_day_and_month_is_the_countrys_or_the_one_that_is_said(load):
    text = ";".join(HEADER) + "\nD1;1,00;03/10/2026;{}\n"
    load(text.format("R1"))
    load(text.format("R2"), date_order="mdy")
    assert [paid_on for _reference, _amount, paid_on in recorded()] == [date(2026, 10, 3), date(2026, 3, 10)]


def test_a_row_that_does_not_fit_is_an_error_and_a_file_without_rows_is_none(load):
    answer = load(";".join(HEADER) + "\nD1;1,00;2026-11-24\nD1;2,00;2026-11-24;R2\n;;;\n")
    assert (answer["rows"], answer["accepted"], answer["rejected"]) == (2, 1, 1)
    assert [error["line"] for error in answer["errors"]] == [2]
    assert load(";".join(HEADER) + "\n")["rows"] == 0


def test_a_row_of_another_currency_is_an_error_that_says_so(load):
    named = ["D1;1,00;24/11/2026;Q1;PEN", "D1;2,00;24/11/2026;Q2;S/", "D1;4,00;24/11/2026;Q3;"]
    wrong = ["D1;8,00;24/11/2026;Q4;usd", "D1;8,00;24/11/2026;Q5;soles", "D1;US$ 8,00;24/11/2026;Q6;"]
    answer = load("\n".join([";".join((*HEADER, "moneda")), *named, *wrong]))
    assert [reference for reference, _amount, _day in recorded()] == ["Q1", "Q2", "Q3"]
    assert [(error["line"], error["column"], error["found"]) for error in answer["errors"]] == [
        (5, "currency", "usd"),
        (6, "currency", "soles"),
        (7, "amount", "US$ 8,00"),
    ]
    assert all(error["expected"].endswith(": PEN") for error in answer["errors"])


def test_a_reference_that_no_index_holds_rejects_its_row_alone(load):
    endless = "".join(f"{number:04}" for number in range(5_000))
    answer = load(f"{';'.join(HEADER)}\nD1;1,00;2026-11-24;{endless}\nD1;2,00;2026-11-24;R2\n")
    assert [(error["line"], error["column"]) for error in answer["errors"]] == [(2, "reference")]
    assert recorded() == [("R2", 200, DAY)]


MAPPING = {
    "name": "banco",
    "account": ["serie", "numero"],
    "amount": "abono",
    "date": "Fecha operación",
    "reference": "id",
    "options": {"decimal": "comma"},
}
STATEMENT = """Banco de Prueba;;;;
Movimientos del 24/11/2026;;;;
serie;numero;fecha operacion;abono;id
D;1;24-nov-2026;1.234;="000778"
D;1;24/11/2026;2,50;1,91431E+15
Total;;;1.236,50;
"""


def test_a_bank_file_is_read_by_its_mapping_which_is_kept_once(load, loan):
    loan.external_id = "D 1"
    loan.save()
    tried = load(STATEMENT, mapping=MAPPING, dry_run=True)
    assert (recorded(), PaymentMapping.objects.count()) == ([], 0)
    answer = load(STATEMENT, mapping=MAPPING)
    assert answer == tried
    assert [answer[name] for name in ("rows", "accepted", "rejected", "set_aside")] == [3, 1, 1, 1]
    assert recorded() == [("000778", 123_400, DAY)]
    assert [(error["line"], error["column"]) for error in answer["errors"]] == [(5, "reference")]
    assert load(STATEMENT, mapping=MAPPING)["known"] == 1
    assert list(PaymentMapping.objects.values_list("name", "version")) == [("banco", 1)]


def test_of_two_columns_that_are_nearly_called_alike_the_named_one_is_read(load):
    text = "cuenta;Monto;Monto €;fecha;referencia\nD1;2,50;9,00;2026-11-24;Q1\n"
    mapping = {"account": "cuenta", "amount": "Monto", "date": "fecha", "reference": "referencia"}
    assert load(text, mapping=mapping)["amount_minor"] == 250
    with pytest.raises(payments.PaymentRefused, match="monto"):
        load(text, mapping=mapping | {"amount": "monto"})


@pytest.mark.parametrize("wrong", [{"amount": "importe"}, {"reference": []}, {"when": "fecha"}])
def test_a_mapping_that_does_not_fit_says_why(load, wrong):
    with pytest.raises(payments.PaymentRefused, match=r"importe|reference|when"):
        load(STATEMENT, mapping=MAPPING | wrong)


def test_an_account_that_lost_its_zeros_is_named_or_found_by_the_mapping(load, loan):
    loan.external_id = "F001-0627"
    loan.save()
    content = ";".join(HEADER) + "\nF001-627;1,50;2026-11-24;Q1\n"
    refused = load(content)
    assert (refused["accepted"], "F001-0627" in refused["errors"][0]["expected"]) == (0, True)
    mapping = dict(zip(("account", "amount", "date", "reference"), HEADER, strict=True))
    mapping["options"] = {"id_zeros": "strip"}
    assert load(content, mapping=mapping)["accepted"] == 1
    assert Payment.objects.get().account == loan
    # The same row again, and as the account is known, is that payment.
    assert load(content, mapping=mapping)["known"] == 1
    assert load(content.replace("F001-627", "F001-0627"))["known"] == 1


def test_an_account_that_is_like_several_is_never_guessed(load, loan, company):
    for number in ("0012", "12"):
        receivables.account(company, loan.debtor, number, (DUE, 100))
    mapping = {"account": "cuenta", "amount": "monto", "date": "fecha", "reference": "referencia"}
    content = ";".join(HEADER) + "\n012;1,50;2026-11-24;Q1\n12;1,50;2026-11-24;Q2\n"
    answer = load(content, mapping=mapping | {"options": {"id_zeros": "strip"}})
    assert (answer["accepted"], answer["rejected"]) == (1, 1)
    assert "0012" in answer["errors"][0]["expected"]


def test_an_operation_whose_number_lost_its_zeros_is_no_second_payment(load):
    head = ";".join(HEADER)
    load(f"{head}\nD1;1,50;2026-11-23;000611365\n")
    content = f"{head}\nD1;1,50;2026-11-23;611365\nD1;2,50;2026-11-23;12\n"
    answer = load(content, dry_run=True)
    assert (answer["accepted"], [error["line"] for error in answer["errors"]]) == (1, [2])
    assert "000611365" in answer["errors"][0]["expected"]
    mapping = dict(zip(("account", "amount", "date", "reference"), HEADER, strict=True))
    answer = load(content, mapping=mapping | {"options": {"id_zeros": "strip"}})
    assert (answer["accepted"], answer["known"]) == (1, 1)


def test_a_file_is_known_again_after_its_account_went_to_another_debtor(load, loan, company):
    content = ";".join(HEADER) + "\nD1;1,50;2026-11-23;R1\n"
    load(content)
    Account.objects.filter(pk=loan.pk).update(debtor=receivables.debtor(company, "Luz"))
    answer = load(content)
    assert (answer["accepted"], answer["known"], answer["rejected"]) == (0, 1, 0)


def test_a_cheque_that_came_back_is_not_paid_by_a_file_that_lost_its_zeros(load, now):
    head = ";".join(HEADER)
    load(f"{head}\nD1;1,50;2026-11-23;000611365\n")
    actor = acting("ana", now=now + timedelta(days=2))
    payments.reverse_payment(payment_id=Payment.objects.get().pk, reason="devuelto", actor=actor)
    answer = load(f"{head}\nD1;1,50;2026-11-23;611365\n")
    assert (answer["accepted"], answer["rejected"]) == (0, 1)
