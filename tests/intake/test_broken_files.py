"""Everything that can be wrong with a file gets its own clear answer, and nothing that was accepted is lost."""

import gzip
import io
import os
import struct
import zipfile

import pyarrow as pa
import pytest
import xlsxwriter
from pyarrow import parquet

from recobra.intake.models import Load, RejectedRow
from recobra.intake.operations import LoadRefused
from recobra.intake.refusals import expected_words
from recobra.portfolio.models import Account
from recobra.tabular import formats
from recobra.tabular.refusals import FileRefused

from .conftest import SHORT

GOOD = "cuenta;vence;saldo\nA;01/10/2026;100,00\nB;02/10/2026;20,50\n"


def _zip(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), body)
    return buffer.getvalue()


def _zip_bomb():
    return _zip(xl__workbook_xml="<workbook/>", bomb_xml=b"0" * (300 << 20))


def _lying_zip():
    """A member of 300 MB whose directory says 10 bytes."""
    packed = bytearray(_zip_bomb())
    at = packed.rfind(b"bomb.xml") - 46
    packed[at + 24 : at + 28] = struct.pack("<I", 10)
    return bytes(packed)


def _parquet_head():
    buffer = io.BytesIO()
    parquet.write_table(pa.table({"cuenta": ["A"], "saldo": [1.0]}), buffer)
    return buffer.getvalue()[:-20]


