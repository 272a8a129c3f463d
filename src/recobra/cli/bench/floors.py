"""What the database alone takes: the file's bytes into one bare table, and the clean rows into the product's tables."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.db import connection, connections
from psycopg import sql

COPY_NAME = "bench_floor"
FOREIGN = ("django_", "auth_", "procrastinate_", "access_")
BLOCK = 1 << 20


def raw(path: Path) -> float:
    """Return the seconds that COPY of a CSV file into one unlogged table of text takes."""
    with path.open(encoding="utf-8") as file:
        names = file.readline().strip().split(",")
    columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in names)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE UNLOGGED TABLE raw_floor ({})").format(columns))
        begin = time.perf_counter()
        with path.open("rb") as file, cursor.copy("COPY raw_floor FROM STDIN (FORMAT csv, HEADER)") as copy:
            while block := file.read(BLOCK):
                copy.write(block)
        seconds = time.perf_counter() - begin
        cursor.execute("DROP TABLE raw_floor")
    return round(seconds, 2)


def keep_empty_copy() -> None:
    """Copy the database while its tables are empty, with all their indexes, constraints and triggers."""
    name = connection.settings_dict["NAME"]
    connections.close_all()
    with _connected("template1") as other:
        other.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(COPY_NAME), sql.Identifier(name)))


def storing(home: Path) -> float:
    """Return the seconds that COPY of what is stored now takes into the empty copy; the copy is dropped after it."""
    seconds = 0.0
    with _connected(COPY_NAME) as other:
        for table in _ordered():
            file = home / "rows.copy"
            if _out(table, file) > 0:
                seconds += _in(other, table, file)
            file.unlink()
    with _connected("template1") as other:
        other.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(COPY_NAME)))
    return round(seconds, 2)


def _out(table: str, file: Path) -> int:
    with connection.cursor() as cursor:
        if table == "journal_entry":
            # Its partitions are part of the tables that rows are copied into.
            cursor.execute("SELECT DISTINCT date_trunc('month', at)::date FROM journal_entry")
            with _connected(COPY_NAME) as other:
                for (month,) in cursor.fetchall():
                    other.execute("SELECT journal_open_month(%s)", [month])
        with file.open("wb") as out, cursor.copy(_copy(table, "TO STDOUT")) as copy:
            for block in copy:
                out.write(block)
    return file.stat().st_size


def _in(other: psycopg.Connection, table: str, file: Path) -> float:
    begin = time.perf_counter()
    with file.open("rb") as rows, other.cursor().copy(_copy(table, "FROM STDIN")) as copy:
        while block := rows.read(BLOCK):
            copy.write(block)
    return time.perf_counter() - begin


def _copy(table: str, where: str) -> sql.Composed:
    source = sql.Identifier(table)
    if where == "TO STDOUT" and table == "journal_entry":
        return sql.SQL("COPY (SELECT * FROM {}) TO STDOUT").format(source)  # COPY TO wants no partitioned table
    return sql.SQL("COPY {} {}").format(source, sql.SQL(where))


def _ordered() -> list[str]:
    """Return the product's tables, those referred to first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.oid::regclass::text, coalesce(array_agg(DISTINCT f.confrelid::regclass::text)
                   FILTER (WHERE f.confrelid <> c.oid), '{}')
               FROM pg_class c LEFT JOIN pg_constraint f ON f.conrelid = c.oid AND f.contype = 'f'
               WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
               GROUP BY c.oid"""
        )
        refers = {name: set(others) for name, others in cursor.fetchall() if not name.startswith(FOREIGN)}
    ordered: list[str] = []
    while refers:
        ready = sorted(name for name, others in refers.items() if not others & refers.keys())
        ordered += ready
        for name in ready:
            del refers[name]
    return ordered


@contextmanager
def _connected(name: str) -> Iterator[psycopg.Connection]:
    settings = connection.settings_dict
    with psycopg.connect(host=settings["HOST"], user=settings["USER"], dbname=name, autocommit=True) as other:
        yield other
