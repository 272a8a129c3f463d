"""Spreadsheet files of lists: CSV and XLSX, written row by row in constant memory."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import IO, Final

import xlsxwriter
from babel.numbers import get_currency_precision

Cell = str | int | Decimal | None
Rows = Iterator[list[Cell] | list[str]]
FORMATS: Final = frozenset({"csv", "xlsx"})
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NAME_LIMIT: Final = 31


def write_csv(file: IO[bytes], lines: Iterable[Iterable[Cell]]) -> int:
    """Write CSV as spreadsheets in Spanish expect it; return the number of rows after the head."""
    # Without the byte order mark Excel reads the file as Latin-1.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer, count = csv.writer(text, delimiter=";"), -1
    for count, line in enumerate(lines):  # noqa: B007 - the count is the result
        writer.writerow([_escape_formula(cell) for cell in line])
    text.detach()
    return count


def write_xlsx(file: IO[bytes], lines: Iterable[Iterable[Cell]], *, name: str) -> int:
    """Write one sheet with a fixed, bold head; return the number of rows after the head."""
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet, head, count = book.add_worksheet(_sheet_name(name)), book.add_format({"bold": True}), -1
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, 20, 18)
    for count, line in enumerate(lines):
        for column, cell in enumerate(line):
            sheet.write(count, column, cell, head if count == 0 else None)
    book.close()
    return count


def write(file: IO[bytes], lines: Iterable[Iterable[Cell]], *, file_format: str, name: str) -> int:
    """Write a list in one of the FORMATS; return the number of rows after the head."""
    return write_xlsx(file, lines, name=name) if file_format == "xlsx" else write_csv(file, lines)


def amount_cell(amount_minor: int | None, currency: str) -> Decimal | None:
    """Return minor units as the decimal number of a cell."""
    return None if amount_minor is None else Decimal(amount_minor).scaleb(-get_currency_precision(currency))


def _sheet_name(name: str) -> str:
    """Return a name that every spreadsheet program takes: short, and without the signs that formulas use."""
    return re.sub(r"[\[\]:*?/\\']", " ", name)[:_NAME_LIMIT].strip() or "1"


def _escape_formula(cell: Cell) -> Cell:
    """Prefix text that a spreadsheet would run as a formula: debtors choose some of the texts in a list."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell
