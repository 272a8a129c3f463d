"""Separators, encodings, workbooks, Parquet, amounts and dates as they really come."""

import gzip
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

import duckdb
import pyarrow as pa
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from recobra.intake.operations import preview_file
from recobra.kit import duckdb_memory
from recobra.portfolio.models import Account, Instalment, Posting
from recobra.tabular import amounts, dates, formats, identity
from recobra.tabular.workspace import open_workspace
from tests import extent

from .conftest import SHORT
from .old_workbook import workbook

ROWS = [("00017", "Peña; y «Cía»", "2026-10-01", "1234.50"), ("00018", "Ñandú", "2026-10-02", "7")]


def _text(separator, quote='"', end="\n"):
    lines = [("cuenta", "nombre", "vence", "saldo"), *ROWS]
    return end.join(separator.join(f"{quote}{cell}{quote}" for cell in line) for line in lines) + end


TEXTS = {
    "semicolons": _text(";").encode(),
    "commas": _text(",").encode(),
    "tabs": _text("\t").encode(),
    "bars": _text("|").encode(),
    "single quotes": _text(";", "'").encode(),
    "Windows line ends": _text(";", end="\r\n").encode(),
    "old Macintosh line ends": _text(";", end="\r").encode(),
    "a byte order mark": _text(";").encode("utf-8-sig"),
    "UTF-16": _text(";").encode("utf-16"),
    "UTF-16 without a mark": _text(";").encode("utf-16-le"),
    "Windows-1252": _text(";").encode("cp1252"),
    "gzip": gzip.compress(_text(";").encode()),
    "a separator line": b"sep=;\n" + _text(";").encode(),
    "blank lines": _text(";").replace("\n", "\n\n").encode(),
    "no line end at the end": _text(";").rstrip("\n").encode(),
}
MAPPING = SHORT | {"debtor": {"name": "nombre"}, "options": {"decimal": "point"}}


