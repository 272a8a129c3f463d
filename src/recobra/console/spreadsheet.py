"""Lists as files that a spreadsheet opens: CSV and XLSX, written row by row in constant memory."""

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
Lines = Iterator[list[Cell] | list[str]]
FORMS: Final = frozenset({"csv", "xlsx"})
_NAME_LIMIT: Final = 31


def write_csv(file: IO[bytes], lines: Iterable[Iterable[Cell]]) -> int:
    """Write UTF-8 with a mark and semicolons, as spreadsheets in Spanish expect; return the rows after the head."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer, count = csv.writer(text, delimiter=";"), -1
    for count, line in enumerate(lines):  # noqa: B007 - the count is the result
        writer.writerow([_harmless(cell) for cell in line])
    text.detach()
    return count


def write_xlsx(file: IO[bytes], lines: Iterable[Iterable[Cell]], *, name: str) -> int:
    """Write one sheet of a name with a fixed, bold head; return the rows after the head."""
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet, head, count = book.add_worksheet(_sheet_name(name)), book.add_format({"bold": True}), -1
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, 20, 18)
    for count, line in enumerate(lines):
        for column, cell in enumerate(line):
            sheet.write(count, column, cell, head if count == 0 else None)
    book.close()
    return count


def write(file: IO[bytes], lines: Iterable[Iterable[Cell]], *, form: str, name: str) -> int:
    """Write a list of a name in one of the FORMS; return the rows after the head."""
    return write_xlsx(file, lines, name=name) if form == "xlsx" else write_csv(file, lines)


def amount(amount_minor: int | None, currency: str) -> Decimal | None:
    """Return minor units as the decimal number of a cell."""
    return None if amount_minor is None else Decimal(amount_minor).scaleb(-get_currency_precision(currency))


def _sheet_name(name: str) -> str:
    """Return a name that every spreadsheet takes: short, without the signs that stand for something in formulas."""
    return re.sub(r"[\[\]:*?/\\']", " ", name)[:_NAME_LIMIT].strip() or "1"


def _harmless(cell: Cell) -> Cell:
    """Keep a text that begins like a formula from being run by the spreadsheet that opens it."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell
