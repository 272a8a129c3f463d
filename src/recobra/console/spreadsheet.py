"""Spreadsheet files of lists: CSV and XLSX, written row by row in constant memory."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import IO, Final

import xlsxwriter

from recobra.kit.spreadsheet_text import escape_formula
from recobra_core.money import from_minor

Cell = str | int | Decimal | None
Rows = Iterator[list[Cell] | list[str]]
FORMATS: Final = frozenset({"csv", "xlsx"})
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Excel takes no longer name of a sheet.
_NAME_LIMIT: Final = 31
_COLUMNS_WIDENED: Final = 20
_COLUMN_WIDTH: Final = 18


def write_csv(file: IO[bytes], lines: Iterable[Iterable[Cell]]) -> int:
    """Write CSV as spreadsheets in Spanish expect it; return the number of rows after the head."""
    # Without the byte order mark Excel reads the file as Latin-1.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text, delimiter=";")
    # The head is row 0, so the number of the last row is how many follow the head.
    row_number = -1
    for row_number, line in enumerate(lines):  # noqa: B007 - the number of the last row is the result
        writer.writerow([_escape_cell(cell) for cell in line])
    text.detach()
    return row_number


def write_xlsx(file: IO[bytes], lines: Iterable[Iterable[Cell]], *, name: str) -> int:
    """Write one sheet with a fixed, bold head; return the number of rows after the head."""
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet(_sheet_name(name))
    head_format = book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, _COLUMNS_WIDENED, _COLUMN_WIDTH)
    row_number = -1
    for row_number, line in enumerate(lines):
        cell_format = head_format if row_number == 0 else None
        for column, cell in enumerate(line):
            sheet.write(row_number, column, cell, cell_format)
    book.close()
    return row_number


def write(file: IO[bytes], lines: Iterable[Iterable[Cell]], *, file_format: str, name: str) -> int:
    """Write a list in one of the FORMATS; return the number of rows after the head."""
    if file_format == "xlsx":
        return write_xlsx(file, lines, name=name)
    return write_csv(file, lines)


def amount_cell(amount_minor: int | None, currency: str) -> Decimal | None:
    """Return minor units as the decimal number of a cell."""
    return None if amount_minor is None else from_minor(amount_minor, currency)


def _sheet_name(name: str) -> str:
    """Return a name that every spreadsheet program takes: short, and without the signs that formulas use."""
    return re.sub(r"[\[\]:*?/\\']", " ", name)[:_NAME_LIMIT].strip() or "1"


def _escape_cell(cell: Cell) -> Cell:
    """Return a cell that a spreadsheet will not run: debtors choose some of the texts in a list."""
    return escape_formula(cell) if isinstance(cell, str) else cell
