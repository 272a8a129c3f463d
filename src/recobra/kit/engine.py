"""DuckDB in process, the engine that evaluates the core's expressions.

An expression is compiled to SQL once and run many times: for one debtor, compiling takes ten times as long as deciding.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
from duckdb import DuckDBPyConnection

from recobra.kit.duckdb_memory import memory_limit
from recobra.kit.sql_cache import AS_OF_FUNCTION, AsOfDay, to_sql

from .database import data_dir

FEW_ROWS = 1_000
MAX_PREPARED = 4
"""Sets of prepared statements that a thread keeps; each takes about 7 MB."""

AS_OF: ir.DateScalar = AsOfDay().to_expr()
"""The day of `set_as_of`: a statement compiled with it serves every day."""

# The copy is of few rows; `sql`, which makes none, plans what it runs.
warnings.filterwarnings("ignore", message="Arrow output on a DB-API result", category=UserWarning)


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
def open_duckdb(*, rows: int = 0) -> Iterator[DuckDBPyConnection]:
    """Open a new DuckDB for so many rows, which spills to the data directory and leaves nothing behind."""
    home = data_dir() / "tmp"
    home.mkdir(parents=True, exist_ok=True)
    spill = tempfile.mkdtemp(prefix="engine-", dir=home)
    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": min(4, os.cpu_count() or 1),
        "memory_limit": memory_limit(rows=rows),
        "temp_directory": spill,
        "allocator_background_threads": True,  # or what was freed stays with the process
    }
    connection = duckdb.connect(":memory:", config=settings)
    try:
        yield connection
    finally:
        connection.close()
        shutil.rmtree(spill, ignore_errors=True)


def allow_memory(duck: DuckDBPyConnection, *, rows: int) -> None:
    """Let a DuckDB that is open work on so many accounts."""
    duck.execute(f"SET memory_limit = '{memory_limit(rows=rows)}'")


_thread_local = threading.local()


def thread_duckdb(user: str) -> DuckDBPyConnection:
    """Return this thread's own DuckDB for a purpose, `user`, and a handful of rows.

    Purposes do not share one: a table that one stores would shadow what another registers under the same name.
    """
    # Opening one takes longer than deciding for a debtor, so it stays open as long as its thread.
    connections = _thread_connections()
    if user not in connections:
        connections[user] = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "256MB"})
    return connections[user]


def _thread_connections() -> dict[str, DuckDBPyConnection]:
    """Return the connections of this thread, by purpose."""
    connections: dict[str, DuckDBPyConnection] = _thread_local.__dict__.setdefault("connections", {})
    return connections


@contextmanager
def duckdb_for_rows(rows: int, *, user: str) -> Iterator[DuckDBPyConnection]:
    """Yield the DuckDB that fits a number of rows: the thread's own for a few, a new one for many."""
    if rows <= FEW_ROWS:
        yield thread_duckdb(user)
    else:
        with open_duckdb(rows=rows) as connection:
            yield connection


def register_tables(duck: DuckDBPyConnection, tables: Mapping[str, pa.Table]) -> None:
    """Register Arrow tables, to be read by statements under their names."""
    for name, table in tables.items():
        duck.register(name, table)


def register_files(duck: DuckDBPyConnection, files: Mapping[str, Path]) -> None:
    """Register Parquet files, to be read by statements under their names."""
    for name, path in files.items():
        literal = str(path).replace("'", "''")
        # Without hive_partitioning=false a folder called `as_of=…` would add a column.
        rows = f"read_parquet('{literal}', hive_partitioning=false)"
        duck.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS SELECT * FROM {rows}')


def set_as_of(duck: DuckDBPyConnection, as_of: date) -> None:
    """Say which day AS_OF is in statements that are run or prepared from now on."""
    duck.execute(f"CREATE OR REPLACE TEMP MACRO {AS_OF_FUNCTION}() AS DATE '{as_of.isoformat()}'")


def run_statements(
    duck: DuckDBPyConnection, statements: Sequence[Statement], *, rows: int | None = None
) -> dict[str, pa.Table]:
    """Run statements in order and return the rows of those that fetch them, by name.

    `rows`: about how many rows they return at most, where the caller knows it.
    """
    is_small = rows <= FEW_ROWS if rows is not None else duck in _thread_connections().values()
    results: dict[str, pa.Table] = {}
    for statement in statements:
        sql = statement.sql
        if statement.store:
            duck.execute(f'CREATE OR REPLACE TEMP TABLE "{statement.name}" AS {sql}')
            sql = f'FROM "{statement.name}"'
        if statement.fetch:
            results[statement.name] = _fetch(duck, sql, is_small=is_small)
    return results


def _fetch(duck: DuckDBPyConnection, sql: str, *, is_small: bool) -> pa.Table:
    """Return the rows of a query."""
    # Of few rows a copy costs less than `sql`, which plans a query to know its columns and plans it again to run it.
    if is_small:
        return duck.execute(sql).to_arrow_table()
    return duck.sql(sql).to_arrow_table()


class _KeptTable:
    """A table that is filled anew for each run, read by DuckDB as an Arrow stream (PyCapsule interface)."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self.rows: pa.Table | None = None

    def fill(self, rows: pa.Table) -> None:
        """Let statements read these rows. Raises pyarrow's errors where they are not of the schema."""
        # The plan reads the stream by the schema that it was made for, and does not look again.
        self.rows = rows if rows.schema.equals(self.schema) else rows.cast(self.schema)

    def __arrow_c_schema__(self) -> object:
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        # A statement that reads a table of the run before would decide by somebody else's rows.
        if self.rows is None:
            raise LookupError("This table has not been filled for this run.")
        return self.rows.__arrow_c_stream__(requested_schema)


