"""Read a text: DuckDB does it where its records account for every line, the exact reader otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from recobra.intake.refusals import LoadRefused
from recobra.intake.sources import limits
from recobra.intake.sources.sheet import Reading, Row, Sheet, create_broken, create_tables, fill, header_names, only

from . import exact
from .dialect import Dialect, cut, detect
from .scan import Text, to_utf8


def read(reading: Reading) -> Sheet:
    """Fill `raw` and `broken` from a text. Raises LoadRefused."""
    text = to_utf8(reading.path, work_dir=reading.work_dir, encoding=reading.encoding)
    dialect = detect(text.path)
    headers = header_names(dialect.header)
    if text.lines - dialect.header_line > limits.ROWS:
        raise LoadRefused("too_many_rows", limit=limits.ROWS)
    if not _read_fast(reading.connection, text, dialect):
        create_tables(reading.connection, len(headers))
        fill(reading.connection, width=len(headers), rows=exact.rows(text.path, dialect))
    if text.damaged:
        _set_damaged_aside(reading.connection, headers)
    return Sheet(headers, "csv", text.encoding, dialect.delimiter)


def _read_fast(connection: duckdb.DuckDBPyConnection, text: Text, dialect: Dialect) -> bool:
    """Return whether records and refused records together are all the lines there are."""
    try:
        connection.execute(_statement(dialect), [only(text.path)])
    except duckdb.Error:
        return False
    refused = connection.execute("SELECT DISTINCT ON (line) line, csv_line FROM reject_errors ORDER BY line").fetchall()
    (good,) = connection.execute("SELECT count(*) FROM fast").fetchall()[0]
    whole = all(text_ is not None and "\n" not in text_.rstrip("\r\n") for _line, text_ in refused)
    if not whole or good + len(refused) != text.lines - dialect.header_line:
        _drop_fast(connection)
        return False
    _number_lines(connection, dialect)
    create_broken(connection)
    fill(connection, width=len(dialect.header), rows=_refused(refused, dialect))
    return True


def _statement(dialect: Dialect) -> str:
    columns = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(dialect.header)))
    marks = [mark.replace("'", "''") for mark in (dialect.delimiter, dialect.quote)]
    return (
        "CREATE OR REPLACE TABLE fast AS SELECT row_number() OVER () AS rank, * FROM read_csv(?, auto_detect=false, "
        f"header=false, skip={dialect.header_line}, delim='{marks[0]}', quote='{marks[1]}', escape='{marks[1]}', "
        f"columns={{{columns}}}, ignore_errors=true, store_rejects=true, rejects_limit=0, null_padding=false, "
        f"max_line_size={limits.LINE_BYTES})"
    )


def _number_lines(connection: duckdb.DuckDBPyConnection, dialect: Dialect) -> None:
    """Give each good record its line: its rank plus the refused lines that stand before it."""
    connection.execute(
        "CREATE OR REPLACE TABLE raw AS WITH gaps AS ("
        "  SELECT line - row_number() OVER (ORDER BY line) AS before, row_number() OVER (ORDER BY line) AS shift"
        "  FROM (SELECT DISTINCT line - ? AS line FROM reject_errors)),"
        " steps AS (SELECT before, max(shift) AS shift FROM gaps GROUP BY before)"
        " SELECT ? + rank + coalesce(shift, 0) AS line, fast.* EXCLUDE (rank)"
        " FROM fast ASOF LEFT JOIN steps ON fast.rank > steps.before"
        if _has_rejects(connection)
        else "CREATE OR REPLACE TABLE raw AS SELECT ? - ? + ? + rank AS line, * EXCLUDE (rank) FROM fast",
        [dialect.header_line, dialect.header_line] if _has_rejects(connection) else [0, 0, dialect.header_line],
    )
    _drop_fast(connection)


def _has_rejects(connection: duckdb.DuckDBPyConnection) -> bool:
    return bool(connection.execute("SELECT count(*) FROM reject_errors").fetchall()[0][0])


def _drop_fast(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("DROP TABLE fast")
    connection.execute("DROP TABLE reject_errors")
    connection.execute("DROP TABLE reject_scans")


def _refused(refused: list[tuple[int, str]], dialect: Dialect) -> Iterator[Row]:
    for line, record in refused:
        text = record.rstrip("\r\n")
        if text.count(dialect.quote) % 2:
            yield Row(line, list(text.split(dialect.delimiter)), "unclosed_quote", value=text)
        else:
            yield Row(line, list(cut(text, dialect.delimiter, dialect.quote)))


def _set_damaged_aside(connection: duckdb.DuckDBPyConnection, headers: tuple[str, ...]) -> None:
    """Move rows that hold a byte outside the encoding from `raw` to `broken`."""
    columns = [f"c{n}" for n in range(len(headers))]
    bad = " OR ".join(f"contains({column}, chr(65533))" for column in columns)
    connection.execute(
        f"INSERT INTO broken SELECT line, to_json([{', '.join(columns)}]), 'bad_bytes', '{{}}', '', '' "
        f"FROM raw WHERE {bad}"
    )
    connection.execute(f"DELETE FROM raw WHERE {bad}")
