"""The formats a table may come in; the first bytes decide which one a file is, never its name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from recobra.tabular.refusals import FileRefused
from recobra.tabular.workspace import Workspace

from . import csv, limits, parquet, xls, xlsx
from .sheet import ReadOptions, Sheet
from .tidy import tidy_cells

SOURCES: Final = {"csv": csv.read, "xlsx": xlsx.read, "xls": xls.read, "parquet": parquet.read}
_SHOWN_CHARACTERS: Final = 60  # of an overlong field, in the error of its row
# The first bytes of each format; everything else is taken for text.
_MAGIC: Final = (
    (b"PK\x03\x04", "xlsx"),
    (b"PK\x05\x06", "xlsx"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
    (b"PAR1", "parquet"),
)
_GZIP: Final = b"\x1f\x8b"
_PACKING: Final = 10  # bytes of text in each byte of a packed file, seldom more

__all__ = ["SOURCES", "ReadOptions", "Sheet", "detect_format", "read"]


def detect_format(path: Path) -> str:
    """Return which source reads the file. Raises FileRefused where there is nothing to read."""
    try:
        _refuse_unreadable(path)
        with path.open("rb") as handle:
            head = handle.read(8)
    except PermissionError:
        raise FileRefused("no_permission", name=path.name) from None
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), "csv")


def read(path: Path, duck: Workspace, options: ReadOptions) -> Sheet:
    """Read a file into DuckDB. Raises FileRefused."""
    kind = detect_format(path)
    text_bytes = _estimate_text(path, kind)
    duck.allow_memory(rows=0, text_bytes=text_bytes)
    try:
        sheet = SOURCES[kind](path, duck, options)
        duck.allow_memory(rows=duck.count(sheet.raw), text_bytes=text_bytes)
        _set_overlong_aside(duck, sheet)
        if sheet.is_typed:  # a text with a null character is refused whole
            _set_unstorable_aside(duck, sheet)
        tidy_cells(duck, sheet)
    except (MemoryError, duckdb.OutOfMemoryException):
        raise FileRefused("needs_memory") from None
    if not options.may_be_empty and not sum(map(duck.count, (sheet.raw, sheet.broken, sheet.aside))):
        raise FileRefused("header_only")
    return sheet


def _estimate_text(path: Path, kind: str) -> int:
    """Return how many bytes of text a file holds, roughly where it is packed."""
    with path.open("rb") as handle:
        is_plain = kind == "csv" and handle.read(len(_GZIP)) != _GZIP
    return path.stat().st_size * (1 if is_plain else _PACKING)


def _refuse_unreadable(path: Path) -> None:
    """Raise FileRefused where the path is no file, an empty one or one beyond the limit."""
    if not path.exists():
        raise FileRefused("not_found", name=path.name)
    if path.is_dir():
        raise FileRefused("folder", name=path.name)
    if not path.is_file():
        raise FileRefused("not_a_file", name=path.name)
    size = path.stat().st_size
    if size == 0:
        raise FileRefused("empty")
    if size > limits.BYTES:
        raise FileRefused("too_big", limit=limits.BYTES)


def _set_unstorable_aside(duck: Workspace, sheet: Sheet) -> None:
    """Move rows with a null character, which no column of the database takes, to the broken ones, without it."""
    columns = [f"c{n}" for n in range(len(sheet.headers))]
    tests = ", ".join(f"bool_or(contains({column}, chr(0)))" for column in columns)
    found = duck.fetch_row(f"SELECT {tests} FROM {sheet.raw}")
    for header, column, has_null in zip(sheet.headers, columns, found, strict=True):
        if not has_null:
            continue
        cells = ", ".join(f"replace({each}, chr(0), ' ')" for each in columns)
        duck.execute(
            f"INSERT INTO {sheet.broken} SELECT line, to_json([{cells}]), 'null_sign', '{{}}', ?, "
            f"left(replace({column}, chr(0), ' '), {_SHOWN_CHARACTERS}) FROM {sheet.raw} "
            f"WHERE contains({column}, chr(0))",
            [header],
        )
        duck.execute(f"DELETE FROM {sheet.raw} WHERE contains({column}, chr(0))")


def _set_overlong_aside(duck: Workspace, sheet: Sheet) -> None:
    """Move rows with a field beyond the limit to the broken ones, their fields cut to the limit."""
    limit = limits.FIELD_CHARACTERS
    columns = [f"c{n}" for n in range(len(sheet.headers))]
    # strlen counts bytes, which is fast and never less than the characters.
    lengths = duck.fetch_row(f"SELECT {', '.join(f'max(strlen({column}))' for column in columns)} FROM {sheet.raw}")
    for header, column, length in zip(sheet.headers, columns, lengths, strict=True):
        if (length or 0) <= limit:
            continue
        cells = ", ".join(f"left({column}, {limit})" for column in columns)
        duck.execute(
            f"INSERT INTO {sheet.broken} SELECT line, to_json([{cells}]), 'too_long', "
            f"json_object('limit', {limit}, 'found', length({column})), ?, left({column}, {_SHOWN_CHARACTERS}) "
            f"FROM {sheet.raw} WHERE length({column}) > {limit}",
            [header],
        )
        duck.execute(f"DELETE FROM {sheet.raw} WHERE length({column}) > {limit}")
