"""A sheet is read as a person sees it: what is hidden, merged, marked or rounded is never taken for something else."""

import struct
from datetime import date

import pyarrow as pa
import pytest
import xlsxwriter
from pyarrow import parquet

from recobra.intake.models import RejectedRow
from recobra.intake.operations import LoadRefused, preview_file
from recobra.messaging.channels.email.message import AddressUnsuitable, encode_address
from recobra.portfolio.models import Account, ContactPoint, Instalment, Portfolio
from recobra.tabular import formats
from recobra.tabular.formats import limits, workbook
from recobra.tabular.formats.number_format import PLAIN, read_format
from recobra.tabular.formats.xls.records import look_at_sheets
from recobra.tabular.workspace import open_workspace

from .conftest import SHORT
from .old_workbook import workbook as old_workbook

HEADER = ("cuenta", "vence", "saldo")
CLIENTS = SHORT | {"debtor": {"external_id": "cliente", "name": "nombre"}}


def book(tmp_path, fill):
    """Return the path of a workbook that a function fills."""
    path = tmp_path / "libro.xlsx"
    made = xlsxwriter.Workbook(path)
    fill(made)
    made.close()
    return path


def write_rows(sheet, rows, *, row=0, column=0):
    for at, cells in enumerate(rows, start=row):
        sheet.write_row(at, column, cells)


def accounts():
    return sorted(Account.objects.values_list("external_id", flat=True))


def errors():
    return {row.line: [error["code"] for error in row.errors] for row in RejectedRow.objects.all()}


def test_the_hidden_sheet_is_not_read_unless_it_is_named(load, tmp_path):
    def fill(made):
        old, new = made.add_worksheet("Anterior"), made.add_worksheet("Cartera")
        write_rows(old, [HEADER, ("V1", "2025-01-01", 999)])
        write_rows(new, [HEADER, ("X1", "2026-10-01", 100.5)])
        old.hide()
        new.activate()

    path = book(tmp_path, fill)
    assert load(path, mapping=SHORT)["amount_minor"] == 10_050
    assert accounts() == ["X1"]
    assert preview_file(path)["names"] == ["Cartera"]
    load(path, mapping=SHORT | {"options": {"sheet": "Anterior", "partial": True}})
    assert accounts() == ["V1", "X1"]


def test_the_sheet_with_the_table_is_found_and_two_of_them_are_asked_about(load, tmp_path):
    def fill(made):
        write_rows(made.add_worksheet("Portada"), [("Cartera de noviembre", "hecha por Ana")])
        write_rows(made.add_worksheet("Soles"), [HEADER, ("X1", "2026-10-01", 100.5)])

    assert load(book(tmp_path, fill), mapping=SHORT)["accepted"] == 1

    def fill_twice(made):
        fill(made)
        write_rows(made.add_worksheet("Dólares"), [HEADER, ("X2", "2026-10-01", 7)])

    with pytest.raises(LoadRefused, match="Soles, Dólares") as refusal:
        load(book(tmp_path, fill_twice), mapping=SHORT)
    assert refusal.value.code == "several_sheets"


def test_no_more_sheets_are_looked_into_than_the_machine_bears(tmp_path, monkeypatch):
    def fill(made):
        for number in range(5):
            write_rows(made.add_worksheet(f"Hoja {number}"), [HEADER, ("X", "2026-10-01", 100.5 + number)])

    opened = []
    open_sheet = workbook._open_sheet
    monkeypatch.setattr(workbook, "_open_sheet", lambda book, name: opened.append(name) or open_sheet(book, name))
    monkeypatch.setattr(limits, "PEEKED_CELLS", 12)  # two of six cells
    with open_workspace() as duck:
        sheet = formats.read(book(tmp_path, fill), duck, formats.ReadOptions(is_any_sheet=True))
    assert (sheet.name, opened) == ("Hoja 0", ["Hoja 0", "Hoja 1", "Hoja 2"])


