"""Reading of XLSX and XLS: cells by calamine, turned into text that the checks of a text file understand.

What calamine does not tell of a sheet (errors, hidden rows, number formats) is found before by a look at its parts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import python_calamine as calamine

from recobra.tabular.formats import limits
from recobra.tabular.refusals import FileRefused
from recobra.tabular.workspace import Workspace

from .header import TOP_ROWS, TopRow, count_columns, find_header
from .number_format import PLAIN, NumberFormat
from .sheet import CellFault, ReadOptions, Row, Sheet, append_rows, cell_name, create_tables, name_columns

# By row and column, both from 0.
CellFaults = dict[int, dict[int, CellFault]]
SURE_FIGURES: Final = 15
"""A workbook keeps so many figures of a number; further ones became zeros when it was written."""
_PEEKED_SHEETS: Final = 20


@dataclass
class SheetLook:
    """What a look at a sheet found beside its cells' values; rows and columns are counted from 0.

    `formats` are those that show more than the number, by column: the rows at which each begins, and the format from
    there on.
    """

    faults: CellFaults = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    formats: dict[int, tuple[list[int], list[NumberFormat]]] = field(default_factory=dict)

    def add_format(self, row: int, column: int, shown: NumberFormat) -> None:
        """Note the format of a cell. Cells come by rows."""
        if shown == PLAIN and column not in self.formats:
            return
        starts, formats = self.formats.setdefault(column, ([], []))
        if not formats or formats[-1] != shown:
            starts.append(row)
            formats.append(shown)

    def format_of(self, row: int, column: int) -> NumberFormat:
        """Return the format of a cell in one of the columns of `formats`."""
        starts, formats = self.formats[column]
        at = bisect_right(starts, row)
        return formats[at - 1] if at else PLAIN


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


def read_workbook(
    path: Path, duck: Workspace, options: ReadOptions, *, kind: str, look_at: Callable[[str], SheetLook]
) -> Sheet:
    """Read the sheet that is named, or the one with the table, into DuckDB. Raises FileRefused.

    `look_at` gives what is found beside the cells of a sheet, by its name.
    """
    with _refuse_damaged():
        book = calamine.CalamineWorkbook.from_path(str(path))
        sheets = book.sheets_metadata
    seen = tuple(
        sheet.name
        for sheet in sheets
        if sheet.visible == calamine.SheetVisibleEnum.Visible and sheet.typ == calamine.SheetTypeEnum.WorkSheet
    )
    # A book whose sheets are all hidden shows the first.
    names = seen or tuple(sheet.name for sheet in sheets[:1])
    sheet = _choose_sheet(book, names, options)
    look = look_at(sheet.name)
    rows = _read_rows(sheet, look)
    top = list(islice(rows, max(TOP_ROWS, options.header_line)))
    shown = [TopRow(row.line, [] if row.is_hidden else row.cells) for row in top]
    at = find_header(shown, stated_line=options.header_line, columns=options.columns)
    headers = name_columns(_cut_names(top[at].cells))
    create_tables(duck, len(headers))
    filled = _leave_blank_rows_out(chain(top[at + 1 :], rows), width=len(headers))
    append_rows(duck, filled, width=len(headers))
    return Sheet(headers, kind, header_line=top[at].line, name=sheet.name, names=names)


def _choose_sheet(
    book: calamine.CalamineWorkbook, names: Sequence[str], options: ReadOptions
) -> calamine.CalamineSheet:
    """Return the sheet that is named, else the visible one with the table. Raises FileRefused where several have it."""
    if options.sheet:
        if options.sheet not in book.sheet_names:
            raise FileRefused("sheet_missing", sheet=options.sheet, sheets=", ".join(names))
        return _open_sheet(book, options.sheet)
    if not names:
        raise FileRefused("empty")
    first = _open_sheet(book, names[0])
    if len(names) == 1:
        return first
    # By sheet, how many of the wanted columns its best row names; without wanted ones, whether it holds a table at all.
    best, found = first, _count_found(first, options.columns)
    rivals: list[str] = []
    cells = first.height * first.width
    for name in names[1:_PEEKED_SHEETS]:
        # Each sheet is made whole, and all of them may be one part of the file.
        if cells > limits.PEEKED_CELLS:
            break
        sheet = _open_sheet(book, name)
        cells += sheet.height * sheet.width
        count = _count_found(sheet, options.columns)
        if count > found:
            best, found, rivals = sheet, count, []
        elif count == found and count:
            rivals.append(name)
    if rivals and options.columns and found > 1 and not options.is_any_sheet:
        raise FileRefused("several_sheets", sheets=", ".join([best.name, *rivals]))
    return best


def _open_sheet(book: calamine.CalamineWorkbook, name: str) -> calamine.CalamineSheet:
    with _refuse_damaged():
        return book.get_sheet_by_name(name)


def _count_found(sheet: calamine.CalamineSheet, columns: Sequence[str]) -> int:
    """Return how many wanted columns the best of the first rows names; without wanted ones, 1 for a table."""
    texts = [[cell_text(cell) for cell in cells] for cells in islice(sheet.iter_rows(), TOP_ROWS)]
    if columns:
        return max((count_columns(row, columns) for row in texts), default=0)
    return int(any(sum(cell is not None for cell in row) > 1 for row in texts))


def _cut_names(cells: Sequence[str | None]) -> list[str]:
    """Return the names of columns without the empty cells after the last one."""
    names = [cell or "" for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names


def _read_rows(sheet: calamine.CalamineSheet, look: SheetLook) -> Iterator[Row]:
    """Yield every row of a sheet that holds anything as text, each with the faults of its cells."""
    # Rows come from the first on, columns only from the first that has a cell.
    first_column = (sheet.start or (0, 0))[1]
    merged = _Merged(sheet.merged_cell_ranges or (), first_column)
    for number, cells in enumerate(sheet.iter_rows()):
        # A sheet may have a million rows without a value, so that this has to be quick.
        if cells.count("") == len(cells) and number not in look.faults:
            continue
        texts = [None if cell == "" else cell_text(cell) for cell in cells]
        faults: dict[int, CellFault] = {}
        for at, cell in enumerate(cells):
            if type(cell) is float and abs(cell) >= 10**SURE_FIGURES:
                faults[at] = CellFault("digits_lost", {"cell": cell_name(number + 1, at + first_column + 1)})
        for column in look.formats:
            at = column - first_column
            if at < 0:
                continue  # left of the first column that has a value
            figure = cells[at] if at < len(cells) else None
            if isinstance(figure, float):
                texts[at] = look.format_of(number, column).write(figure, texts[at] or "")
        merged.fill(number, cells, texts, faults)
        for column, fault in look.faults.get(number, {}).items():
            at = column - first_column
            if at < 0:
                continue
            texts += [None] * (at + 1 - len(texts))
            texts[at] = str(fault.params.get("error", "=?"))
            faults[at] = fault
        yield Row(number + 1, texts, faults=faults, is_hidden=number in look.hidden)


class _Merged:
    """Cells that are merged downwards: as a person sees it, what stands in the first of them is said of each row.

    An amount may be that of all of them together: that is for whoever reads the column to refuse.
    """

    def __init__(self, ranges: Iterable[tuple[tuple[int, int], tuple[int, int]]], first_column: int) -> None:
        self._first_column = first_column
        self._by_first_row: dict[int, list[tuple[int, int]]] = {}  # column and last row
        for (first_row, column), (last_row, _last_column) in ranges:
            if last_row > first_row and column >= first_column:
                self._by_first_row.setdefault(first_row, []).append((column - first_column, last_row))
        self._open: dict[int, tuple[str | None, CellFault | None, int]] = {}  # by column: text, fault, last row

    def fill(self, number: int, cells: Sequence[Any], texts: list[str | None], faults: dict[int, CellFault]) -> None:
        """Give the cells of a row what the merged cells above them hold."""
        for at, last_row in self._by_first_row.get(number, ()):
            if at >= len(cells):
                continue
            fault = None
            if type(cells[at]) is float:
                place = cell_name(number + 1, at + self._first_column + 1)
                fault = CellFault("merged", {"cell": place, "last": last_row + 1})
                faults.setdefault(at, fault)
            self._open[at] = (texts[at], fault, last_row)
        self._open = {at: cell for at, cell in self._open.items() if number <= cell[2]}
        for at in self._open:
            texts[at] = None  # whatever a covered cell holds, nobody sees it
        if not any(texts) and not self._by_first_row.get(number):
            return
        for at, (text, fault, _last_row) in self._open.items():
            texts[at] = text
            faults.pop(at, None)
            if fault:
                faults[at] = fault


def _leave_blank_rows_out(rows: Iterable[Row], *, width: int) -> Iterator[Row]:
    """Yield the rows that hold anything, each with no fewer cells than the table has columns.

    Faults beyond the last column are nobody's.
    """
    for row in rows:
        if not any(row.cells):
            continue
        row.cells.extend([None] * (width - len(row.cells)))
        faults: Mapping[int, CellFault] = {at: fault for at, fault in row.faults.items() if at < width}
        yield Row(row.line, row.cells, faults=faults, is_hidden=row.is_hidden) if row.faults else row


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
