"""Reading of texts: by DuckDB where its records account for every line, by the exact reader otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import duckdb

from recobra.kit.sizes import MEGABYTE
from recobra.tabular.formats import limits
from recobra.tabular.formats.sheet import (
    BROKEN,
    RAW,
    ReadOptions,
    Row,
    Sheet,
    append_rows,
    create_exceptions,
    create_tables,
    escape_glob,
    name_columns,
)
from recobra.tabular.refusals import FileRefused
from recobra.tabular.workspace import Relation, Workspace

from . import exact
from .dialect import Dialect, detect_dialect, split_record
from .scan import Text, to_utf8

# DuckDB names the tables of refused records itself.
_PARSED: Final = Relation("parsed_records")
_REFUSED: Final = Relation("reject_errors")
_SCANS: Final = Relation("reject_scans")
# What DuckDB may copy of lines with more fields than columns: a line whose ends were lost is a thousand rows in one.
_COPIED_BYTES: Final = 256 * MEGABYTE


def read(path: Path, duck: Workspace, options: ReadOptions) -> Sheet:
    """Read a text into DuckDB. Raises FileRefused."""
    text = to_utf8(path, folder=duck.folder, encoding=options.encoding)
    dialect = detect_dialect(text.path, options)
    headers = name_columns(dialect.header)
    if text.lines - dialect.header_line > limits.ROWS:
        raise FileRefused("too_many_rows", limit=limits.ROWS)
    if _costs_too_much(text, dialect) or not _read_fast(duck, text, dialect):
        create_tables(duck, len(headers))
        append_rows(duck, exact.read_rows(text.path, dialect), width=len(headers))
    if text.is_damaged:
        _set_damaged_aside(duck, len(headers))
    return Sheet(headers, "csv", text.encoding, dialect.delimiter, header_line=dialect.header_line)


def _costs_too_much(text: Text, dialect: Dialect) -> bool:
    """Return whether DuckDB would take minutes and gigabytes for the faults of a few lines.

    It copies a line once for each field beyond the last column, also where it does not keep the fault.
    """
    if not text.has_long_lines:
        return False
    copied = 0
    with text.path.open(encoding="utf-8-sig", errors="replace", newline="") as handle:
        while line := handle.readline(limits.LINE_BYTES):
            copied += len(line) * max(line.count(dialect.delimiter) + 1 - len(dialect.header), 0)
            if copied > _COPIED_BYTES:
                return True
    return False


def _read_fast(duck: Workspace, text: Text, dialect: Dialect) -> bool:
    """Read the text by DuckDB, and return whether its records and the refused ones are all the lines there are.

    Where they are not, nothing is read: RAW and BROKEN are left for the exact reader to make.
    """
    expected = text.lines - dialect.header_line
    try:
        duck.create(_PARSED, *_parse_query(text, dialect))
        refused_count = expected - duck.count(_PARSED)
        if refused_count > limits.BROKEN_ROWS:
            # DuckDB keeps each refused record in so much time and memory that a small file takes all of both.
            return False
        refused = _fetch_refused(duck, text, dialect) if refused_count else []
    except duckdb.Error:
        return False
    # A record over several lines, or one that DuckDB read as two, would shift the number of every line after it.
    is_one_line_each = all(record is not None and "\n" not in record.rstrip("\r\n") for _line, record in refused)
    is_complete = is_one_line_each and duck.count(_PARSED) + len(refused) == expected
    if is_complete:
        _number_lines(duck, dialect, has_refused=bool(refused))
        create_exceptions(duck)
        append_rows(duck, _convert_refused(refused, dialect), width=len(dialect.header), read_before=expected)
    for table in (_PARSED, _REFUSED, _SCANS):
        duck.execute(f"DROP TABLE IF EXISTS {table}")
    return is_complete


def _fetch_refused(duck: Workspace, text: Text, dialect: Dialect) -> list[tuple[int, str]]:
    """Read the text once more, with the records that DuckDB refuses: line and text of each."""
    rejects = f"store_rejects=true, rejects_limit={limits.BROKEN_ROWS},"
    duck.create(_PARSED, *_parse_query(text, dialect, rejects=rejects))
    return duck.fetch_all(f"SELECT DISTINCT ON (line) line, csv_line FROM {_REFUSED} ORDER BY line")


def _parse_query(text: Text, dialect: Dialect, *, rejects: str = "") -> tuple[str, list[str]]:
    """Return SQL for the records that fit the columns, numbered by `rank`, and its parameters."""
    columns = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(dialect.header)))
    delimiter = dialect.delimiter.replace("'", "''")
    quote = dialect.quote.replace("'", "''")
    query = f"""
        SELECT row_number() OVER () AS rank, * FROM read_csv(
            ?,
            auto_detect=false,
            header=false,
            skip={dialect.header_line},
            delim='{delimiter}',
            quote='{quote}',
            escape='{quote}',
            columns={{{columns}}},
            ignore_errors=true,
            {rejects}
            null_padding=false,
            max_line_size={limits.LINE_BYTES}
        )
        """
    return query, [escape_glob(text.path)]


def _number_lines(duck: Workspace, dialect: Dialect, *, has_refused: bool) -> None:
    """Make RAW of the good records, each with its line: its rank plus the header and the refused lines before it.

    With the header in line 1 and the lines 3 and 5 refused, the records of the ranks 1, 2 and 3 are the lines 2, 4
    and 6. `steps` then says: one line more for ranks above 1, two for ranks above 2.
    """
    header_line = dialect.header_line
    if not has_refused:
        duck.create(RAW, f"SELECT ? + rank AS line, * EXCLUDE (rank) FROM {_PARSED}", [header_line])
        return
    duck.create(
        RAW,
        f"""
        WITH refused AS (
            SELECT DISTINCT line - ? AS line FROM {_REFUSED}
        ), gaps AS (
            SELECT
                -- As many good records come before this refused line.
                line - row_number() OVER (ORDER BY line) AS records_before,
                row_number() OVER (ORDER BY line) AS shift
            FROM refused
        ), steps AS (
            SELECT records_before, max(shift) AS shift FROM gaps GROUP BY records_before
        )
        SELECT ? + rank + coalesce(shift, 0) AS line, {_PARSED}.* EXCLUDE (rank)
        FROM {_PARSED} ASOF LEFT JOIN steps ON {_PARSED}.rank > steps.records_before
        """,
        [header_line, header_line],
    )


def _convert_refused(refused: list[tuple[int, str]], dialect: Dialect) -> Iterator[Row]:
    """Yield the records that DuckDB refused (line, text) as rows, to find out what is wrong with each."""
    for line, record in refused:
        text = record.rstrip("\r\n")
        if text.count(dialect.quote) % 2:
            yield exact.unclosed_row(line, text, dialect)
        else:
            yield Row(line, list(split_record(text, dialect.delimiter, dialect.quote)))


def _set_damaged_aside(duck: Workspace, width: int) -> None:
    """Move rows that hold a byte outside the encoding to the broken ones."""
    columns = [f"c{n}" for n in range(width)]
    # Such bytes became U+FFFD when the text was rewritten.
    is_damaged = " OR ".join(f"contains({column}, chr(65533))" for column in columns)
    duck.execute(
        f"INSERT INTO {BROKEN} SELECT line, to_json([{', '.join(columns)}]), 'bad_bytes', '{{}}', '', '' "
        f"FROM {RAW} WHERE {is_damaged}"
    )
    duck.execute(f"DELETE FROM {RAW} WHERE {is_damaged}")
