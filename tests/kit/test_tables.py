"""Arrow rows reach their table whole, in however many pieces they come."""

from __future__ import annotations

import pyarrow as pa
import pytest
from django.db import connection

from recobra.kit import tables

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
