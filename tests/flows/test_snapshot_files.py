"""The tables of a day are read two at a time where that sees the same, and none is left behind when one fails."""

from datetime import date
from threading import Barrier

import pyarrow as pa
import pytest
from django.db import connection, transaction
from pyarrow import parquet

from recobra.kit import tables
from recobra.strategy.operations.day_facts import write_snapshot

MONDAY = date(2026, 11, 23)
BACKEND = pa.schema([("backend", pa.int64())])


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RECOBRA_DATA_DIR", str(tmp_path))


def read_backend():
    """Return the process of PostgreSQL that answers."""
    return tables.fetch("SELECT pg_backend_pid()", [], BACKEND)


def backends(files):
    return [parquet.read_table(path)["backend"].to_pylist()[0] for path in files.values()]


@pytest.mark.django_db(transaction=True)
def test_two_tables_are_read_beside_each_other_and_the_second_connection_ends():
    both = Barrier(2, timeout=10)

    def read():
        both.wait()
        return read_backend()

    files = write_snapshot({"one": read, "two": read}, as_of=MONDAY)
    first, second = backends(files)
    assert first != second
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot(), pg_sleep(.05)")
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE pid = ANY(%s)", [[first, second]])
        assert cursor.fetchall() == [(connection.connection.info.backend_pid,)]

    def fail():
        raise LookupError

    for readers in ({"bad": fail, "good": read_backend}, {"good": read_backend, "bad": fail, "better": read_backend}):
        with pytest.raises(LookupError):
            write_snapshot(readers, as_of=MONDAY)


@pytest.mark.django_db
def test_inside_a_transaction_all_tables_are_read_over_its_connection():
    with transaction.atomic():
        own = connection.connection.info.backend_pid
        assert backends(write_snapshot({"one": read_backend, "two": read_backend}, as_of=MONDAY)) == [own, own]
