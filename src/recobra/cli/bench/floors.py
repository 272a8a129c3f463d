"""Seconds of the database alone: the file's bytes into one bare table, and clean rows into the product's tables."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.db import connection, connections
from psycopg import sql

from recobra.kit import database
from recobra.kit.database_roles import OWNER, SUPERUSER

COPY_NAME = "bench_floor"
UNCHECKED_COPY_NAME = "bench_floor_unchecked"
OTHER_APPS = ("django_", "auth_", "procrastinate_", "access_")
BLOCK = 1 << 20  # bytes read at once


def measure_raw_copy(path: Path) -> float:
    """Return the seconds that COPY of a CSV file into one unlogged table of text columns takes."""
    with path.open(encoding="utf-8") as file:
        names = file.readline().strip().split(",")
    columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in names)
    with database.as_owner(), connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE UNLOGGED TABLE raw_floor ({})").format(columns))
        begin = time.perf_counter()
        with path.open("rb") as file, cursor.copy("COPY raw_floor FROM STDIN (FORMAT csv, HEADER)") as copy:
            while block := file.read(BLOCK):
                copy.write(block)
        seconds = time.perf_counter() - begin
        cursor.execute("DROP TABLE raw_floor")
    return round(seconds, 2)


def copy_empty_databases() -> None:
    """Copy the database twice while its tables are empty, with all their indexes, constraints and triggers.

    The second copy has no foreign keys: nothing looks whether what a row refers to is there.
    """
    name = connection.settings_dict["NAME"]
    connections.close_all()
    with _connect("template1") as other:
        for copy_name in (COPY_NAME, UNCHECKED_COPY_NAME):
            statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
            other.execute(statement.format(*map(sql.Identifier, (copy_name, OWNER, name))))
    with _connect(UNCHECKED_COPY_NAME) as other:
        keys = other.execute(
            """SELECT conrelid::regclass::text, conname FROM pg_constraint
               WHERE contype = 'f' AND conparentid = 0 AND connamespace = 'public'::regnamespace"""
        ).fetchall()
        for table, key in keys:
            statement = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
            other.execute(statement.format(sql.Identifier(table), sql.Identifier(key)))


def measure_storing(home: Path) -> tuple[float, float]:
    """Return the seconds that COPY of all stored rows into each empty copy takes; drop the copies.

    The first figure is with foreign keys checked row by row, the second without any check of them.
    """
    checked = 0.0
    unchecked = 0.0
    with _connect(COPY_NAME) as with_keys, _connect(UNCHECKED_COPY_NAME) as without_keys:
        for table in _tables_in_order():
            file = home / "rows.copy"
            if _copy_out(table, file, [with_keys, without_keys]) > 0:
                checked += _copy_in(with_keys, table, file)
                unchecked += _copy_in(without_keys, table, file)
            file.unlink()
    with _connect("template1") as other:
        for copy_name in (COPY_NAME, UNCHECKED_COPY_NAME):
            other.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(copy_name)))
    return round(checked, 2), round(unchecked, 2)


def _copy_out(table: str, file: Path, copies: Sequence[psycopg.Connection]) -> int:
    """Copy a table into a file and return its size in bytes; the copies get its partitions."""
    with connection.cursor() as cursor:
        if table == "journal_entry":
            # Its partitions are part of the tables that rows are copied into.
            cursor.execute("SELECT DISTINCT date_trunc('month', at)::date FROM journal_entry")
            months = cursor.fetchall()
            for other in copies:
                for (month,) in months:
                    other.execute("SELECT journal_open_month(%s)", [month])
        with file.open("wb") as out, cursor.copy(_copy_out_statement(table)) as copy:
            for block in copy:
                out.write(block)
    return file.stat().st_size


def _copy_in(other: psycopg.Connection, table: str, file: Path) -> float:
    """Copy a file into a table and return the seconds."""
    statement = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))
    begin = time.perf_counter()
    with file.open("rb") as rows, other.cursor().copy(statement) as copy:
        while block := rows.read(BLOCK):
            copy.write(block)
    return time.perf_counter() - begin


def _copy_out_statement(table: str) -> sql.Composed:
    """Return the COPY of a table to the client."""
    source = sql.Identifier(table)
    if table == "journal_entry":
        # COPY TO refuses a partitioned table, and takes a query over it.
        return sql.SQL("COPY (SELECT * FROM {}) TO STDOUT").format(source)
    return sql.SQL("COPY {} TO STDOUT").format(source)


def _tables_in_order() -> list[str]:
    """Return the product's tables, each after those that it refers to."""
    with connection.cursor() as cursor:
        cursor.execute(
            # Every table, also a partitioned one, with the other tables that its foreign keys refer to.
            """SELECT class.oid::regclass::text, coalesce(array_agg(DISTINCT reference.confrelid::regclass::text)
                   FILTER (WHERE reference.confrelid <> class.oid), '{}')
               FROM pg_class class
               LEFT JOIN pg_constraint reference ON reference.conrelid = class.oid AND reference.contype = 'f'
               WHERE class.relnamespace = 'public'::regnamespace AND class.relkind IN ('r', 'p')
                   AND NOT class.relispartition
               GROUP BY class.oid"""
        )
        rows = cursor.fetchall()
    referred_tables = {name: set(others) for name, others in rows if not name.startswith(OTHER_APPS)}
    ordered: list[str] = []
    while referred_tables:
        # Those that refer to no table that is still to come.
        ready = sorted(name for name, others in referred_tables.items() if not others & referred_tables.keys())
        ordered += ready
        for name in ready:
            del referred_tables[name]
    return ordered


@contextmanager
def _connect(name: str) -> Iterator[psycopg.Connection]:
    """Connect to another database of the same server as its superuser, outside any transaction."""
    server = database.embedded_server(database.data_dir())
    with psycopg.connect(server.url(SUPERUSER, database=name), autocommit=True) as other:
        yield other
