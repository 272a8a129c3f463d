"""Rows from DuckDB into a table of PostgreSQL, a batch at a time."""

from __future__ import annotations

import pyarrow as pa

from recobra.intake.stage.load_context import Job
from recobra.kit import tables


def copy(job: Job, table: str, query: str) -> None:
    """Append a query's rows to a table; the column names are the table's."""
    for batch in job.stream(query):
        tables.copy_in(table, pa.Table.from_batches([batch]))
