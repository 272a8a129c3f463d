"""What every source delivers: the table `raw` (line, c0, c1, …, all text) and the table `broken` in DuckDB."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from recobra.intake.refusals import LoadRefused

from . import limits

BATCH_ROWS = 20_000
BROKEN = "line BIGINT, cells VARCHAR, code VARCHAR, params VARCHAR, col VARCHAR, value VARCHAR"


@dataclass(frozen=True)
class Row:
    """One row as it stands in the file; `code` names what makes it unreadable, if anything does."""

    line: int
    cells: list[str | None]
    code: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    column: str = ""
    value: str = ""


@dataclass(frozen=True)
class Sheet:
    """The columns of a file that now stands in the tables `raw` and `broken`."""

    headers: tuple[str, ...]
    kind: str
    encoding: str = ""
    delimiter: str = ""

    @property
    def width(self) -> int:
        """Return how many columns there are."""
        return len(self.headers)


@dataclass(frozen=True)
class Reading:
    """What a source needs to read one file."""

    path: Path
    connection: duckdb.DuckDBPyConnection
    work_dir: Path
    encoding: str = ""
    sheet: str = ""


def only(path: Path) -> str:
    """Return a path as DuckDB takes it for this file alone: it reads stars and brackets as patterns."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def header_names(cells: Iterable[str | None]) -> tuple[str, ...]:
    """Return usable, distinct column names; a repeated name gets its number. Raises LoadRefused."""
    names: list[str] = []
    seen: dict[str, int] = {}
    for position, cell in enumerate(cells, start=1):
        name = (cell or "").strip().strip("\ufeff") or f"column {position}"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    if len(names) > limits.COLUMNS:
        raise LoadRefused("too_many_columns", found=len(names), limit=limits.COLUMNS)
    if not any(name for name in names if not name.startswith("column ")):
        raise LoadRefused("no_header")
    return tuple(names)


def create_tables(connection: duckdb.DuckDBPyConnection, width: int) -> None:
    """Make the empty tables `raw` and `broken`."""
    columns = ", ".join(f"c{n} VARCHAR" for n in range(width))
    connection.execute(f"CREATE OR REPLACE TABLE raw (line BIGINT, {columns})")
    create_broken(connection)


def create_broken(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the empty table `broken`: rows that cannot be laid out in columns."""
    connection.execute(f"CREATE OR REPLACE TABLE broken ({BROKEN})")


def fill(connection: duckdb.DuckDBPyConnection, *, width: int, rows: Iterable[Row]) -> None:
    """Append rows to `raw`, and those that do not fit its columns to `broken`. Raises LoadRefused."""
    count = 0
    for batch in _batches(rows):
        count += len(batch)
        if count > limits.ROWS:
            raise LoadRefused("too_many_rows", limit=limits.ROWS)
        fitted = [_fit(row, width) for row in batch]
        _append_good(connection, [row for row in fitted if not row.code], width)
        _append_broken(connection, [row for row in fitted if row.code])


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    source = iter(rows)
    while batch := list(islice(source, BATCH_ROWS)):
        yield batch


def _fit(row: Row, width: int) -> Row:
    if row.code or len(row.cells) == width:
        return row
    if len(row.cells) > width and not any(row.cells[width:]):
        return Row(row.line, row.cells[:width])
    return Row(row.line, row.cells, "ragged", {"expected": width, "found": len(row.cells)})


def _append_good(connection: duckdb.DuckDBPyConnection, rows: list[Row], width: int) -> None:
    if not rows:
        return
    columns = {"line": pa.array([row.line for row in rows], pa.int64())}
    for n in range(width):
        columns[f"c{n}"] = pa.array([row.cells[n] or None for row in rows], pa.string())
    _append(connection, "raw", pa.table(columns))


def _append_broken(connection: duckdb.DuckDBPyConnection, rows: list[Row]) -> None:
    if not rows:
        return
    short = limits.FIELD_CHARACTERS
    records = [
        {
            "line": row.line,
            "cells": json.dumps([(cell or "")[:short] for cell in row.cells]),
            "code": row.code,
            "params": json.dumps(row.params),
            "col": row.column,
            "value": row.value[:200],
        }
        for row in rows
    ]
    _append(connection, "broken", pa.Table.from_pylist(records))


def _append(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    connection.register("batch", rows)
    connection.execute(f"INSERT INTO {table} SELECT * FROM batch")
    connection.unregister("batch")
