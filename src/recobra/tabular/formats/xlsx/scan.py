"""Scan of a sheet's XML as it is unpacked: how far its cells reach, what they hide, and which have no value.

Nothing is allocated for a cell before its sheet is judged: one stray cell makes a reader allocate all those before it.
Text of others is never searched by a regular expression, whose time may grow faster than the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from recobra.tabular.formats import limits
from recobra.tabular.formats.number_format import PLAIN, NumberFormat, read_format
from recobra.tabular.formats.sheet import CellFault, cell_name
from recobra.tabular.formats.span import SheetSpan, refuse_far_cell
from recobra.tabular.formats.workbook import SheetLook
from recobra.tabular.refusals import FileRefused

_CELL: Final = b'<c r="'
# Beginnings of a cell that is written in another way, of a formula or an error, of what is hidden and a document type.
_UNUSUAL: Final = (b"<c>", b"<c/", b"<c\t", b"<c\n", b"<c\r", b":c ", b":c>", b":c/", b":c\t", b":c\n", b":c\r")
_NEEDS_LOOK: Final = (b"<f", b't="e"', b"hidden", b"<!", b"\0")
_TRUE: Final = frozenset({"1", "true"})
_TEXT_TYPES: Final = frozenset({"str", "d"})  # whose value stands in the cell itself
# Shared texts say how many they are, and a reader makes room for so many before it looks for one.
_ANNOUNCED: Final = "uniqueCount"
_FREE_TEXTS: Final = 100_000
_HEAD_BYTES: Final = 4096
_DIGITS: Final = b"0123456789"
_LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_REFERENCE_BYTES: Final = 12  # «XFD1048576"» is the longest
_ROW_DIGITS: Final = 7
_COUNT_DIGITS: Final = 18
_LONGEST_TOKEN: Final = 1 << 19
_TAIL_BYTES: Final = 64  # carried over to the next piece, so that a mark cut in two is found


class UnreadableXml(Exception):
    """A part of a workbook is no XML, or has a document type of its own, which no workbook needs."""


class QuickScan:
    """Reach of the cells in a part of a workbook, found among its bytes as programs usually write them.

    `is_sure` turns False where the part has anything else; then `scan_cells` has to say. Costs a tenth of parsing.
    """

    def __init__(self) -> None:
        self.is_sure = True
        self._tail = b""
        self._span = SheetSpan()
        self._size = 0
        self._announced_texts = 0

    def feed(self, piece: bytes) -> None:
        """Judge the next piece of the part. Raises FileRefused where its cells reach too far."""
        if not self.is_sure:
            return
        text = self._tail + piece
        if _ANNOUNCED.encode() in text and not self._read_announced(piece):
            self.is_sure = False
        self._size += len(piece)
        if any(mark in text for mark in _NEEDS_LOOK) or any(mark in text for mark in _UNUSUAL):
            self.is_sure = False
            return
        # The last cell may be cut: it is judged with the next piece.
        end = text.rfind(b"<c")
        cut = end if end >= len(text) - _TAIL_BYTES and end >= 0 else len(text)
        self._judge(text[:cut])
        self._tail = text[cut:] if cut < len(text) else text[-1:]

    def close(self) -> None:
        """Judge what is left at the end of the part. Raises FileRefused."""
        if self.is_sure:
            self._judge(self._tail)
            # No text takes less than a byte of the part.
            _refuse_countless(self._announced_texts, found=self._size)
            # Cells that have a format and no value cost nothing; only parsing tells them from the others.
            self.is_sure = self.is_sure and not self._span.is_sparse

    def _read_announced(self, piece: bytes) -> bool:
        """Note how many texts the part says that it has; return False where its first bytes do not tell."""
        found: list[str] = []

        def read_start(_name: str, attributes: dict[str, str]) -> None:
            if _ANNOUNCED in attributes:
                found.append(attributes[_ANNOUNCED])

        try:
            parse_xml([piece[:_HEAD_BYTES]], start=read_start, is_whole=False)
        except UnreadableXml:
            return False
        if self._size or not found:
            return False
        self._announced_texts = _read_count(found[0])
        return True

    def _judge(self, text: bytes) -> None:
        cells = text.split(_CELL)[1:]
        if text.count(b"<c ") != len(cells):
            self.is_sure = False
        if not cells or not self.is_sure:
            return
        references = b",".join([cell[: cell.find(b'"', 0, _REFERENCE_BYTES)] for cell in cells])
        columns = set(references.translate(None, _DIGITS).split(b","))
        rows = set(references.translate(None, _LETTERS).split(b","))
        if not all(letters and len(letters) <= 3 and not letters.strip(_LETTERS) for letters in columns) or not all(
            digits and len(digits) <= _ROW_DIGITS and not digits.strip(_DIGITS) for digits in rows
        ):
            self.is_sure = False
            return
        self._span.add(max(map(int, rows)), max(map(_column_number, columns)), cells=len(cells))


def scan_cells(pieces: Iterable[bytes], formats: Mapping[str, NumberFormat]) -> SheetLook:
    """Return what a sheet hides, and its cells with an error, a formula without a value or a telling format.

    `formats` are those formats by the number of their style. Raises FileRefused where cells reach too far,
    UnreadableXml where it is no XML.
    """
    sheet = _Sheet(formats)
    parse_xml(pieces, start=sheet.start_element, text=sheet.add_text)
    sheet.end_cell()
    sheet.span.refuse_sparse()
    _refuse_countless(sheet.announced_texts, found=sheet.elements)
    return sheet.look


def read_formats(pieces: Iterable[bytes]) -> dict[str, NumberFormat]:
    """Return the formats in a workbook's part of styles that tell more than the number, by style as cells name it.

    Raises UnreadableXml.
    """
    codes: dict[str, str] = {}
    used: list[str] = []  # of the styles of cells, the number of each one's format
    is_in_cells = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal is_in_cells
        element = local_name(name)
        if element == "numFmt":
            codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif element in {"cellXfs", "cellStyleXfs", "cellStyles"}:
            is_in_cells = element == "cellXfs"
        elif element == "xf" and is_in_cells:
            used.append(attributes.get("numFmtId", ""))

    parse_xml(pieces, start=start)
    found = {str(style): read_format(codes.get(number, "")) for style, number in enumerate(used)}
    return {style: shown for style, shown in found.items() if shown != PLAIN}


def _refuse_countless(announced: int, *, found: int) -> None:
    """Raise FileRefused where a part says that it has far more texts than it can have."""
    if announced > max(found, _FREE_TEXTS):
        raise FileRefused("workbook")


def _read_count(text: str) -> int:
    """Return a count that a part says of itself, 0 for what is no number."""
    text = text.strip().removeprefix("+")
    digits = text.lstrip("0")
    return int(digits[:_COUNT_DIGITS] or "0") if text.isascii() and text.isdigit() else 0


def parse_xml(
    pieces: Iterable[bytes],
    *,
    start: Callable[[str, dict[str, str]], None],
    text: Callable[[str], None] | None = None,
    is_whole: bool = True,
) -> None:
    """Parse XML by expat, each element's local name and attributes to `start`; `is_whole` false: only its beginning.

    Raises UnreadableXml.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_document_type
    try:
        for piece in pieces:
            # Expat begins a token anew with each piece, and the text of a cell has 32,767 characters at most.
            if len(piece) >= _LONGEST_TOKEN and b">" not in piece:
                raise UnreadableXml("…")
            parser.Parse(piece, False)
        if is_whole:
            parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        # The two others: an encoding that Python does not know, or that expat cannot take from it.
        raise UnreadableXml(str(error)) from None


