"""The result of every source: the rows of a file as text in DuckDB, and those that do not fit its columns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from recobra.tabular.refusals import FileRefused
from recobra.tabular.workspace import Relation, Workspace

from . import limits

BATCH_ROWS: Final = 20_000
_VALUE_CHARACTERS: Final = 200
RAW: Final = Relation("raw_rows")
BROKEN: Final = Relation("broken_rows")
BROKEN_COLUMNS: Final = "line BIGINT, cells VARCHAR, code VARCHAR, params VARCHAR, col VARCHAR, value VARCHAR"


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How to read a file: its encoding and sheet, '' to find them; `may_be_empty` takes a header without rows."""

    encoding: str = ""
    sheet: str = ""
    may_be_empty: bool = False


@dataclass(frozen=True)
class Row:
    """One row as the file has it; `code` names what makes it unreadable, if anything does."""

    line: int
    cells: list[str | None]
    code: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    column: str = ""
    value: str = ""


@dataclass(frozen=True)
class Sheet:
    """A file in DuckDB: its column names, and the relations of its rows."""

    headers: tuple[str, ...]
    kind: str
    encoding: str = ""
    delimiter: str = ""
    raw: Relation = RAW  # line, c0, c1, …: one text column for each header
    broken: Relation = BROKEN  # BROKEN_COLUMNS: rows that cannot be laid out in columns

    @property
    def is_typed(self) -> bool:
        """Return whether the file has numbers of its own, whose text here is always written with a point."""
        return self.kind != "csv"


def escape_glob(path: Path) -> str:
    """Return a path as DuckDB takes it for this file alone: it reads stars and brackets as patterns."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def name_columns(cells: Iterable[str | None]) -> tuple[str, ...]:
    """Return usable, distinct column names; a repeated name gets its number. Raises FileRefused."""
    names: list[str] = []
    counts: dict[str, int] = {}
    for position, cell in enumerate(cells, start=1):
        name = (cell or "").strip().strip("\ufeff") or f"column {position}"
        counts[name] = counts.get(name, 0) + 1
        names.append(name if counts[name] == 1 else f"{name} ({counts[name]})")
    if len(names) > limits.COLUMNS:
        raise FileRefused("too_many_columns", found=len(names), limit=limits.COLUMNS)
    if not any(name for name in names if not name.startswith("column ")):
        raise FileRefused("no_header")
    return tuple(names)


def create_tables(duck: Workspace, width: int) -> None:
    """Make the empty relations RAW and BROKEN."""
    columns = ", ".join(f"c{n} VARCHAR" for n in range(width))
    duck.create_empty(RAW, f"line BIGINT, {columns}")
    create_broken(duck)


def create_broken(duck: Workspace) -> None:
    """Make the empty relation BROKEN."""
    duck.create_empty(BROKEN, BROKEN_COLUMNS)


def append_rows(duck: Workspace, rows: Iterable[Row], *, width: int) -> None:
    """Append rows to RAW, and those that do not fit its columns to BROKEN. Raises FileRefused."""
    count = 0
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH_ROWS)):
        count += len(batch)
        if count > limits.ROWS:
            raise FileRefused("too_many_rows", limit=limits.ROWS)
        fitted = [_fit_row(row, width) for row in batch]
        if good := [row for row in fitted if not row.code]:
            duck.append_arrow(RAW, _raw_table(good, width))
        if broken := [row for row in fitted if row.code]:
            duck.append_arrow(BROKEN, _broken_table(broken))


def _fit_row(row: Row, width: int) -> Row:
    """Return a row with exactly `width` cells, or marked `ragged` where it cannot be cut to them."""
    if row.code or len(row.cells) == width:
        return row
    # Empty cells after the last column are how spreadsheets end their lines.
    if len(row.cells) > width and not any(row.cells[width:]):
        return Row(row.line, row.cells[:width])
    return Row(row.line, row.cells, code="ragged", params={"expected": width, "found": len(row.cells)})


def _raw_table(rows: list[Row], width: int) -> pa.Table:
    """Return rows as Arrow columns in the order of RAW; empty cells become NULL."""
    columns = {"line": pa.array([row.line for row in rows], pa.int64())}
    for n in range(width):
        columns[f"c{n}"] = pa.array([row.cells[n] or None for row in rows], pa.string())
    return pa.table(columns)


def _broken_table(rows: list[Row]) -> pa.Table:
    """Return rows as Arrow columns in the order of BROKEN, long texts cut."""
    records = []
    for row in rows:
        cells = [(cell or "")[: limits.FIELD_CHARACTERS] for cell in row.cells]
        records.append(
            {
                "line": row.line,
                "cells": json.dumps(cells),
                "code": row.code,
                "params": json.dumps(row.params),
                "col": row.column,
                "value": row.value[:_VALUE_CHARACTERS],
            }
        )
    return pa.Table.from_pylist(records)