WHOLE = {
    "an empty file": (b"", "empty"),
    "only blank lines": (b"\n\n\n", "empty"),
    "a header and no rows": ("cuenta;vence;saldo\n", "header_only"),
    "binary noise": (bytes(range(256)) * 40, "binary"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 50, "binary"),
    "a NUL byte": (GOOD.encode() + b"C;\x00;1\n", "nul"),
    "other columns": ("a;b;c\n1;2;3\n", "missing_columns"),
    "no header": ("A;01/10/2026;100,00\nB;01/10/2026;20\n", "missing_columns"),
    "the same column twice": ("cuenta;saldo;saldo;vence\nA;1;2;01/10/2026\n", "duplicate_columns"),
    "too many columns": (";".join(f"c{n}" for n in range(600)) + "\n" + ";" * 599 + "\n", "too_many_columns"),
    "a declared encoding that it has not": ("cuenta;vence;saldo\nÑ;01/10/2026;1\n".encode("cp1252"), "encoding"),
    "gzip cut off": (gzip.compress(GOOD.encode() * 500)[:-40], "gzip"),
    "gzip with damage": (b"\x1f\x8b\x08\x00" + b"x" * 50, "gzip"),
    "a gzip bomb": (gzip.compress(b"0" * (80 << 20)), "zip_bomb"),
    "a zip bomb as XLSX": (_zip_bomb, "zip_bomb"),
    "a zip bomb that lies about its size": (_lying_zip, "workbook"),
    "a zip that is no workbook": (_zip(readme_txt="hola"), "workbook"),
    "a workbook cut off": (b"PK\x03\x04" + b"x" * 400, "workbook"),
    "an old workbook that is noise": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "workbook"),
    "an encrypted workbook": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 500,
        "encrypted",
    ),
    "a Parquet file cut off": (_parquet_head, "parquet"),
    "amounts that may mean two things": (
        "cuenta;vence;saldo\nA;01/10/2026;1.234\nB;01/10/2026;5.678\n",
        "ambiguous_decimal",
    ),
    "amounts written in two ways": (
        "cuenta;vence;saldo\nA;01/10/2026;1.234,50\nB;01/10/2026;1,234.50\n",
        "mixed_decimal",
    ),
    "dates in two orders": ("cuenta;vence;saldo\nA;31/10/2026;1\nB;10/31/2026;1\n", "mixed_dates"),
    "nothing as the mapping says": (
        "cuenta;vence;saldo\n" + "".join(f"A{n};mañana;mucho\n" for n in range(30)),
        "not_as_mapped",
    ),
}
ROWS = {
    "half a row": ("C;01/10/2026", "ragged"),
    "a row too long": ("C;01/10/2026;5;6;7", "ragged"),
    "an unclosed quotation mark": ('"C;01/10/2026;5', "unclosed_quote"),
    "a month 13": ("C;01/13/2026;5", "date"),
    "a million characters in a field": ("C;" + "x" * 1_000_000 + ";5", "too_long"),
    "a byte outside the encoding": (b"C\xff;01/10/2026;5", "bad_bytes"),
}
"""Rows that may change how the rest of their file is read: each in a file of its own."""
CELLS = {
    "an amount in words": ("C;01/10/2026;cien", "amount"),
    "a negative amount": ("C;01/10/2026;-5,00", "amount_negative"),
    "a negative amount in parentheses": ("C;01/10/2026;(5,00)", "amount_negative"),
    "an absurd amount": ("C;01/10/2026;99999999999999", "amount_absurd"),
    "an amount beyond all measure": ("C;01/10/2026;" + "9" * 60, "amount_absurd"),
    "more decimals than the currency has": ("C;01/10/2026;5,123", "amount_decimals"),
    "a point where commas rule": ("C;01/10/2026;1234.56", "amount"),
    "no amount": ("C;01/10/2026;", "missing"),
    "a formula for an amount": ("C;01/10/2026;=B2*2", "amount"),
    "30 February": ("C;30/02/2026;5", "date"),
    "a date in words": ("C;mañana;5", "date"),
    "a year 1026": ("C;01/10/1026;5", "date_absurd"),
    "no account": (";01/10/2026;5", "missing"),
    "an account number without end": ("C" * 300 + ";01/10/2026;5", "length"),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_broken_file_is_refused_whole_and_says_why(kind, load, tmp_path):
    body, code = WHOLE[kind]
    mapping = SHORT | ({"options": {"encoding": "utf-8"}} if code == "encoding" else {})
    with pytest.raises(LoadRefused) as refusal:
        load(body() if callable(body) else body, mapping=mapping)
    assert refusal.value.code == code
    assert str(refusal.value)
    kept = Load.objects.get()
    assert (kept.status, bool(kept.reason), Account.objects.count()) == ("REFUSED", True, 0)


def test_what_is_no_file_is_refused(load, tmp_path):
    (tmp_path / "carpeta").mkdir()
    os.mkfifo(tmp_path / "tubo")
    for name, code in (("carpeta", "folder"), ("no-existe.csv", "not_found"), ("tubo", "not_a_file")):
        with pytest.raises(LoadRefused) as refusal:
            load(tmp_path / name, mapping=SHORT)
        assert refusal.value.code == code


def test_a_file_without_permission_is_refused(tmp_path):
    locked = tmp_path / "cartera.csv"
    locked.write_text(GOOD)
    locked.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(FileRefused) as refusal:
            formats.detect_format(locked)
    finally:
        os.seteuid(user)
    assert refusal.value.code == "no_permission"


@pytest.mark.parametrize("kind", ROWS)
def test_a_broken_row_is_set_aside_and_the_good_ones_go_in(kind, load):
    row, code = ROWS[kind]
    head = GOOD.encode() + "Ñ;03/10/2026;1,50\n".encode()
    body = head + (row if isinstance(row, bytes) else row.encode()) + b"\nD;04/10/2026;7,00\n"
    result = load(body, mapping=SHORT | {"options": {"decimal": "comma"}})
    assert (result["rows"], result["accepted"], result["rejected"]) == (5, 4, 1)
    rejected = RejectedRow.objects.get()
    assert rejected.line == 5
    assert [error["code"] for error in rejected.errors] == [code]
    assert all(expected_words(error) for error in rejected.errors)
    assert set(Account.objects.values_list("external_id", flat=True)) == {"A", "B", "Ñ", "D"}


def test_each_broken_cell_sets_its_row_aside_and_the_good_ones_go_in(load):
    good = [f"G{number};03/10/2026;1,50" for number in range(40)]
    broken = [f"C{n}{row[1:]}" if row.startswith("C;") else row for n, (row, _code) in enumerate(CELLS.values())]
    result = load(GOOD + "\n".join([*good, *broken]) + "\n", mapping=SHORT | {"options": {"decimal": "comma"}})
    assert (result["accepted"], result["rejected"]) == (42, len(CELLS))
    rejected = {row.line: row.errors for row in RejectedRow.objects.all()}
    codes = {line: [error["code"] for error in errors] for line, errors in rejected.items()}
    first = 4 + len(good)
    assert codes == {line: [code] for line, (_row, code) in enumerate(CELLS.values(), start=first)}
    assert all(expected_words(error) for errors in rejected.values() for error in errors)
    assert set(Account.objects.values_list("external_id", flat=True)) == {
        "A",
        "B",
        *(row.split(";")[0] for row in good),
    }


def test_both_rows_of_a_double_key_are_named(load):
    result = load(GOOD + "A;05/10/2026;7,00\n", mapping=SHORT)
    assert (result["accepted"], result["rejected"]) == (1, 2)
    found = {row.line: row.errors[0]["params"]["lines"] for row in RejectedRow.objects.all()}
    assert found == {2: "2, 4", 4: "2, 4"}


def test_a_row_keeps_all_its_errors(load):
    load(GOOD + ";31/11/2026;-1\n", mapping=SHORT)
    errors = RejectedRow.objects.get().errors
    assert {(error["column"], error["code"], error["value"]) for error in errors} == {
        ("cuenta", "missing", None),
        ("vence", "date", "31/11/2026"),
        ("saldo", "amount_negative", "-1"),
    }


def test_an_amount_that_names_another_currency_is_not_read_as_ours(load):
    rows = ["A;;10 PEN", "B;;S/ 10", "C;;US$ 10", "D;;10 USD", "E;;€10", "F;;usd 10"]
    result = load("\n".join(["cuenta;vence;saldo", *rows]) + "\n", mapping=SHORT)
    codes = {row["line"]: [error["code"] for error in row["errors"]] for row in result["errors"]}
    assert (result["accepted"], codes) == (2, {line: ["currency"] for line in (4, 5, 6, 7)})


def test_only_the_sheet_that_is_read_is_looked_at_for_empty_formulas(load, tmp_path):
    path = tmp_path / "dos-hojas.xlsx"
    book = xlsxwriter.Workbook(path)
    notes, balances = book.add_worksheet("Notas"), book.add_worksheet("Saldos")
    notes.write_formula(1, 1, "=1/0", None, "#DIV/0!")
    balances.write_row(0, 0, ["cuenta", "saldo", "vence"])
    for row, account in enumerate(("A", "B"), start=1):
        balances.write_row(row, 0, [account, 10, "2026-10-01"])
    balances.write_formula(2, 1, "=1/0", None, "#DIV/0!")
    book.close()
    assert load(path, mapping=SHORT | {"options": {"sheet": "Saldos"}})["accepted"] == 1
    assert [row.errors[0]["params"]["cell"] for row in RejectedRow.objects.all()] == ["B3"]


def test_cells_without_a_value_are_named(load, tmp_path):
    path = tmp_path / "libro.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["cuenta", "saldo", "vence"])
    for row, (account, saldo) in enumerate((("A", 10), ("B", 20), ("C", 30)), start=1):
        sheet.write_row(row, 0, [account, saldo, "2026-10-01"])
    sheet.write_formula(2, 1, "=1/0", None, "#DIV/0!")
    sheet.write_formula(3, 1, "=B1+1", None, "")
    book.close()
    assert load(path, mapping=SHORT)["accepted"] == 1
    cells = {row.line: (row.errors[0]["code"], row.errors[0]["params"]["cell"]) for row in RejectedRow.objects.all()}
    assert cells == {3: ("cell_error", "B3"), 4: ("cell_formula", "B4")}
