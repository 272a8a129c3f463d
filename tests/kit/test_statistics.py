"""Whoever joins the rows of a large write gets a plan made for them, at once."""

from __future__ import annotations

import pyarrow as pa
import pytest
from django.db import connection, transaction

from recobra.kit import statistics, tables
from tests import databases

MANY = 2 * statistics.FEW_ROWS
TABLES = """
    CREATE TABLE counted_whole (number bigint);
    CREATE TABLE counted_parts (number bigint) PARTITION BY RANGE (number);
    CREATE TABLE counted_low PARTITION OF counted_parts FOR VALUES FROM (0) TO (100000);
    CREATE TABLE counted_high PARTITION OF counted_parts FOR VALUES FROM (100000) TO (200000);
    GRANT SELECT, INSERT ON counted_whole, counted_parts TO recobra_app"""


@pytest.fixture
def _tables(transactional_db):
    _execute(TABLES)
    yield
    _execute("DROP TABLE counted_whole, counted_parts")


@pytest.mark.usefixtures("_tables")
def test_statistics_follow_what_was_written():
    _write("counted_whole", statistics.FEW_ROWS // 2)
    assert _counted("counted_whole") == -1  # nobody has counted it
    with transaction.atomic():
        _write("counted_whole", MANY)
        _write("counted_parts", MANY)
        assert _counted("counted_whole") == -1
    written = statistics.FEW_ROWS // 2 + MANY
    assert _counted("counted_whole") == written
    # Only the part that was written to.
    assert (_counted("counted_low"), _counted("counted_high")) == (MANY, -1)

    # A little more is not much of it; many little writes are.
    _write("counted_whole", written // 2 - 1)
    assert _counted("counted_whole") == written
    for _again in range(4):
        _write("counted_whole", statistics.FEW_ROWS // 2)
    assert _counted("counted_whole") > written


@pytest.mark.usefixtures("_tables")
def test_what_is_rolled_back_is_not_counted():
    with transaction.atomic():
        _write("counted_whole", MANY)
        transaction.set_rollback(True)
    assert _counted("counted_whole") == -1


def _write(table: str, count: int) -> None:
    tables.copy_in(table, pa.table({"number": range(count)}))


def _counted(table: str) -> int:
    """Return how many rows PostgreSQL believes a table to have, -1 where it never looked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
        (count,) = cursor.fetchone()
    return int(count)


def _execute(statements: str) -> None:
    with databases.acting_as_owner(), connection.cursor() as cursor:
        cursor.execute(statements)
