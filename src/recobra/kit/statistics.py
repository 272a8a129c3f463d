"""Statistics of the planner, gathered anew when a transaction has changed much of a table.

PostgreSQL does so by itself, but up to a minute later: whoever joins the rows of a load in that minute gets plans made
for the table as it was, and what suits an empty one takes hours over a million.
"""

from __future__ import annotations

import threading
from typing import Final

from django.db import connection, transaction

MUCH_CHANGED: Final = 0.5
"""Part of a table's rows whose change makes its statistics misleading; PostgreSQL sees by itself that a table grew."""
FEW_ROWS: Final = 1_000
"""Rows below which no plan is worth a question to the catalogue."""

_thread_local = threading.local()

# A partitioned table is counted by its partitions: those that nobody has written to stay as they are.
_FIND_CHANGED = """
    SELECT stored.oid::regclass::text
    FROM unnest(%s::text[]) AS written (name)
    CROSS JOIN LATERAL (
        SELECT to_regclass(written.name)::oid AS oid
        UNION SELECT relid::oid FROM pg_partition_tree(to_regclass(written.name)) WHERE isleaf) AS part
    JOIN pg_class stored ON stored.oid = part.oid AND stored.relkind = 'r'
    WHERE pg_stat_get_mod_since_analyze(stored.oid) > greatest(stored.reltuples * %s, %s)"""


def refresh_after_commit(table: str, *, rows: int) -> None:
    """Note that this transaction writes `rows` rows of a table; gather its statistics anew if that was much of it.

    That is done when the transaction commits, for all its tables together.
    """
    counts = _written_rows()
    counts[table] = counts.get(table, 0) + rows
    if counts[table] >= FEW_ROWS:
        # Robust: what has been committed is not to fail for the want of statistics.
        transaction.on_commit(_refresh, robust=True)


def _written_rows() -> dict[str, int]:
    """Return how many rows this thread has written to each table since it last asked about it."""
    counts: dict[str, int] = _thread_local.__dict__.setdefault("written_rows", {})
    return counts


def _refresh() -> None:
    """Let PostgreSQL count those tables anew of which much has changed since it last did."""
    counts = _written_rows()
    names = sorted(name for name, rows in counts.items() if rows >= FEW_ROWS)
    if not names:
        return  # an earlier write of the same transaction has seen to it
    for name in names:
        del counts[name]
    with connection.cursor() as cursor:
        # What this connection has written is otherwise reported a second later.
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(_FIND_CHANGED, [names, MUCH_CHANGED, FEW_ROWS - 1])
        changed = [name for (name,) in cursor.fetchall()]
        if changed:
            cursor.execute("SELECT maintenance.analyze_tables(%s::regclass[])", [changed])
