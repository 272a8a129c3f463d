"""The result of every source: the rows of a file as text in DuckDB, and those that do not fit its columns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa

from recobra.tabular.refusals import FileRefused
from recobra.tabular.workspace import Relation, Workspace

from . import limits

BATCH_ROWS: Final = 20_000
_CELL_BYTES: Final = 8  # what even an empty cell takes in a list
_VALUE_CHARACTERS: Final = 200
RAW: Final = Relation("raw_rows")
BROKEN: Final = Relation("broken_rows")
BROKEN_COLUMNS: Final = "line BIGINT, cells VARCHAR, code VARCHAR, params VARCHAR, col VARCHAR, value VARCHAR"
FAULTS: Final = Relation("cell_faults")
FAULT_COLUMNS: Final = "line BIGINT, position INTEGER, code VARCHAR, params VARCHAR, value VARCHAR"
ASIDE: Final = Relation("rows_aside")
ASIDE_COLUMNS: Final = "line BIGINT, cells VARCHAR, code VARCHAR"


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How to read a file: its encoding and sheet, '' to find them; `may_be_empty` takes a header without rows.

    `header_line` is the line with the names of the columns, 0 to find it; `columns` are names that are looked for, by
    which it is found, and the sheet too. `is_any_sheet` takes the first of several sheets with a table, for a person
    who chooses one.
    """

    encoding: str = ""
    sheet: str = ""
    may_be_empty: bool = False
    header_line: int = 0
    columns: Sequence[str] = ()
    is_any_sheet: bool = False


class CellFault(NamedTuple):
    """Why a cell has no value that could be relied on: the error code and the facts of its message."""

    code: str
    params: dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One row as the file has it; `code` names what makes it unreadable, if anything does.

    `faults` are those of single cells, by position from 0: they count for whoever reads the column.
    """

    line: int
    cells: list[str | None]
    code: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    value: str = ""
    faults: Mapping[int, CellFault] = field(default_factory=dict)
    is_hidden: bool = False


@dataclass(frozen=True)
class Sheet:
    """A file in DuckDB: its column names and where they stand, and the relations of its rows.

    `name` is the sheet of a workbook that was read, `names` are all that a person sees.
    """

    headers: tuple[str, ...]
    kind: str
    encoding: str = ""
    delimiter: str = ""
    header_line: int = 1
    name: str = ""
    names: tuple[str, ...] = ()
    raw: Relation = RAW  # line, c0, c1, …: one text column for each header
    broken: Relation = BROKEN  # BROKEN_COLUMNS: rows that cannot be laid out in columns
    faults: Relation = FAULTS  # FAULT_COLUMNS: cells of `raw` without a value to rely on
    aside: Relation = ASIDE  # ASIDE_COLUMNS: what stands in the sheet and is no row of the table

    @property
    def is_typed(self) -> bool:
        """Return whether the file has numbers of its own, whose text here is always written with a point."""
        return self.kind != "csv"


def escape_glob(path: Path) -> str:
    """Return a path as DuckDB takes it for this file alone: it reads stars and brackets as patterns."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def cell_name(row: int, column: int) -> str:
    """Return the name of a cell in a workbook, such as «B7»; both are counted from 1."""
    letters = ""
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row}"


def name_columns(cells: Iterable[str | None]) -> tuple[str, ...]:
    """Return usable, distinct column names; a repeated name gets its number. Raises FileRefused."""
    names: list[str] = []
    counts: dict[str, int] = {}
    cells = list(cells)
    if len(cells) > limits.COLUMNS:
        raise FileRefused("too_many_columns", found=len(cells), limit=limits.COLUMNS)
    for position, cell in enumerate(cells, start=1):
        name = (cell or "").replace("\0", " ").strip().strip("\ufeff") or f"column {position}"
        if len(name) > limits.NAME_CHARACTERS:
            raise FileRefused("long_name", position=position, found=len(name), limit=limits.NAME_CHARACTERS)
        counts[name] = counts.get(name, 0) + 1
        names.append(name if counts[name] == 1 else f"{name} ({counts[name]})")
    if not any(name for name in names if not name.startswith("column ")):
        raise FileRefused("no_header")
    return tuple(names)


def create_tables(duck: Workspace, width: int) -> None:
    """Make the empty relations RAW and BROKEN."""
    columns = ", ".join(f"c{n} VARCHAR" for n in range(width))
    duck.create_empty(RAW, f"line BIGINT, {columns}")
    create_exceptions(duck)


