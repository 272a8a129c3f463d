"""What every step of a load needs to know about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb
import pyarrow as pa

from recobra.intake.mapping import Document
from recobra.intake.sources.sheet import Sheet
from recobra.intake.stage.columns import Columns


@dataclass(frozen=True)
class Owner:
    """The portfolio that a file belongs to, without its table."""

    portfolio_id: int
    creditor_id: int
    country: str
    currency: str
    decimals: int
    industry: str


@dataclass(frozen=True)
class Job:
    """One file on its way: the DuckDB connection holds its tables."""

    connection: duckdb.DuckDBPyConnection
    document: Document
    sheet: Sheet
    columns: Columns
    owner: Owner
    as_of: date
    now: datetime

    def run(self, statement: str, parameters: list[Any] | None = None) -> None:
        """Execute a statement."""
        self.connection.execute(statement, parameters or [])

    def one(self, query: str, parameters: list[Any] | None = None) -> tuple[Any, ...]:
        """Return the only row of a query."""
        return self.connection.execute(query, parameters or []).fetchall()[0]

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        return int(self.one(f"SELECT count(*) FROM {table}")[0])

    def arrow(self, query: str) -> pa.Table:
        """Return a query's rows as an Arrow table."""
        return self.connection.sql(query).to_arrow_table()

    def stream(self, query: str) -> pa.RecordBatchReader:
        """Return a query's rows batch by batch, so that a million of them need little memory."""
        return self.connection.sql(query).to_arrow_reader(131_072)

    def put(self, table: str, rows: pa.Table) -> None:
        """Make a table of Arrow rows."""
        self.connection.register("incoming", rows)
        self.connection.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM incoming")
        self.connection.unregister("incoming")