@pytest.mark.parametrize(("name", "held"), [("commas", 1), ("gzip", 10)])
def test_a_file_of_wide_rows_may_take_more_memory_than_its_rows_say(db, tmp_path, monkeypatch, name, held):
    path = tmp_path / "cartera.csv"
    path.write_bytes(TEXTS[name])
    monkeypatch.setattr(duckdb_memory, "LEAST", 1)
    monkeypatch.setattr(duckdb_memory, "PER_ROW", 1)
    monkeypatch.setattr(duckdb_memory, "PER_TEXT_BYTE", 1024**2 // 2)
    with open_workspace() as duck:
        duck.allow_memory(rows=1024**3, text_bytes=0)
        formats.read(path, duck, formats.ReadOptions())
        (limit,) = duck.fetch_row("SELECT current_setting('memory_limit')")
    assert limit == f"{len(TEXTS[name]) * held / 2:.1f} MiB"


def _check():
    assert sorted(Account.objects.values_list("external_id", "debtor__name")) == [row[:2] for row in ROWS]
    assert list(Posting.objects.order_by("account__external_id").values_list("amount_minor", flat=True)) == [
        123450,
        700,
    ]
    assert [str(day) for day in Instalment.objects.order_by("id").values_list("due_date", flat=True)] == [
        row[2] for row in ROWS
    ]


# What a load makes of each; day by day of few, for all give the same rows.
LOADED = extent.choose(daily=["semicolons", "UTF-16 without a mark", "gzip"], whole=list(TEXTS))


@pytest.mark.parametrize("kind", TEXTS)
def test_a_text_gives_the_same_rows_however_it_is_written(kind, tmp_path):
    path = tmp_path / "cartera.csv"
    path.write_bytes(TEXTS[kind])
    with open_workspace() as duck:
        sheet = formats.read(path, duck, formats.ReadOptions())
        rows = duck.fetch_all(f"SELECT c0, c1, c2, c3 FROM {sheet.raw} ORDER BY line")
        broken = duck.count(sheet.broken)
    assert (sheet.headers, rows, broken) == (("cuenta", "nombre", "vence", "saldo"), ROWS, 0)


@pytest.mark.parametrize("kind", LOADED)
def test_a_text_is_read_however_it_is_written(kind, load):
    assert load(TEXTS[kind], mapping=MAPPING)["accepted"] == 2
    _check()


def test_a_workbook_keeps_zeros_dates_and_cents(load, tmp_path):
    path = tmp_path / "libro.dat"
    book = xlsxwriter.Workbook(path)
    sheet, day = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
    sheet.write_row(0, 0, ["cuenta", "nombre", "vence", "saldo"])
    for row, (account, name, due, amount) in enumerate(ROWS, start=1):
        sheet.write_row(row, 0, [account, name])
        sheet.write_datetime(row, 2, date.fromisoformat(due), day)
        sheet.write_number(row, 3, float(amount))
    book.close()
    assert load(path, mapping=SHORT | {"debtor": {"name": "nombre"}})["accepted"] == 2
    _check()


def test_an_old_workbook_is_read(load, tmp_path):
    path = tmp_path / "antiguo.csv"
    days = {row[2]: float((date.fromisoformat(row[2]) - date(1899, 12, 30)).days) for row in ROWS}
    path.write_bytes(
        workbook(
            [["cuenta", "nombre", "vence", "saldo"], *([row[0], row[1], days[row[2]], float(row[3])] for row in ROWS)]
        )
    )
    assert load(path, mapping=SHORT | {"debtor": {"name": "nombre"}})["accepted"] == 2
    _check()


def test_parquet_is_read_by_its_content(load, tmp_path):
    path = tmp_path / "cartera"
    columns = list(zip(*ROWS, strict=True))
    parquet.write_table(
        pa.table(
            {
                "cuenta": columns[0],
                "nombre": columns[1],
                "vence": [date.fromisoformat(day) for day in columns[2]],
                "saldo": pa.array([Decimal(amount) for amount in columns[3]], pa.decimal128(12, 2)),
                "nota": pa.nulls(len(ROWS)),  # a column without any value, as pandas writes it
            }
        ),
        path,
    )
    assert load(path, mapping=SHORT | {"debtor": {"name": "nombre"}})["accepted"] == 2
    _check()


def test_a_field_over_several_lines_keeps_the_lines_of_the_others(load):
    text = 'cuenta;nombre;vence;saldo\nA;"Av. 1\nPiso 2";01/10/2026;1\nB;x;31/02/2026;1\n'
    result = load(text, mapping=MAPPING)
    assert (result["accepted"], result["errors"][0]["line"]) == (1, 4)


def test_a_preview_shows_rows_and_guesses_the_mapping(tmp_path):
    path = tmp_path / "cartera.csv"
    path.write_text(
        "Nro Préstamo;Cliente;DNI;Celular 1;Correo;Fecha Vencimiento;Saldo Total\n1;Rosa;45678901;9;a@b.pe;1/1/2026;5\n"
    )
    shown = preview_file(path)
    assert (shown["rows"], shown["delimiter"], shown["sample"][0][1]) == (1, ";", "Rosa")
    assert shown["mapping"] == {
        "phones": ["Celular 1"],
        "emails": ["Correo"],
        "account": {"external_id": "Nro Préstamo"},
        "debtor": {"national_id": "DNI", "name": "Cliente"},
        "instalment": {"due_date": "Fecha Vencimiento"},
        "balance": "Saldo Total",
    }


@cache
def _duckdb():
    """One for all examples: each start of one costs more than a hundred questions."""
    return duckdb.connect()


def _sql(expression, value):
    return _duckdb().execute(f"SELECT {expression} FROM (SELECT ?::VARCHAR AS v)", [value]).fetchall()[0][0]


AMOUNTS = [
    ("comma", "1.234,56", "1234.56"),
    ("point", "1,234.56", "1234.56"),
    ("point", "1234", "1234"),
    ("comma", "S/ 1.234,5", "1234.5"),
    ("point", "$1,234.50", "1234.50"),
    ("point", "(5.00)", "-5.00"),
    ("point", "5.00-", "-5.00"),
    ("comma", "1 234,56", "1234.56"),
    ("point", "USD 10", "10"),
    ("comma", "-7", "-7"),
    ("comma", "1234.56", None),
    ("point", "1.234,56", None),
    ("point", "12,34", None),
    ("point", "1e5", None),
    ("point", "=1+1", None),
    ("point", "", None),
    ("comma", "R$ 1.234.567,89", "1234567.89"),
    ("point", ".5", ".5"),
]


@pytest.mark.parametrize(("mark", "written", "number"), AMOUNTS)
def test_amounts_are_read_as_written(mark, written, number):
    assert _sql(amounts.number_sql("v", mark, is_typed=False), written) == number


DATES = [
    ("dmy", "07/03/2019", date(2019, 3, 7)),
    ("mdy", "07/03/2019", date(2019, 7, 3)),
    ("dmy", "2019-03-07", date(2019, 3, 7)),
    ("dmy", "20190307", date(2019, 3, 7)),
    ("dmy", "20190307.0", date(2019, 3, 7)),
    ("dmy", "43531", date(2019, 3, 7)),
    ("dmy", "7.3.19", date(2019, 3, 7)),
    ("ymd", "19-03-07", date(2019, 3, 7)),
    ("dmy", "07032019", date(2019, 3, 7)),
    ("dmy", "2019/03/07", date(2019, 3, 7)),
    ("dmy", "2019-03-07 10:30:00", date(2019, 3, 7)),
    ("dmy", "2019-03-07T10:30:00Z", date(2019, 3, 7)),
    ("dmy", "30/02/2019", None),
    ("dmy", "29/02/2024", date(2024, 2, 29)),
    ("dmy", "29/02/2023", None),
    ("dmy", "20190230", None),
    ("dmy", "0", None),
    ("dmy", "hoy", None),
]


@pytest.mark.parametrize(("order", "written", "day"), DATES)
def test_dates_are_read_as_written(order, written, day):
    assert _sql(dates.date_sql("v", order), written) == day


@settings(max_examples=60, deadline=None)
@given(st.lists(st.decimals(0, 10**11, places=2), min_size=1, max_size=40), st.sampled_from(["comma", "point"]))
def test_every_amount_comes_back_to_the_cent(values, mark):
    written = [f"{value:,.2f}" for value in values]
    if mark == "comma":
        written = [text.translate(str.maketrans(",.", ".,")) for text in written]
    read = (
        _duckdb()
        .execute(
            f"SELECT CAST({amounts.number_sql('v', mark, is_typed=False)} AS DECIMAL(18, 2)) FROM (SELECT unnest(?) AS v)",
            [written],
        )
        .fetchall()
    )
    assert [value for (value,) in read] == values


@settings(max_examples=60, deadline=None)
@given(
    st.dates(date(1970, 1, 1), date(2099, 12, 31)),
    st.sampled_from(
        [("dmy", "%d/%m/%Y"), ("mdy", "%m-%d-%Y"), ("dmy", "%Y%m%d"), ("mdy", "%Y-%m-%d"), ("dmy", "serial")]
    ),
)
def test_every_date_comes_back(day, writing):
    order, pattern = writing
    written = str((day - date(1899, 12, 30)) // timedelta(days=1)) if pattern == "serial" else day.strftime(pattern)
    assert _sql(dates.date_sql("v", order), written) == day


@pytest.mark.parametrize(
    ("code", "value", "valid"),
    [
        ("PE_DNI", "45678901", True),
        ("PE_DNI", "4567890", False),
        ("PE_RUC", "20512333797", True),
        ("PE_RUC", "20512333798", False),
        ("CL_RUT", "125319092", True),
        ("CL_RUT", "125319093", False),
        ("MX_RFC", "GODE561231GR8", True),
        ("BR_CPF", "39053344705", True),
        ("XX", "1", None),
    ],
)
def test_national_ids_are_judged_by_kind(code, value, valid):
    assert identity.is_valid(code, value) is valid
