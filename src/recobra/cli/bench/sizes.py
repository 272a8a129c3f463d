"""Bytes that each table takes, in its heap, its indexes and what is stored apart from its rows."""

from __future__ import annotations

from django.db import connection

_SIZES = """
    SELECT coalesce(pg_partition_root(class.oid), class.oid)::regclass::text,
        sum(pg_relation_size(class.oid)), sum(pg_indexes_size(class.oid)),
        sum(coalesce(pg_total_relation_size(nullif(class.reltoastrelid, 0)), 0))
    FROM pg_class class
    WHERE class.relkind = 'r' AND class.relnamespace = 'public'::regnamespace
    GROUP BY 1 ORDER BY sum(pg_total_relation_size(class.oid)) DESC"""


def measure_bytes_per_account(accounts: int) -> dict[str, dict[str, float]]:
    """Return the bytes of each table's heap, indexes and toast by account, the largest table first.

    `all` is the sum of all tables; those below a hundredth of it are in it alone.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SIZES)
        sizes = [(table, [float(size) / accounts for size in parts]) for table, *parts in cursor.fetchall()]
    totals = [sum(parts) for parts in zip(*(parts for _table, parts in sizes), strict=True)]
    shown = [("all", totals), *((table, parts) for table, parts in sizes if sum(parts) >= sum(totals) / 100)]
    names = ("heap", "indexes", "toast")
    return {table: dict(zip(names, (round(part, 1) for part in parts), strict=True)) for table, parts in shown}