def _refuse_document_type(*_names: object) -> None:
    raise UnreadableXml("DOCTYPE")


def local_name(name: str) -> str:
    """Return the name of an element or attribute without its namespace."""
    return name.rpartition(" ")[2]


@dataclass
class _Sheet:
    """The cell that is being parsed, where the sheet reaches so far, and what was found.

    A cell without a reference stands behind the last one, a row without a number below the last one.
    """

    formats: Mapping[str, NumberFormat]
    look: SheetLook = field(default_factory=SheetLook)
    span: SheetSpan = field(default_factory=SheetSpan)  # of the cells that have a value
    elements: int = 0
    announced_texts: int = 0
    row: int = 0
    column: int = 0
    has_cell: bool = False
    is_error: bool = False
    has_formula: bool = False
    is_in_value: bool = False
    is_filled: bool = False  # as its reader has it, which keeps some texts that are empty
    is_text: bool = False
    value: str = ""

    def start_element(self, name: str, attributes: dict[str, str]) -> None:
        """Take the start of an element."""
        element = local_name(name)
        self.is_in_value = False
        self.elements += 1
        self.announced_texts = max(self.announced_texts, _read_count(attributes.get(_ANNOUNCED, "")))
        if element == "row":
            self.end_cell()
            number = attributes.get("r", "")
            _refuse_long_reference(number)
            self.row = int(number) if _is_number(number) else self.row + 1
            self.column = 0
            if attributes.get("hidden") in _TRUE:
                self.look.hidden.add(self.row - 1)
        elif element == "c":
            self.end_cell()
            self._start_cell(attributes)
        elif element == "f":
            self.has_formula = True
        elif element == "v":
            self.is_in_value = True
            self.is_filled |= self.is_text
        elif element == "is":
            self.value = "-"
            self.is_filled = True

    def add_text(self, text: str) -> None:
        """Take text between elements."""
        if self.is_in_value and not self.value:
            self.value = text.strip()
            self.is_filled = True

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r", "")
        letters = reference.rstrip("0123456789")
        number = reference[len(letters) :]
        _refuse_long_reference(reference)
        if 0 < len(letters) <= 3 and letters.isascii() and letters.isalpha() and _is_number(number):
            self.column = _column_number(letters.upper().encode())
            self.row = int(number)
        else:
            self.column += 1
            self.row = max(self.row, 1)
        refuse_far_cell(self.row, self.column)
        self.has_cell = True
        self.is_error = attributes.get("t") == "e"
        self.is_text = attributes.get("t") in _TEXT_TYPES
        if self.formats:
            shown = self.formats.get(attributes.get("s", ""), PLAIN)
            self.look.add_format(self.row - 1, self.column - 1, shown)

    def end_cell(self) -> None:
        """Note how far the cell that ends reaches, and its fault, if it has any."""
        if self.is_filled:
            self.span.add(self.row, self.column)
        if self.has_cell and (self.is_error or (self.has_formula and not self.value)):
            cell = cell_name(self.row, self.column)
            fault = CellFault("cell_formula", {"cell": cell})
            if self.is_error:
                fault = CellFault("cell_error", {"cell": cell, "error": self.value[:20] or "#?"})
            self.look.faults.setdefault(self.row - 1, {})[self.column - 1] = fault
        self.has_cell = self.is_error = self.has_formula = self.is_in_value = self.is_filled = self.is_text = False
        self.value = ""


def _refuse_long_reference(reference: str) -> None:
    """Raise FileRefused for a cell or row beyond the grid of any workbook: readers count up to it."""
    if len(reference) >= _REFERENCE_BYTES or sum(sign.isdigit() for sign in reference) > _ROW_DIGITS:
        raise FileRefused("sheet_span", cell=reference[:_REFERENCE_BYTES], limit=limits.SHEET_CELLS)


def _is_number(text: str) -> bool:
    """Return whether a text is a row's number, which has seven digits at most."""
    return 0 < len(text) <= _ROW_DIGITS and text.isascii() and text.isdigit() and int(text) > 0


def _column_number(letters: bytes) -> int:
    """Return the number of a column, from 1; its letters are digits to base 26 without a zero: AB is 1 * 26 + 2."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