@pytest.mark.parametrize("column", [0, 2])
def test_an_error_is_the_fault_of_its_row_wherever_the_table_begins(load, tmp_path, column):
    def fill(made):
        sheet = made.add_worksheet()
        rows = [(*HEADER, "nota"), ("A", "2026-10-01", 10), ("B", "2026-10-01", ""), ("C", "2026-10-01", "")]
        write_rows(sheet, [*rows, ("D", "2026-10-01", 5)], row=1, column=column)
        sheet.write_formula(3, column + 2, "=NA()", None, "#N/A")
        sheet.write_formula(4, column + 2, "=B1+1", None, "")
        sheet.write_formula(5, column + 3, "=NA()", None, "#N/A")  # in a column that nobody reads
        if column:
            sheet.write_formula(2, 0, "=1+1", None, "")  # left of the table

    load(book(tmp_path, fill), mapping=SHORT)
    assert accounts() == ["A", "D"]
    assert errors() == {4: ["cell_error"], 5: ["cell_formula"]}
    cells = [row.errors[0]["params"]["cell"] for row in RejectedRow.objects.order_by("line")]
    assert cells == [f"{chr(ord('C') + column)}4", f"{chr(ord('C') + column)}5"]


def test_an_error_that_comes_tomorrow_is_no_unchanged_row(load, tmp_path):
    def fill(made, error=None):
        sheet = made.add_worksheet()
        write_rows(sheet, [("cuenta", "vence", "capital", "interes"), ("A", "2026-10-01", 10)])
        if error:
            sheet.write_formula(1, 3, "=NA()", None, error)

    mapping = {
        "account": SHORT["account"],
        "due_date": "vence",
        "amounts": {"principal": "capital", "interest": "interes"},
    }
    assert load(book(tmp_path, fill), mapping=mapping, as_of=date(2026, 11, 22))["accepted"] == 1
    second = load(book(tmp_path, lambda made: fill(made, "#N/A")), mapping=mapping)
    assert (second["rejected"], second["unchanged"]) == (1, 0)


def test_a_spreadsheets_error_in_a_text_is_nobodys_number(load):
    rows = [
        f"{name};{error};Uno;2026-10-01;1,00\n"
        for name, error in zip("ABCD", ("K1", "#N/D", "#¡VALOR!", "#ref!"), strict=True)
    ]
    load("cuenta;cliente;nombre;vence;saldo\n" + "".join(rows), mapping=CLIENTS)
    assert (accounts(), errors()) == (["A"], {line: ["text_error"] for line in (3, 4, 5)})


def test_an_error_of_an_old_workbook_is_seen():
    body = old_workbook([["cuenta", "saldo"], ["A", 5.0], ["B", 7.0]])
    assert look_at_sheets(_stream(body))["Hoja1"].faults == {}
    # The number of the last row becomes an error.
    number = struct.pack("<HHHHH", 0x0203, 14, 2, 1, 0)
    at = body.index(number)
    broken = (
        body[:at]
        + struct.pack("<HHHHHBB", 0x0205, 8, 2, 1, 0, 0x2A, 1)
        + struct.pack("<HH", 0, 2)
        + b"\0\0"
        + body[at + 18 :]
    )
    look = look_at_sheets(_stream(broken))["Hoja1"]
    assert {row: list(cells) for row, cells in look.faults.items()} == {2: [1]}
    assert look.faults[2][1].params == {"cell": "B3", "error": "#N/A"}


def _stream(body):
    """Return the records of an old workbook that begin behind its two first sectors."""
    return body[3 * 512 :]


def test_hidden_rows_are_set_aside_and_their_accounts_are_not_gone(load, tmp_path):
    def fill(made, hidden=()):
        sheet = made.add_worksheet()
        write_rows(sheet, [HEADER, *((name, "2026-10-01", 10) for name in ("A", "B", "C"))])
        for row in hidden:
            sheet.set_row(row, None, None, {"hidden": True})

    options = {"options": {"gone": "paid", "shrink_limit": 1}}
    load(book(tmp_path, fill), mapping=SHORT | options, as_of=date(2026, 11, 22))
    result = load(book(tmp_path, lambda made: fill(made, [2])), mapping=SHORT | options)
    assert (result["rows"], result["accepted"], result["set_aside"], result["gone"], result["payments"]) == (
        3,
        2,
        1,
        0,
        0,
    )
    assert result["aside"] == [{"code": "hidden", "rows": 1, "lines": [3]}]


def test_merged_cells_are_said_of_each_row_but_an_amount_is_not(load, tmp_path):
    def fill(made):
        sheet = made.add_worksheet()
        write_rows(sheet, [("cliente", "nombre", "cuenta", "vence", "saldo")])
        write_rows(sheet, [("", "", f"F{n}", "2026-10-01", n) for n in range(1, 6)], row=1)
        sheet.merge_range(1, 0, 3, 0, "K1")
        sheet.merge_range(1, 1, 3, 1, "Cliente Uno")
        sheet.merge_range(4, 4, 5, 4, 9)

    result = load(book(tmp_path, fill), mapping=CLIENTS)
    assert set(Account.objects.values_list("external_id", "debtor__external_id", "debtor__name")) == {
        (f"F{n}", "K1", "Cliente Uno") for n in (1, 2, 3)
    }
    assert errors() == {5: ["merged"], 6: ["merged"]}
    assert result["errors"][0]["errors"][0]["params"] == {"cell": "E5", "last": 6}


def test_a_format_that_shows_zeros_and_figures_that_were_lost(load, tmp_path):
    def fill(made):
        sheet = made.add_worksheet()
        write_rows(sheet, [HEADER])
        zeros, series = made.add_format({"num_format": "00000000"}), made.add_format({"num_format": '"F001-"0000'})
        sheet.write_number(1, 0, 1234, zeros)
        sheet.write_number(2, 0, 627, series)
        sheet.write_number(3, 0, 12345678901234567)
        sheet.write_number(4, 0, 1234)
        for row in range(1, 5):
            sheet.write_row(row, 1, ["2026-10-01", 5])

    # 1234 beside 00001234 would be asked about.
    load(book(tmp_path, fill), mapping=SHORT, confirm=True)
    assert accounts() == ["00001234", "1234", "F001-0627"]
    assert errors() == {4: ["digits_lost"]}


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ("00000000", 1234, "00001234"),
        ("000-0000", 12345, "001-2345"),
        ("0000;-0000", 7, "0007"),
        ('"F001-"0000', 123456, "F001-123456"),
        ("0000", 1.5, "1.5"),
        ("0000", -1, "-1"),
        ("[$US$-409] #,##0.00", 100, "US$ 100"),
        ('"S/" #,##0.00', 100, "S/ 100"),
        ("[$EUR] 0.00", 5, "EUR 5"),
    ],
)
def test_a_number_is_written_as_its_format_shows_it(code, number, shown):
    assert read_format(code).write(number, str(number)) == shown


@pytest.mark.parametrize(
    "code", ["0", "0.00", "#,##0", "General", "@", "dd/mm/yyyy", "0%", '0 "días"', "[$-280A]0", '"$" 0']
)
def test_other_formats_show_the_number_alone(code):
    assert read_format(code) == PLAIN


def test_an_amount_in_the_format_of_another_currency_is_no_amount_of_ours(load, tmp_path):
    def fill(made):
        sheet = made.add_worksheet()
        write_rows(sheet, [HEADER])
        for row, code in enumerate(("[$US$-409] #,##0.00", '"S/" #,##0.00', "#,##0.00"), start=1):
            sheet.write_row(row, 0, [f"A{row}", "2026-10-01"])
            sheet.write_number(row, 2, 1234.5, made.add_format({"num_format": code}))

    result = load(book(tmp_path, fill), mapping=SHORT | {"options": {"other_currencies": "set_aside"}})
    assert (accounts(), result["amount_minor"]) == (["A2", "A3"], 246_900)
    assert result["aside"] == [{"code": "currency", "rows": 1, "lines": [2], "amounts": {"USD": "1234.50"}}]


