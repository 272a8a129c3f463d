"""Small files as Python rows: a courier's answers, a bank's list. What may be large stays in DuckDB."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from recobra.tabular import caged, formats
from recobra.tabular.refusals import FileRefused, explain_fault
from recobra.tabular.sql_text import cell
from recobra.tabular.workspace import Workspace, open_workspace
from recobra_core.folding import fold_name, fold_words


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFault:
    """A row that cannot be laid out in columns: where, what stands there, what was expected in words."""

    line: int
    column: str
    found: str
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A row as trimmed text by its column's folded name, '' where a cell is empty; line 1 is the file's first."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The rows of a file in their order, and those that cannot be laid out in columns."""

    headers: tuple[str, ...]
    rows: list[Record]
    faults: list[RowFault]


def read_records(content: bytes, *, limit: int, columns: Mapping[str, Sequence[str]]) -> Records:
    """Return up to `limit` rows of a file of any known format; `columns` as for `match_columns`. Raises FileRefused."""
    with open_workspace() as duck:
        path = duck.folder / "content"
        path.write_bytes(content)
        options = formats.ReadOptions(may_be_empty=True, columns=list(chain(*columns.values())))
        sheet = caged.read_file(path, duck, options)
        names = [fold_name(header) for header in sheet.headers]
        cells = ", ".join(f"coalesce({cell(position)}, '')" for position in range(len(names)))
        rows = duck.fetch_all(f"SELECT line, {cells} FROM {sheet.raw} ORDER BY line LIMIT {limit}")
        records = [Record(line=line, cells=dict(zip(names, texts, strict=True))) for line, *texts in rows]
        faults = list_faults(duck, sheet, dict(enumerate(sheet.headers)))
        wrong = {fault.line for fault in faults}
        return Records(headers=sheet.headers, rows=[row for row in records if row.line not in wrong], faults=faults)


def match_columns(headers: Sequence[str], names: Mapping[str, Sequence[str]]) -> dict[str, list[int]]:
    """Return by target the positions of the columns with one of its names, in the order of the names.

    Names are as `fold_words` leaves them.
    """
    columns = [fold_words(header) for header in headers]
    return {
        target: [position for name in known for position, column in enumerate(columns) if column == name]
        for target, known in names.items()
    }


def find_columns(headers: Sequence[str], columns: Iterable[str]) -> dict[str, int]:
    """Return the position of each column that a mapping names. Raises FileRefused where one is missing or double."""
    named = index_columns(headers, columns)
    missing = [column for column, positions in named.items() if not positions]
    if missing:
        raise FileRefused("missing_columns", missing=", ".join(missing), found=", ".join(headers))
    for column, positions in named.items():
        if len(positions) > 1:
            raise FileRefused("duplicate_columns", column=column)
    return {column: positions[0] for column, positions in named.items()}


def index_columns(headers: Sequence[str], columns: Iterable[str]) -> dict[str, list[int]]:
    """Return by column the positions of the headers so called, several where it may be any of them.

    It is the header of exactly that name, else those that only accents, capitals and blanks tell from it.
    """
    exact = {name: position for position, name in enumerate(headers)}
    similar: dict[str, list[int]] = {}
    for position, name in enumerate(headers):
        similar.setdefault(fold_name(name), []).append(position)
    named = {}
    for column in columns:
        positions = [exact[column]] if column in exact else similar.get(fold_name(column), [])
        # A repeated name got its number when the header was read.
        again = [exact[name] for position in positions if (name := f"{headers[position]} (2)") in exact]
        named[column] = positions + again
    return named


def list_faults(
    duck: Workspace, sheet: formats.Sheet, read: Mapping[int, str], *, amounts: Sequence[int] = ()
) -> list[RowFault]:
    """Return the rows of a file that cannot be laid out in columns, and the cells that cannot be relied on, by line.

    `read` are the positions of the columns that are read, with their names; other cells are nobody's fault. What is
    said of several rows at once is said of each, but in the columns of `amounts`.
    """
    positions = ", ".join(map(str, read)) or "-1"
    amounts_at = ", ".join(map(str, amounts)) or "-1"
    rows = duck.fetch_all(
        f"SELECT line, col, -1, value, code, params FROM {sheet.broken} UNION ALL "
        f"SELECT line, '', position, value, code, params FROM {sheet.faults} WHERE position IN ({positions}) "
        f"AND (code <> 'merged' OR position IN ({amounts_at})) "
        "ORDER BY line"
    )
    faults = []
    for line, column, position, value, code, params in rows:
        expected = explain_fault(code, json.loads(params))
        faults.append(RowFault(line=line, column=read.get(position, column), found=value, expected=expected))
    return faults
