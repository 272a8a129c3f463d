"""Reading of XLSX and XLS: cells by calamine, turned into text that the checks of a text file understand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import python_calamine as calamine

from recobra.tabular.refusals import FileRefused
from recobra.tabular.workspace import Workspace

from .sheet import Row, Sheet, append_rows, create_tables, name_columns


class CellProblem(NamedTuple):
    """Why a cell has no value: the error code and the facts of its message."""

    code: str
    params: dict[str, Any]


# By row and column, both from 0.
CellProblems = dict[int, dict[int, CellProblem]]


def _open_sheet(path: Path, sheet_name: str) -> calamine.CalamineSheet:
    """Return the named or first sheet. Raises FileRefused."""
    with _refuse_damaged():
        book = calamine.CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
    if sheet_name and sheet_name not in names:
        raise FileRefused("sheet_missing", sheet=sheet_name, sheets=", ".join(names))
    with _refuse_damaged():
        return book.get_sheet_by_name(sheet_name) if sheet_name else book.get_sheet_by_index(0)


@contextmanager
def _refuse_damaged() -> Iterator[None]:
    """Turn the errors of the library into refusals."""
    try:
        yield
    except calamine.PasswordError:
        raise FileRefused("encrypted") from None
    except (calamine.CalamineError, ValueError, IndexError, OSError):
        raise FileRefused("workbook") from None
    except BaseException as error:
        # What the library did not foresee ends it, as an error beside all of Python's own.
        if type(error).__name__ != "PanicException":
            raise
        raise FileRefused("workbook") from None


def read_workbook(path: Path, duck: Workspace, sheet_name: str, *, kind: str, problems: CellProblems) -> Sheet:
    """Read the named or first sheet into DuckDB; `problems` are cells without a value. Raises FileRefused."""
    rows = enumerate(_open_sheet(path, sheet_name).iter_rows())
    headers = name_columns(_take_header(rows))
    create_tables(duck, len(headers))
    append_rows(duck, _convert_rows(rows, headers, problems), width=len(headers))
    return Sheet(headers, kind)


def _take_header(rows: Iterable[tuple[int, list[Any]]]) -> list[str]:
    """Return the first row that is not empty as column names, and leave the iterator behind it. Raises FileRefused."""
    for _number, cells in rows:
        if _is_empty(cells):
            continue
        names = [cell_text(cell) or "" for cell in cells]
        if any(names):
            while names and not names[-1]:
                names.pop()
            return names
    raise FileRefused("empty")


def _is_empty(cells: list[Any]) -> bool:
    """Return whether a row has no value; a sheet may have a million such rows, so that this has to be quick."""
    return cells.count("") == len(cells)


def _convert_rows(
    rows: Iterable[tuple[int, list[Any]]], headers: tuple[str, ...], problems: CellProblems
) -> Iterator[Row]:
    """Yield each row that is not empty as text; one with unusable cells carries the problem of the first of them."""
    width = len(headers)
    for number, cells in rows:
        if _is_empty(cells) and number not in problems:
            continue
        texts = [None if cell == "" else cell_text(cell) for cell in cells]
        texts += [None] * (width - len(texts))
        row_problems = {n: problem for n, problem in problems.get(number, {}).items() if n < width}
        if row_problems:
            first = min(row_problems)
            problem = row_problems[first]
            yield Row(
                line=number + 1,
                cells=texts,
                code=problem.code,
                params=problem.params,
                column=headers[first],
                value=str(problem.params.get("error", "")),
            )
        elif any(texts):
            yield Row(number + 1, texts)


def cell_text(cell: Any) -> str | None:
    """Return a cell as a text file would hold it: 15 significant digits, ISO dates."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        # 1200.0 is how a workbook keeps the account number 1200.
        return format(Decimal(f"{cell:.15g}"), "f")
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, date | time | timedelta):
        return str(cell)
    text = str(cell).strip()
    return text or None
