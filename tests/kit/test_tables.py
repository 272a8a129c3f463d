"""Arrow rows reach their table whole, in however many pieces they come."""

from __future__ import annotations

import psycopg
import pyarrow as pa
import pytest
from django.db import connection, transaction

from recobra.kit import tables
from recobra.kit.array_text import to_array_text

PAIRS = pa.schema([("number", pa.int64()), ("word", pa.string())])


@pytest.mark.django_db
@pytest.mark.parametrize("counts", [(0, 2), (0, 0, 1, 0, 2), (0,), ()])
def test_pieces_without_rows_write_nothing(counts):
    pieces = [pa.table({"number": range(count), "word": ["a"] * count}, schema=PAIRS) for count in counts]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE pairs (number bigint, word text) ON COMMIT DROP")
        tables.copy_in("pairs", pa.concat_tables([PAIRS.empty_table(), *pieces]))
        cursor.execute("SELECT number, word FROM pairs")
        assert cursor.fetchall() == [(number, "a") for count in counts for number in range(count)]


@pytest.mark.django_db
def test_rows_that_are_made_into_text_in_several_parts_come_whole_and_in_order(monkeypatch):
    monkeypatch.setattr(tables, "_ROWS_OF_TEXT", 3)
    numbers = list(range(20))
    words = [None if number % 7 == 0 else ("", 'a "b", c\n', "ñ")[number % 3] for number in numbers]
    rows = pa.table({"number": numbers, "word": words}, schema=PAIRS)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE pairs (place serial, number bigint, word text) ON COMMIT DROP")
        tables.copy_batches(
            "pairs", PAIRS, [rows.slice(start, 8).combine_chunks().to_batches()[0] for start in (0, 8, 16)]
        )
        cursor.execute("SELECT number, word FROM pairs ORDER BY place")
        assert cursor.fetchall() == list(zip(numbers, words, strict=True))


@pytest.mark.django_db
def test_what_postgresql_refuses_in_the_middle_is_raised(monkeypatch):
    monkeypatch.setattr(tables, "_ROWS_OF_TEXT", 1)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE pairs (number bigint CHECK (number < 5), word text) ON COMMIT DROP")
        with pytest.raises(psycopg.errors.CheckViolation), transaction.atomic():
            tables.copy_in("pairs", pa.table({"number": range(9), "word": ["a"] * 9}, schema=PAIRS))
        cursor.execute("SELECT count(*) FROM pairs")
        assert cursor.fetchall() == [(0,)]


@pytest.mark.django_db
def test_numbers_reach_postgresql_as_one_text():
    numbers = pa.array([7, None, -1, 2**63 - 1, 7], pa.int64())
    with connection.cursor() as cursor:
        for part in (numbers, numbers.slice(2, 2), numbers.slice(0, 0)):
            cursor.execute("SELECT %s::bigint[]", [to_array_text(part)])
            assert cursor.fetchone() == (part.drop_null().to_pylist(),)