class PreparedStatements:
    """Statements that DuckDB parses and plans once, and runs again and again over a few rows.

    For one thread. A statement is prepared when it runs first, after the tables that it reads are filled; later rows of
    a table must have the schema of its first ones. `set_up` is called with the connection after tables are filled for
    the first time, to add views or the day; nothing of it may differ between the runs.
    """

    # DuckDB keeps a plan over Arrow streams only. Over tables of its own it plans at each run, because plans depend on
    # what these hold; and a parameter's value makes it plan anew.

    def __init__(self, duck: DuckDBPyConnection, *, set_up: Callable[[DuckDBPyConnection], None] | None = None) -> None:
        self._duck = duck
        self._set_up = set_up
        self._tables: dict[str, _KeptTable] = {}
        self._names: dict[Statement, str] = {}

    @contextmanager
    def fill(self, tables: Mapping[str, pa.Table]) -> Iterator[None]:
        """Let statements read these tables, and no others, until the end of the block."""
        self._empty()
        try:
            self.add(tables)
            if self._set_up is not None:
                self._set_up(self._duck)
                self._set_up = None
            yield
        finally:
            self._empty()

    def add(self, tables: Mapping[str, pa.Table]) -> None:
        """Fill more tables, inside the block of `fill`."""
        for name, rows in tables.items():
            if name not in self._tables:
                self._tables[name] = _KeptTable(rows.schema)
                self._duck.register(name, self._tables[name])
            self._tables[name].fill(rows)

    def run(self, statements: Sequence[Statement]) -> dict[str, pa.Table]:
        """Run statements in order and return the rows of those that fetch them, by name; see `run_statements`."""
        results: dict[str, pa.Table] = {}
        for statement in statements:
            rows = self._execute(statement)
            if statement.store:
                self.add({statement.name: rows})
            if statement.fetch:
                results[statement.name] = rows
        return results

    def _execute(self, statement: Statement) -> pa.Table:
        """Return the rows of a statement, which is prepared on first use."""
        if statement not in self._names:
            name = f"{statement.name}_{len(self._names)}"
            self._duck.execute(f'PREPARE "{name}" AS {statement.sql}')
            self._names[statement] = name
        return self._duck.execute(f'EXECUTE "{self._names[statement]}"').to_arrow_table()

    def _empty(self) -> None:
        """Forget all rows."""
        for table in self._tables.values():
            table.rows = None


def thread_prepared(
    key: tuple[Hashable, ...], *, set_up: Callable[[DuckDBPyConnection], None] | None = None
) -> PreparedStatements:
    """Return this thread's prepared statements under a key, new ones where it has none.

    The key names everything that `set_up` does: a purpose, its day, its policy.
    """
    prepared: OrderedDict[tuple[Hashable, ...], PreparedStatements] = _thread_local.__dict__.setdefault(
        "prepared", OrderedDict()
    )
    if key not in prepared:
        # A cursor has registered tables, views and prepared statements of its own.
        prepared[key] = PreparedStatements(thread_duckdb("prepared").cursor(), set_up=set_up)
        while len(prepared) > MAX_PREPARED:
            prepared.popitem(last=False)
    prepared.move_to_end(key)
    return prepared[key]


def count_rows(duck: DuckDBPyConnection, name: str) -> int:
    """Return how many rows a stored or registered table has."""
    ((count,),) = duck.execute(f'SELECT count(*) FROM "{name}"').fetchall()
    return int(count)


def read_table(duck: DuckDBPyConnection, name: str) -> pa.Table:
    """Return the rows of a table that an earlier statement has stored."""
    return duck.sql(f'FROM "{name}"').to_arrow_table()


def write_parquet(duck: DuckDBPyConnection, statement: Statement, path: Path) -> None:
    """Write the rows of a statement to a Parquet file, which appears under its name when it is whole."""
    partial = path.with_suffix(".partial")
    target = str(partial).replace("'", "''")
    duck.execute(f"COPY ({statement.sql}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
    partial.replace(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonField:
    """A field of a JSON column, DuckDB's type of it, and an SQL condition of the rows in which it counts."""

    field: str
    kind: str
    condition: str


def unpack_fields(
    duck: DuckDBPyConnection, name: str, *, source: str, column: str, fields: Mapping[str, JsonField]
) -> None:
    """Make a view of a registered table with fields of a JSON column as columns of their own, in its place.

    What is not of its type, or stands in a row where it does not count, is null.
    """
    columns = []
    for stored_as, each in fields.items():
        path = f"'$.\"{each.field}\"'"
        value = f"json_extract_string({column}, {path})"
        if each.kind in {"BIGINT", "DOUBLE"}:
            # A text that looks like a number may count something else, as after a change of the type.
            value = f"CASE WHEN json_type({column}, {path}) <> 'VARCHAR' THEN {value} END"
        counted = f"CASE WHEN {each.condition} THEN {value} END"
        columns.append(f'TRY_CAST({counted} AS {each.kind}) AS "{stored_as}"')
    selected = ", ".join([f"* EXCLUDE ({column})", *columns])
    duck.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS SELECT {selected} FROM "{source}"')
