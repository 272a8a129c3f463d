"""DuckDB in process, the engine that evaluates the core's expressions.

An expression is compiled to SQL once and run many times: for one debtor, compiling takes ten times as long as deciding.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from recobra.kit.sql_cache import to_sql

from .database import data_dir

MEMORY_LIMIT = "1200MB"  # a million accounts may take 4 GB with PostgreSQL; beyond this DuckDB spills to disk
FEW_ROWS = 1_000


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A compiled expression: `store` makes its rows a table for later statements, `fetch` returns them."""

    name: str
    sql: str
    store: bool = False
    fetch: bool = True


def source_table(name: str, schema: pa.Schema | ibis.Schema) -> ir.Table:
    """Return an unbound table: the one registered under this name when a statement runs."""
    return ibis.table(schema if isinstance(schema, ibis.Schema) else ibis.Schema.from_pyarrow(schema), name=name)


def compile_statement(name: str, expression: ir.Table, *, store: bool = False, fetch: bool = True) -> Statement:
    """Compile an expression over `source_table` tables; integers keep the width that the expression states."""
    sql = to_sql(expression)
    # DuckDB sums 64-bit integers in 128 bits, and Ibis leaves out the cast back because it takes them for 64.
    integers = [column for column, kind in expression.schema().items() if kind.is_int64()]
    if integers:
        casts = ", ".join(f'"{column}"::BIGINT AS "{column}"' for column in integers)
        sql = f"SELECT * REPLACE ({casts}) FROM ({sql})"
    return Statement(name=name, sql=sql, store=store, fetch=fetch)


@contextmanager
def open_duckdb() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a new DuckDB, which spills to the data directory and leaves nothing behind."""
    home = data_dir() / "tmp"
    home.mkdir(parents=True, exist_ok=True)
    spill = tempfile.mkdtemp(prefix="engine-", dir=home)
    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": min(4, os.cpu_count() or 1),
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": spill,
    }
    connection = duckdb.connect(":memory:", config=settings)
    try:
        yield connection
    finally:
        connection.close()
        shutil.rmtree(spill, ignore_errors=True)


_thread_local = threading.local()


def thread_duckdb(user: str) -> duckdb.DuckDBPyConnection:
    """Return this thread's own DuckDB for a purpose, `user`, and a handful of rows.

    Purposes do not share one: a table that one stores would shadow what another registers under the same name.
    """
    # Opening one takes longer than deciding for a debtor, so it stays open as long as its thread.
    connections: dict[str, duckdb.DuckDBPyConnection] = _thread_local.__dict__.setdefault("connections", {})
    if user not in connections:
        connections[user] = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "256MB"})
    return connections[user]


@contextmanager
def duckdb_for_rows(rows: int, *, user: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield the DuckDB that fits a number of rows: the thread's own for a few, a new one for many."""
    if rows <= FEW_ROWS:
        yield thread_duckdb(user)
    else:
        with open_duckdb() as connection:
            yield connection


def register_tables(duck: duckdb.DuckDBPyConnection, tables: Mapping[str, pa.Table]) -> None:
    """Register Arrow tables, to be read by statements under their names."""
    for name, table in tables.items():
        duck.register(name, table)


def register_files(duck: duckdb.DuckDBPyConnection, files: Mapping[str, Path]) -> None:
    """Register Parquet files, to be read by statements under their names."""
    for name, path in files.items():
        literal = str(path).replace("'", "''")
        # Without hive_partitioning=false a folder called `as_of=…` would add a column.
        rows = f"read_parquet('{literal}', hive_partitioning=false)"
        duck.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS SELECT * FROM {rows}')


def run_statements(duck: duckdb.DuckDBPyConnection, statements: Sequence[Statement]) -> dict[str, pa.Table]:
    """Run statements in order and return the rows of those that fetch them, by name."""
    results: dict[str, pa.Table] = {}
    for statement in statements:
        sql = statement.sql
        if statement.store:
            duck.execute(f'CREATE OR REPLACE TEMP TABLE "{statement.name}" AS {sql}')
            sql = f'FROM "{statement.name}"'
        if statement.fetch:
            results[statement.name] = duck.sql(sql).to_arrow_table()
    return results


def count_rows(duck: duckdb.DuckDBPyConnection, name: str) -> int:
    """Return how many rows a stored or registered table has."""
    ((count,),) = duck.execute(f'SELECT count(*) FROM "{name}"').fetchall()
    return int(count)


def read_table(duck: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    """Return the rows of a table that an earlier statement has stored."""
    return duck.sql(f'FROM "{name}"').to_arrow_table()


def write_parquet(duck: duckdb.DuckDBPyConnection, statement: Statement, path: Path) -> None:
    """Write the rows of a statement to a Parquet file, which appears under its name when it is whole."""
    partial = path.with_suffix(".partial")
    target = str(partial).replace("'", "''")
    duck.execute(f"COPY ({statement.sql}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
    partial.replace(path)


def unpack_fields(
    duck: duckdb.DuckDBPyConnection, name: str, *, source: str, column: str, fields: Mapping[str, str]
) -> None:
    """Make a view of a registered table with fields of a JSON column as columns of their own, in its place.

    `fields` are DuckDB's types by column, `attr_x` for the field `x`; what is not of its type is null.
    """
    columns = [
        f'TRY_CAST(json_extract_string({column}, \'$."{field.removeprefix("attr_")}"\') AS {kind}) AS "{field}"'
        for field, kind in fields.items()
    ]
    selected = ", ".join([f"* EXCLUDE ({column})", *columns])
    duck.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS SELECT {selected} FROM "{source}"')
