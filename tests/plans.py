"""What the statements of an action cost: the rows that they read, by the plans that PostgreSQL chose for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.db import connection

from tests import databases

_FORGET = """
    WITH tables AS (
        SELECT schemaname, tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename ~ '^(portfolio|payments|messaging|consent|conversations|strategy|workbench)_')
    SELECT pg_clear_relation_stats(schemaname, tablename)::text FROM tables
    UNION ALL
    SELECT pg_clear_attribute_stats(schemaname, tablename, attname, inherited)::text
    FROM pg_stats JOIN tables USING (schemaname, tablename)"""


def set_statistics(*, are_there: bool) -> None:
    """Count all tables, or make the planner take them for ones that were filled a moment ago."""
    with databases.acting_as_owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE" if are_there else _FORGET)


def find_statements(act: Callable[[], object]) -> list[tuple[str, Any]]:
    """Return the queries that an action asks, with their parameters."""
    asked: list[tuple[str, Any]] = []

    def keep(execute: Callable[..., object], sql: str, params: object, many: bool, context: object) -> object:
        if sql.lstrip().startswith(("SELECT", "WITH")):
            asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        act()
    return asked


def count_rows_read(sql: str, params: object) -> int:
    """Return how many rows a query reads, with those that it throws away."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params)
        (plan,) = cursor.fetchone()
    (whole,) = json.loads(plan) if isinstance(plan, str) else plan
    return _count(whole["Plan"])


def _count(node: dict[str, Any]) -> int:
    """Return the rows that a node of a plan has read, and those below it."""
    removed = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")
    read = node["Actual Rows"] + sum(node.get(name, 0) for name in removed)
    return int(read * node["Actual Loops"]) + sum(map(_count, node.get("Plans", ())))