def create_exceptions(duck: Workspace) -> None:
    """Make the empty relations BROKEN, FAULTS and ASIDE."""
    duck.create_empty(BROKEN, BROKEN_COLUMNS)
    duck.create_empty(FAULTS, FAULT_COLUMNS)
    duck.create_empty(ASIDE, ASIDE_COLUMNS)


def append_rows(duck: Workspace, rows: Iterable[Row], *, width: int, read_before: int = 0) -> None:
    """Append rows to RAW, those that do not fit its columns to BROKEN, hidden ones to ASIDE.

    `read_before` rows of the file are there. Raises FileRefused.
    """
    count = read_before
    broken_count = 0
    for batch in _batch_rows(rows):
        count += len(batch)
        if count > limits.ROWS:
            raise FileRefused("too_many_rows", limit=limits.ROWS)
        if hidden := [row for row in batch if row.is_hidden]:
            duck.append_arrow(ASIDE, _aside_table(hidden, "hidden"))
        fitted = [_fit_row(row, width) for row in batch if not row.is_hidden]
        if good := [row for row in fitted if not row.code]:
            duck.append_arrow(RAW, _raw_table(good, width))
        if faulty := [row for row in good if row.faults]:
            duck.append_arrow(FAULTS, _fault_table(faulty))
        if broken := [row for row in fitted if row.code]:
            broken_count += len(broken)
            _refuse_broken(broken_count, count, broken)
            duck.append_arrow(BROKEN, _broken_table(broken))


def _batch_rows(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield rows in lists that fit the memory, however long each row is."""
    batch: list[Row] = []
    characters = 0
    for row in rows:
        batch.append(row)
        characters += len(row.value) + sum([len(cell or "") + _CELL_BYTES for cell in row.cells])
        if len(batch) == BATCH_ROWS or characters > limits.BATCH_CHARACTERS:
            yield batch
            batch = []
            characters = 0
    if batch:
        yield batch


def _refuse_broken(broken: int, read: int, last: list[Row]) -> None:
    """Raise FileRefused where so many rows cannot be laid out in columns that the file is no table.

    Each of them is kept with its fault, which takes far longer than a good row.
    """
    if broken > limits.BROKEN_ROWS or (broken > limits.BROKEN_ROWS // 10 and broken > read // 2):
        raise FileRefused("too_many_broken", found=broken, rows=read, line=last[0].line)


def _fit_row(row: Row, width: int) -> Row:
    """Return a row with exactly `width` cells, or marked `ragged` where it cannot be cut to them."""
    if row.code or len(row.cells) == width:
        return row
    # Empty cells after the last column are how spreadsheets end their lines.
    if len(row.cells) > width and not any(row.cells[width:]):
        return replace(row, cells=row.cells[:width])
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
        # What no column of the database takes; a row may be broken for another reason too.
        cells = [(cell or "")[: limits.FIELD_CHARACTERS].replace("\0", " ") for cell in row.cells[: limits.COLUMNS]]
        records.append(
            {
                "line": row.line,
                "cells": json.dumps(cells),
                "code": row.code,
                "params": json.dumps(row.params),
                "col": "",
                "value": row.value[:_VALUE_CHARACTERS].replace("\0", " "),
            }
        )
    return pa.Table.from_pylist(records)


def _fault_table(rows: list[Row]) -> pa.Table:
    """Return the faults of cells as Arrow columns in the order of FAULTS."""
    records = [
        (row.line, position, fault.code, json.dumps(fault.params), (row.cells[position] or "")[:_VALUE_CHARACTERS])
        for row in rows
        for position, fault in row.faults.items()
    ]
    lines, positions, codes, params, values = zip(*records, strict=True)
    return pa.table(
        {
            "line": pa.array(lines, pa.int64()),
            "position": pa.array(positions, pa.int32()),
            "code": pa.array(codes, pa.string()),
            "params": pa.array(params, pa.string()),
            "value": pa.array(values, pa.string()),
        }
    )


def _aside_table(rows: list[Row], code: str) -> pa.Table:
    """Return rows that are set aside as Arrow columns in the order of ASIDE."""
    records = [{"line": row.line, "cells": json.dumps(row.cells[: limits.COLUMNS]), "code": code} for row in rows]
    return pa.Table.from_pylist(records)
