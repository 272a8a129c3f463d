"""What XLSX and XLS share: cells by calamine, turned into text that the checks of a text file understand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import python_calamine as calamine

from recobra.intake.refusals import LoadRefused

from .sheet import Reading, Row, Sheet, create_tables, fill, header_names

CellProblems = dict[int, dict[int, tuple[str, dict[str, Any]]]]


def open_sheet(reading: Reading) -> calamine.CalamineSheet:
    """Return the named or first sheet. Raises LoadRefused."""
    try:
        book = calamine.CalamineWorkbook.from_path(str(reading.path))
        names = book.sheet_names
        if reading.sheet and reading.sheet not in names:
            raise LoadRefused("sheet_missing", sheet=reading.sheet, sheets=", ".join(names))
        return book.get_sheet_by_name(reading.sheet) if reading.sheet else book.get_sheet_by_index(0)
    except calamine.PasswordError:
        raise LoadRefused("encrypted") from None
    except (calamine.CalamineError, OSError, ValueError, IndexError) as error:
        raise LoadRefused("workbook", detail=str(error)) from None


def read_sheet(reading: Reading, *, kind: str, problems: CellProblems) -> Sheet:
    """Fill `raw` and `broken`; `problems` are cells without a value by row and column, both from 0."""
    rows = enumerate(open_sheet(reading).iter_rows())
    names = _header(rows)
    headers = header_names(names)
    create_tables(reading.connection, len(headers))
    fill(reading.connection, width=len(headers), rows=_rows(rows, headers, problems))
    return Sheet(headers, kind)


def _header(rows: Iterable[tuple[int, list[Any]]]) -> list[str]:
    for _number, cells in rows:
        names = [as_text(cell) or "" for cell in cells]
        if any(names):
            while names and not names[-1]:
                names.pop()
            return names
    raise LoadRefused("empty")


def _rows(rows: Iterable[tuple[int, list[Any]]], headers: tuple[str, ...], problems: CellProblems) -> Iterator[Row]:
    width = len(headers)
    for number, cells in rows:
        texts = [as_text(cell) for cell in cells]
        texts += [None] * (width - len(texts))
        bad = {n: why for n, why in problems.get(number, {}).items() if n < width}
        if bad:
            first = min(bad)
            code, params = bad[first]
            yield Row(number + 1, texts, code, params, headers[first], str(params.get("error", "")))
        elif any(texts):
            yield Row(number + 1, texts)


def as_text(cell: Any) -> str | None:
    """Return a cell as a text file would hold it: 15 significant digits, ISO dates."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        number = Decimal(f"{cell:.15g}")
        return format(number.quantize(Decimal(1)) if number == number.to_integral_value() else number, "f")
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, date | time | timedelta):
        return str(cell)
    text = str(cell).strip()
    return text or None