def test_what_is_set_aside_has_the_decimals_of_its_own_currency(load, company):
    company.currency = "CLP"
    company.save()
    text = "cuenta;vence;saldo;moneda\nA;2026-10-01;1.500;CLP\nB;2026-10-01;12,50;USD\n"
    result = load(text, mapping=SHORT | {"currency": "moneda", "options": {"other_currencies": "set_aside"}})
    assert [(aside["code"], aside["amounts"]) for aside in result["aside"]] == [("currency", {"USD": "12.50"})]


def test_a_whole_number_with_decimals_in_parquet_is_the_number(load, tmp_path):
    path = tmp_path / "cartera"
    columns = {"cuenta": [20512333797.0, None], "vence": ["2026-10-01"] * 2, "saldo": [1.5, 2.5]}
    parquet.write_table(pa.table(columns), path)
    load(path, mapping=SHORT)
    assert accounts() == ["20512333797"]


def test_what_a_spreadsheet_puts_around_a_number_is_no_part_of_it(load):
    text = 'cuenta;cliente;nombre;vence;saldo\n="0001234";="000777";\'t Hoen;2026-10-01;1,00\n'
    text += '\'0001235;"=""000778""";\'Dos\';2026-10-01;2,00\n\u200b0001236;K3;Tres;2026-10-01;=1+1\n'
    load(text, mapping=CLIENTS)
    assert sorted(Account.objects.values_list("external_id", "debtor__external_id", "debtor__name")) == [
        ("0001234", "000777", "t Hoen"),
        ("0001235", "000778", "'Dos'"),
    ]
    assert errors() == {4: ["amount"]}


def test_a_rounded_number_identifies_nothing(load):
    targets = (
        "account.external_id",
        "debtor.external_id",
        "debtor.national_id",
        "instalment.number",
        "account.contract",
    )
    mapping = {"balance": "saldo", "due_date": "vence"} | {target: f"c{n}" for n, target in enumerate(targets)}
    rows = [[f"{line}{n}" for n in range(len(targets))] for line in range(6)]
    for at in range(len(targets)):
        rows[at][at] = "1,91431E+15" if at % 2 else "1.9e+15"
    text = "\n".join([";".join([*mapping.values()]), *(";".join(["1,00", "2026-10-01", *row]) for row in rows)])
    load(text, mapping=mapping)
    assert (accounts(), errors()) == (["50"], {line: ["scientific"] for line in range(2, 7)})


def test_an_account_of_lost_figures_may_be_any_so_none_is_gone(load):
    options = {"options": {"gone": "paid", "shrink_limit": 1}}
    load(
        "cuenta;vence;saldo\n1914310000000001;2026-10-01;1,00\nB;2026-10-01;2,00\n",
        mapping=SHORT | options,
        as_of=date(2026, 11, 22),
    )
    result = load("cuenta;vence;saldo\n1,91431E+15;2026-10-01;1,00\nB;2026-10-01;2,00\n", mapping=SHORT | options)
    assert result["payments"] == 0
    assert set(Account.objects.values_list("external_id", "status")) == {("1914310000000001", "MISSING"), ("B", "OPEN")}


TOTALS = """factura;cliente;nombre;vence;saldo
T1;K1;Total Gas SAC;2026-10-01;100,50
Total Gas SAC;;;;100,50
T2;K2;Cliente Dos;2026-10-02;200,25
;K2;Subtotal Cliente Dos;;200,25
TOTALES;2;;;300,75
factura;cliente;nombre;vence;saldo
Gran total;300,75
TOTAL;K9;Cliente Nueve;2026-10-03;1,00
;K8;Total Gas SAC;2026-10-03;2,00
"""


def test_totals_are_set_aside_by_name_and_customers_called_so_are_not(load):
    result = load(TOTALS, mapping=CLIENTS | {"account": {"external_id": "factura"}})
    assert accounts() == ["T1", "T2", "TOTAL"]
    assert (result["rows"], result["accepted"], result["set_aside"], result["amount_minor"]) == (9, 3, 5, 30_175)
    assert {each["code"]: each["lines"] for each in result["aside"]} == {"total": [3, 5, 6, 8], "header": [7]}
    assert errors() == {10: ["missing"]}


TITLES = [
    "Reporte de cartera\nACME SAC\n\n",
    "Cartera;al 25/11/2026;;\n;;;\n",
    '"Cartera\nal cierre"\nEmpresa:;ACME;;\n',
    "sep=;\nCartera;;;\n",
]


@pytest.mark.parametrize("columns", [("saldo", "Cuenta"), ()], ids=["known columns", "unknown columns"])
@pytest.mark.parametrize("top", TITLES)
def test_titles_above_the_table_are_passed_over(db, tmp_path, top, columns):
    path = tmp_path / "cartera.csv"
    path.write_text(f"{top}cuenta;nombre;vence;saldo\nX1;Uno;2026-10-01;100,00\nX2;Dos;2026-10-01;mucho\n")
    with open_workspace() as duck:
        sheet = formats.read(path, duck, formats.ReadOptions(columns=columns))
        assert (sheet.headers, sheet.header_line) == (("cuenta", "nombre", "vence", "saldo"), top.count("\n") + 1)
        assert duck.fetch_all(f"SELECT line FROM {sheet.raw} ORDER BY line") == [
            (sheet.header_line + 1,),
            (sheet.header_line + 2,),
        ]


def test_a_name_over_two_lines_is_a_name_of_a_column(load):
    text = 'cuenta;"fecha de\nvencimiento";saldo\nX1;2026-10-01;100,00\n'
    load(text, mapping=SHORT | {"instalment": {"due_date": "Fecha de vencimiento"}})
    assert Instalment.objects.get().due_date == date(2026, 10, 1)


def test_the_line_of_the_names_is_the_one_that_is_said(load, tmp_path):
    text = "cuenta;vence;saldo\nvieja;2020-01-01;1,00\ncuenta;vence;saldo\nX1;2026-10-01;100,00\n"
    load(text, mapping=SHORT | {"options": {"header_line": 3}})
    assert accounts() == ["X1"]
    with pytest.raises(LoadRefused) as refusal:
        load(text, mapping=SHORT | {"options": {"header_line": 90}})
    assert refusal.value.code == "header_line"


MAILS = {
    "uno@b.example dos@b.example": ["uno@b.example", "dos@b.example"],
    "Ana Pérez <ana@c.example>": ["ana@c.example"],
    "mailto:ana@e.example.": ["ana@e.example"],
    "ana@peña.example": ["ana@peña.example"],
    "a@x.example/b@x.example": ["a@x.example", "b@x.example"],
    "no tiene": [],
    "ana@localhost": [],
    "ana..b@c.example": [],
}


def test_addresses_of_a_cell_are_those_that_can_be_written_to(load):
    rows = [f"A{n};K{n};2026-10-01;1,00;{cell}\n" for n, cell in enumerate(MAILS)]
    mapping = SHORT | {"debtor": {"external_id": "cliente"}, "emails": ["correo"]}
    load("cuenta;cliente;vence;saldo;correo\n" + "".join(rows), mapping=mapping)
    # Of equally good ones the first of the cell is written to.
    points = ContactPoint.objects.filter(kind="EMAIL", valid=True).order_by("pk")
    for n, (cell, expected) in enumerate(MAILS.items()):
        assert list(points.filter(debtor__external_id=f"K{n}").values_list("value", flat=True)) == expected, cell
    for value in points.values_list("value", flat=True):
        assert encode_address(value)
    for cell in ("no tiene", "ana@localhost", "ana..b@c.example"):
        with pytest.raises(AddressUnsuitable):
            encode_address(cell)


def test_telephones_of_a_cell_are_read_without_names_and_notes(load):
    text = "cuenta;vence;saldo;tel\nA;2026-10-01;1,00;Ana: 987654321 / Luis 912345678 (casa)\n"
    load(text + "B;2026-10-01;1,00;5,19876E+10\n", mapping=SHORT | {"phones": ["tel"]})
    assert set(ContactPoint.objects.filter(kind="PHONE").values_list("value", "valid")) == {
        ("+51987654321", True),
        ("+51912345678", True),
        ("5,19876E+10", False),
    }


MIXED = """cuenta;cliente;nombre;vence;total;pagado;moneda;estado
A;K1;Uno;2026-10-01;100,00;30,00;PEN;Pendiente
B;K2;Dos;2026-10-01;50,00;;S/;pendiente
C;K3;Tres;2026-10-01;20,00;;USD;PENDIENTE
D;K4;Cuatro;2026-10-01;7,00;7,00;PEN;Págada
E;K5;Cinco;2026-10-01;10,00;11,00;PEN;Vencida
F;K6;Seis;2026-10-01;US$ 5,00;1,00;;Vencida
"""
MIXED_MAPPING = CLIENTS | {
    "balance": "total",
    "paid": "pagado",
    "currency": "moneda",
    "filters": {"estado": {"leave_out": ["pagada"]}},
}


def test_what_was_paid_is_taken_off_and_filtered_rows_are_told_with_their_sums(load):
    options = {"options": {"other_currencies": "set_aside"}}
    result = load(MIXED, mapping=MIXED_MAPPING | options)
    assert (accounts(), result["amount_minor"], errors()) == (["A", "B"], 12_000, {6: ["paid"]})
    assert {each["code"]: (each["lines"], each["amounts"]) for each in result["aside"]} == {
        "currency": ([4, 7], {"USD": "24.00"}),
        "filter": ([5], {"PEN": "0.00"}),
    }
    assert load(MIXED, mapping=MIXED_MAPPING, dry_run=True)["rejected"] == 3


@pytest.fixture
def dollars(company):
    """A portfolio of the same creditor in another currency."""
    other = Portfolio.objects.get(pk=company.pk)
    other.pk, other.code, other.currency = None, "PE-USD", "USD"
    other.save()
    return other


def test_rows_of_another_currency_wait_where_their_portfolio_is_busy(load, dollars, busy):
    mapping = MIXED_MAPPING | {"currencies": {"USD": dollars.code}}
    with busy(dollars), pytest.raises(LoadRefused) as refusal:
        load(MIXED, mapping=mapping)
    assert refusal.value.is_passing, "its job tries again, and the file stays"
    assert load(MIXED, mapping=mapping)["routed"][0]["accepted"] == 2
    assert Account.objects.count() == 4


@pytest.mark.usefixtures("dollars")
def test_another_currency_goes_to_the_portfolio_that_takes_it(load, company):
    mapping = MIXED_MAPPING | {"currencies": {"USD": "PE-USD"}}
    result = load(MIXED, mapping=mapping)
    (routed,) = result["routed"]
    assert (result["accepted"], routed["portfolio"], routed["accepted"], routed["amount_minor"]) == (
        2,
        "PE-USD",
        2,
        2_400,
    )
    assert set(Account.objects.values_list("portfolio__code", "external_id")) == {
        (company.code, "A"),
        (company.code, "B"),
        ("PE-USD", "C"),
        ("PE-USD", "F"),
    }
    with pytest.raises(LoadRefused, match="EUR"):
        load(MIXED, mapping=MIXED_MAPPING | {"currencies": {"EUR": "PE-USD"}})


def test_the_items_of_an_invoice_are_one_debt_and_none_of_them_may_be_missing(load):
    rows = [
        "F1;K1;Uno;2026-10-01;10,00",
        "F1;K1;Uno;2026-10-01;10,00",
        "F2;K2;Dos;2026-10-02;5,00",
        "F2;K2;Dos;2026-10-02;mucho",
    ]
    text = "\n".join(["cuenta;cliente;nombre;vence;saldo", *rows])
    mapping = CLIENTS | {"options": {"due_rows": "items"}}
    result = load(text, mapping=mapping, as_of=date(2026, 11, 22))
    assert (accounts(), result["amount_minor"], result["accepted"]) == (["F1"], 2_000, 2)
    assert errors() == {4: ["gathered"], 5: ["amount"]}
    assert Instalment.objects.count() == 1
    again = load(f"{text.replace('mucho', '1,50')}\nF1;K1;Uno;2026-10-01;1,00", mapping=mapping)
    assert (again["created"], again["updated"], again["amount_minor"]) == (1, 1, 2_750)
