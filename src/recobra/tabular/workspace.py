"""The DuckDB in which one load works: its own, bounded in memory, deleted afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NewType

import duckdb
import pyarrow as pa

from recobra.kit import database, tables
from recobra.kit.duckdb_memory import memory_limit

THREADS: Final = 2
PREFIX: Final = "load-"
BATCH_ROWS: Final = 131_072
FEW_ROWS: Final = 1_000

Relation = NewType("Relation", str)
"""The name of a table in a workspace; steps hand these to each other, the rows stay in DuckDB."""


@dataclass
class Workspace:
    """A DuckDB connection and a folder for temporary files; `is_small` where somebody knows that it holds few rows."""

    connection: duckdb.DuckDBPyConnection
    folder: Path
    is_small: bool = False
    # How many rows the relations have that were made since a statement last changed any.
    _counts: dict[str, int] = field(default_factory=dict, init=False, repr=False)

    def execute(self, statement: str, parameters: list[Any] | None = None) -> None:
        """Execute a statement."""
        self._counts.clear()
        self.connection.execute(statement, parameters or [])

    def allow_memory(self, *, rows: int, text_bytes: int) -> None:
        """Let this workspace hold a file of so many rows and so much text."""
        self.execute(f"SET memory_limit = '{memory_limit(rows=rows, text_bytes=text_bytes)}'")

    def create(self, name: str, query: str, parameters: list[Any] | None = None) -> Relation:
        """Make a relation of a query's rows; one that already has the name is replaced."""
        made = self.connection.execute(f"CREATE OR REPLACE TABLE {name} AS {query}", parameters or []).fetchone()
        assert made is not None, "DuckDB answers with how many rows it has made"
        self._counts[name] = int(made[0])
        return Relation(name)

    def create_empty(self, name: str, columns: str) -> Relation:
        """Make a relation without rows; `columns` with their types as in SQL."""
        self.connection.execute(f"CREATE OR REPLACE TABLE {name} ({columns})")
        self._counts[name] = 0
        return Relation(name)

    def create_from_arrow(self, name: str, rows: pa.Table) -> Relation:
        """Make a relation of Arrow rows."""
        self.connection.register("arrow_rows", rows)
        relation = self.create(name, "SELECT * FROM arrow_rows")
        self.connection.unregister("arrow_rows")
        return relation

    def append_arrow(self, relation: Relation, rows: pa.Table) -> None:
        """Append Arrow rows to a relation; their columns come in its order."""
        self.connection.register("arrow_rows", rows)
        self.execute(f"INSERT INTO {relation} SELECT * FROM arrow_rows")
        self.connection.unregister("arrow_rows")

    def drop(self, relation: Relation) -> None:
        """Drop a relation that no later step reads, to free its memory."""
        self.connection.execute(f"DROP TABLE {relation}")
        self._counts.pop(relation, None)

    def fetch_all(self, query: str, parameters: list[Any] | None = None) -> list[Any]:
        """Return the rows of a query as tuples."""
        return self.connection.execute(query, parameters or []).fetchall()

    def fetch_row(self, query: str, parameters: list[Any] | None = None) -> tuple[Any, ...]:
        """Return the only row of a query."""
        (row,) = self.fetch_all(query, parameters)
        return tuple(row)

    def count(self, relation: Relation) -> int:
        """Return how many rows a relation has."""
        if relation not in self._counts:
            (count,) = self.fetch_row(f"SELECT count(*) FROM {relation}")
            self._counts[relation] = int(count)
        return self._counts[relation]

    def fetch_arrow(self, query: str) -> pa.Table:
        """Return a query's rows as an Arrow table."""
        if self.is_small:
            # `sql` makes no copy, but plans a query to know its columns and plans it again to run it.
            return self.connection.execute(query).to_arrow_table()
        return self.connection.sql(query).to_arrow_table()

    def copy_to_postgres(self, table: str, query: str) -> None:
        """Append a query's rows to a table of PostgreSQL by COPY; the column names are the table's."""
        if self.is_small:
            tables.copy_in(table, self.fetch_arrow(query))
            return
        # Batch by batch, so that a million rows need little memory.
        reader = self.connection.sql(query).to_arrow_reader(BATCH_ROWS)
        tables.copy_batches(table, reader.schema, reader)


def list_workspace_folders() -> list[Path]:
    """Return the folders of loads that are running, or that were killed."""
    return list(_parent_folder().glob(f"{PREFIX}*"))


def _parent_folder() -> Path:
    """Return the folder in which every workspace has its own."""
    return database.data_dir() / "tmp"


@contextmanager
def open_folder() -> Iterator[Path]:
    """Yield a folder of the data directory that ends with the block."""
    parent = _parent_folder()
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def open_workspace() -> Iterator[Workspace]:
    """Yield a workspace that ends with the block."""
    with open_folder() as folder, workspace_in(folder) as workspace:
        yield workspace


@contextmanager
def workspace_in(folder: Path, *, spill_bytes: int | None = None) -> Iterator[Workspace]:
    """Yield a workspace in a folder of the caller; without `spill_bytes` it may spill half of the free disk."""
    if spill_bytes is None:
        spill_bytes = shutil.disk_usage(folder).free // 2
    connection = duckdb.connect(config={"allocator_background_threads": True})  # or what was freed stays here
    try:
        connection.execute(f"SET memory_limit = '{memory_limit(rows=0)}'")
        connection.execute(f"SET threads = {THREADS}")
        connection.execute("SET enable_progress_bar = false")
        # What does not fit the memory goes to disk, and with the folder.
        connection.execute("SET temp_directory = '" + str(folder / "spill").replace("'", "''") + "'")
        connection.execute(f"SET max_temp_directory_size = '{spill_bytes}B'")
        yield Workspace(connection, folder)
    finally:
        connection.close()
