"""The engine that evaluates the core's expressions: DuckDB in process.

An expression is compiled to SQL once and run many times: for one debtor the compiling would take ten times as long as
the deciding.
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

import duckdb as engine
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from recobra.kit.sql_cache import to_sql

from .database import data_dir

MEMORY_LIMIT = "1200MB"
FEW_ROWS = 1_000


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A compiled expression. Its rows are kept under `name` where later statements read them, or given back."""

    name: str
    sql: str
    keep: bool = False
    give: bool = True


def source_table(name: str, schema: pa.Schema | ibis.Schema) -> ir.Table:
    """Return the table that will stand under a name when the statement runs."""
    return ibis.table(schema if isinstance(schema, ibis.Schema) else ibis.Schema.from_pyarrow(schema), name=name)


def compile_statement(name: str, expression: ir.Table, *, keep: bool = False, give: bool = True) -> Statement:
    """Compile an expression over `source` tables; its integers come out in the width that the expression states.

    DuckDB sums 64-bit integers in 128 bits, and Ibis leaves out the cast back because it takes them for 64.
    """
    sql = to_sql(expression)
    whole = [column for column, kind in expression.schema().items() if kind.is_int64()]
    if whole:
        casts = ", ".join(f'"{column}"::BIGINT AS "{column}"' for column in whole)
        sql = f"SELECT * REPLACE ({casts}) FROM ({sql})"
    return Statement(name=name, sql=sql, keep=keep, give=give)


@contextmanager
def open_duckdb() -> Iterator[engine.DuckDBPyConnection]:
    """Give a DuckDB of one's own, which spills to the data directory and leaves nothing behind."""
    home = data_dir() / "tmp"
    home.mkdir(parents=True, exist_ok=True)
    spill = tempfile.mkdtemp(prefix="engine-", dir=home)
    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": min(4, os.cpu_count() or 1),
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": spill,
    }
    connection = engine.connect(":memory:", config=settings)
    try:
        yield connection
    finally:
        connection.close()
        shutil.rmtree(spill, ignore_errors=True)


_thread_local = threading.local()


def thread_duckdb(user: str) -> engine.DuckDBPyConnection:
    """Return this thread's own DuckDB, for a handful of rows: opening one takes longer than deciding for a debtor.

    Each `user` has its own: what one keeps as a table another may be given under the same name.
    """
    at_hand: dict[str, engine.DuckDBPyConnection] = _thread_local.__dict__.setdefault("at_hand", {})
    if user not in at_hand:
        at_hand[user] = engine.connect(":memory:", config={"threads": 1, "memory_limit": "256MB"})
    return at_hand[user]


@contextmanager
def duckdb_for_rows(rows: int, *, user: str) -> Iterator[engine.DuckDBPyConnection]:
    """Give the DuckDB that fits a number of rows: the one at hand for a few, one of its own for many."""
    if rows <= FEW_ROWS:
        yield thread_duckdb(user)
    else:
        with open_duckdb() as connection:
            yield connection


def register_tables(duck: engine.DuckDBPyConnection, tables: Mapping[str, pa.Table]) -> None:
    """Let statements read Arrow tables by name."""
    for name, table in tables.items():
        duck.register(name, table)


def register_files(duck: engine.DuckDBPyConnection, files: Mapping[str, Path]) -> None:
    """Let statements read Parquet files by name; a folder called `as_of=…` adds no column."""
    for name, path in files.items():
        literal = str(path).replace("'", "''")
        rows = f"read_parquet('{literal}', hive_partitioning=false)"
        duck.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS SELECT * FROM {rows}')


def run_statements(duck: engine.DuckDBPyConnection, statements: Sequence[Statement]) -> dict[str, pa.Table]:
    """Run statements in order and return the rows of those that give them."""
    given: dict[str, pa.Table] = {}
    for statement in statements:
        sql = statement.sql
        if statement.keep:
            duck.execute(f'CREATE OR REPLACE TEMP TABLE "{statement.name}" AS {sql}')
            sql = f'FROM "{statement.name}"'
        if statement.give:
            given[statement.name] = duck.sql(sql).to_arrow_table()
    return given
