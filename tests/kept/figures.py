"""What a database holds, table by table, so that two states of it can be compared to the last value."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

NOT_OURS = {"django_migrations", "django_content_type", "auth_permission", "django_session"}
"""Tables of the framework, which it writes anew with every migration."""
_TABLES = """
    SELECT class.relname, array_agg(attribute.attname ORDER BY attribute.attnum), (
        SELECT array_agg(attname ORDER BY attnum) FROM pg_attribute, pg_index
        WHERE indrelid = class.oid AND indisprimary AND attrelid = class.oid AND attnum = ANY(indkey))
    FROM pg_class class JOIN pg_attribute attribute ON attribute.attrelid = class.oid
    WHERE class.relkind IN ('r', 'p') AND NOT class.relispartition AND attribute.attnum > 0
        AND NOT attribute.attisdropped AND class.relnamespace = 'public'::regnamespace
        AND class.relname NOT LIKE 'procrastinate%'
    GROUP BY class.oid, class.relname ORDER BY class.relname"""


@dataclass(frozen=True, kw_only=True)
class TableFigures:
    """How many rows a table has, and a digest of each column's values in the order of the key."""

    rows: int
    digests: Mapping[str, str]


Figures = Mapping[str, TableFigures]


def read_figures(connection: psycopg.Connection) -> dict[str, TableFigures]:
    """Return the figures of every table of the product."""
    figures = {}
    for table, columns, key in connection.execute(_TABLES).fetchall():
        if table in NOT_OURS:
            continue
        order = sql.SQL(", ").join(map(sql.Identifier, key or columns))
        digest = "md5(coalesce(string_agg(coalesce(md5({}::text), ''), ',' ORDER BY {}), ''))"
        digests = sql.SQL(", ").join(sql.SQL(digest).format(sql.Identifier(column), order) for column in columns)
        query = sql.SQL("SELECT count(*), {} FROM {}").format(digests, sql.Identifier(table))
        rows, *values = connection.execute(query).fetchone()
        figures[table] = TableFigures(rows=rows, digests=dict(zip(columns, values, strict=True)))
    return figures


def find_losses(before: Figures, after: Figures, *, moved: Collection[str]) -> list[str]:
    """Return what was there before and is not the same afterwards, in words; new tables and columns are no loss.

    `moved` are tables and columns (`table.column`) that a migration changes on purpose.
    """
    return [
        loss
        for table, figures in before.items()
        if table not in moved
        for loss in _losses_of(table, figures, after.get(table), moved)
    ]


def _losses_of(table: str, before: TableFigures, after: TableFigures | None, moved: Collection[str]) -> Iterator[str]:
    if after is None:
        yield f"{table} is gone"
        return
    if before.rows != after.rows:
        yield f"{table}: {before.rows} rows are {after.rows}"
        return
    for column, digest in before.digests.items():
        if f"{table}.{column}" in moved:
            continue
        if column not in after.digests:
            yield f"{table}.{column} is gone"
        elif after.digests[column] != digest:
            yield f"{table}.{column} has other values"
