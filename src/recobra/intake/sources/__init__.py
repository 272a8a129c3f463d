"""The formats a portfolio may come in; what a file is shows in its first bytes, never in its name alone."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from recobra.intake.refusals import LoadRefused

from . import csv, limits, parquet, xls, xlsx
from .sheet import Reading, Sheet

SOURCES: Final = {"csv": csv.read, "xlsx": xlsx.read, "xls": xls.read, "parquet": parquet.read}
_MAGIC: Final = (
    (b"PK\x03\x04", "xlsx"),
    (b"PK\x05\x06", "xlsx"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
    (b"PAR1", "parquet"),
)

__all__ = ["SOURCES", "Reading", "Sheet", "detect", "read"]


def detect(path: Path) -> str:
    """Return which source reads the file. Raises LoadRefused where there is nothing to read."""
    try:
        _refuse_unreadable(path)
        with path.open("rb") as handle:
            head = handle.read(8)
    except PermissionError:
        raise LoadRefused("no_permission", name=path.name) from None
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), "csv")


def read(reading: Reading) -> Sheet:
    """Fill the tables `raw` and `broken` from a file. Raises LoadRefused."""
    sheet = SOURCES[detect(reading.path)](reading)
    _set_overlong_aside(reading, sheet)
    filled = reading.connection.execute("SELECT (SELECT count(*) FROM raw) + (SELECT count(*) FROM broken)").fetchall()[
        0
    ]
    if not filled[0]:
        raise LoadRefused("header_only")
    return sheet


def _refuse_unreadable(path: Path) -> None:
    if not path.exists():
        raise LoadRefused("not_found", name=path.name)
    if path.is_dir():
        raise LoadRefused("folder", name=path.name)
    if not path.is_file():
        raise LoadRefused("not_a_file", name=path.name)
    size = path.stat().st_size
    if size == 0:
        raise LoadRefused("empty")
    if size > limits.BYTES:
        raise LoadRefused("too_big", limit=limits.BYTES)


def _set_overlong_aside(reading: Reading, sheet: Sheet) -> None:
    """Move rows with a field beyond the limit from `raw` to `broken`, their fields cut to the limit."""
    connection, limit = reading.connection, limits.FIELD_CHARACTERS
    columns = [f"c{n}" for n in range(sheet.width)]
    longest = connection.execute(f"SELECT {', '.join(f'max(strlen({c}))' for c in columns)} FROM raw").fetchall()[0]
    over = [column for column, length in zip(columns, longest, strict=False) if (length or 0) > limit]
    for column in over:
        name = sheet.headers[int(column[1:])]
        cells = ", ".join(f"left({c}, {limit})" for c in columns)
        connection.execute(
            f"INSERT INTO broken SELECT line, to_json([{cells}]), 'too_long', "
            f"json_object('limit', {limit}, 'found', length({column})), ?, left({column}, 60) "
            f"FROM raw WHERE length({column}) > {limit}",
            [name],
        )
        connection.execute(f"DELETE FROM raw WHERE length({column}) > {limit}")
