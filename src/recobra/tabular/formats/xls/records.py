"""A look at the records of an old workbook: how far its cells reach, what its sheets hide, which cells show an error.

Source: MS-XLS.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from recobra.tabular.formats import limits
from recobra.tabular.formats.number_format import PLAIN, NumberFormat, read_format
from recobra.tabular.formats.sheet import CellFault, cell_name
from recobra.tabular.formats.span import SheetSpan
from recobra.tabular.formats.workbook import SheetLook
from recobra.tabular.refusals import FileRefused

_BEGIN: Final = 0x0809
_EXCEL_97: Final = 0x0600
_DIMENSIONS: Final = 0x0200
_SHARED_STRINGS: Final = 0x00FC
_SHEET: Final = 0x0085
_ROW: Final = 0x0208
_FORMAT: Final = 0x041E
_STYLE: Final = 0x00E0
_FORMULA: Final = 0x0006
_ERROR: Final = 0x0205
_NUMBER: Final = 0x0203
_SMALL_NUMBER: Final = 0x027E
_SMALL_NUMBERS: Final = 0x00BD
_LONG_DIMENSIONS: Final = 14
_HIDDEN_ROW: Final = 0x20
_WIDE_CHARACTERS: Final = 1
_ERROR_RESULT: Final = 2
# Records that begin with the row and the column of a cell.
_CELLS: Final = frozenset(
    {
        *(0x0001, 0x0002, 0x0003, 0x0004, 0x0005, 0x0006, 0x0201, 0x0203, 0x0204, 0x0205, 0x0206),
        *(0x027E, 0x00D6, 0x00FD, 0x0406),
    }
)
_SEVERAL_CELLS: Final = frozenset({0x00BD, 0x00BE})  # a row, its first column, cells, its last column
_SHORTEST_SEVERAL: Final = 6
_ERRORS: Final = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}


def look_at_sheets(book: bytes) -> dict[str, SheetLook]:
    """Return by name what a look at each sheet finds. Raises FileRefused where cells reach too far.

    Raises ValueError where the book announces more texts than it can hold.
    """
    _refuse_far_cells(book)
    reader = _Reader()
    # Books before 1997 write their texts otherwise.
    if struct.unpack_from("<HxxH", book)[:2] == (_BEGIN, _EXCEL_97):
        for at, record, body in _records(book):
            # A record that is too short for what it is says nothing.
            with suppress(struct.error):
                reader.take(at, record, body)
    return reader.looks


def _records(book: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield where each record of a stream begins, its number and its body."""
    at = 0
    while at + 4 <= len(book):
        record, length = struct.unpack_from("<HH", book, at)
        yield at, record, book[at + 4 : at + 4 + length]
        at += 4 + length


class _Reader:
    """Takes the records of a book in their order: its formats and sheets come before the cells of each sheet."""

    def __init__(self) -> None:
        self.looks: dict[str, SheetLook] = {}
        self._starts: dict[int, SheetLook] = {}
        self._codes: dict[int, str] = {}
        self._formats: list[NumberFormat] = []
        self._look = SheetLook()

    def take(self, at: int, record: int, body: bytes) -> None:
        """Take one record, which begins at a place of the stream. Raises struct.error where it is too short."""
        self._look = self._starts.get(at, self._look)
        if record == _SHEET:
            name = _read_text(body, 6, *struct.unpack_from("<B", body, 6), head=1)
            look = self._starts[struct.unpack_from("<I", body)[0]] = SheetLook()
            self.looks.setdefault(name, look)
        elif record == _FORMAT:
            number, length = struct.unpack_from("<HH", body)
            self._codes[number] = _read_text(body, 2, length, head=2)
        elif record == _STYLE:
            (number,) = struct.unpack_from("<H", body, 2)
            self._formats.append(read_format(self._codes.get(number, "")))
        elif record == _ROW:
            (row,) = struct.unpack_from("<H", body)
            if struct.unpack_from("<B", body, 12)[0] & _HIDDEN_ROW:
                self._look.hidden.add(row)
        elif record in {_NUMBER, _SMALL_NUMBER, _FORMULA, _ERROR}:
            self._take_cell(record, body)
        elif record == _SMALL_NUMBERS:
            row, column = struct.unpack_from("<HH", body)
            for offset in range(4, len(body) - 2, 6):
                self._note_format(row, column + (offset - 4) // 6, *struct.unpack_from("<H", body, offset))

    def _take_cell(self, record: int, body: bytes) -> None:
        row, column, style = struct.unpack_from("<HHH", body)
        self._note_format(row, column, style)
        if record == _ERROR:
            code, is_error = struct.unpack_from("<BB", body, 6)
        elif record == _FORMULA:
            kind, code, mark = struct.unpack_from("<BxB3xH", body, 6)
            is_error = mark == 0xFFFF and kind == _ERROR_RESULT
        else:
            return
        if is_error:
            facts = {"cell": cell_name(row + 1, column + 1), "error": _ERRORS.get(code, "#?")}
            self._look.faults.setdefault(row, {})[column] = CellFault("cell_error", facts)

    def _note_format(self, row: int, column: int, style: int) -> None:
        self._look.add_format(row, column, self._formats[style] if style < len(self._formats) else PLAIN)


def _read_text(body: bytes, at: int, length: int, *, head: int) -> str:
    """Return a text of so many characters whose length stands at `at` in `head` bytes, before a byte of flags."""
    (flags,) = struct.unpack_from("<B", body, at + head)
    start = at + head + 1
    if flags & _WIDE_CHARACTERS:
        return body[start : start + 2 * length].decode("utf-16-le", errors="replace")
    return body[start : start + length].decode("latin-1")


def _refuse_far_cells(book: bytes) -> None:
    """Raise FileRefused where the cells of a sheet, or what the sheet says of them, reach too far.

    Raises ValueError where the book announces more texts than it can hold.
    """
    at = sheets = 0
    cells, announced = SheetSpan(), SheetSpan()
    unpack = struct.Struct("<HH").unpack_from
    while at + 4 <= len(book):
        record, length = unpack(book, at)
        if record in _CELLS:
            row, column = unpack(book, at + 4)
            cells.add(row + 1, column + 1)
        elif record in _SEVERAL_CELLS and length >= _SHORTEST_SEVERAL:
            row, first = unpack(book, at + 4)
            (column,) = struct.unpack_from("<H", book, at + 2 + length)
            cells.add(row + 1, column + 1, cells=max(column - first + 1, 1))
        elif record == _DIMENSIONS:
            # Two versions: rows by two bytes or by four.
            row, _first, column = struct.unpack_from("<4xIHH" if length >= _LONG_DIMENSIONS else "<2xHHH", book, at + 4)
            announced.add(row, column, cells=0)
        elif record == _SHARED_STRINGS and struct.unpack_from("<4xI", book, at + 4)[0] > len(book):
            raise ValueError("SST")
        elif record == _SHEET:
            sheets += 1
        at += 4 + length
    cells.refuse_sparse()
    if sheets > limits.SHEETS:
        raise FileRefused("too_many_sheets", limit=limits.SHEETS)
