"""Whole tables between PostgreSQL and Arrow, by COPY over Django's own connection and so inside its transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import chain
from typing import Any, Final

import pyarrow as pa
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, F, Func, QuerySet, TextField, Value
from psycopg import sql
from pyarrow import csv

from .array_text import to_array_text
from .bulk_write import BulkWrite, open_bulk_write
from .statistics import refresh_after_commit

_ROWS_OF_TEXT: Final = 16_384
"""Rows that are turned into text for COPY at a time."""
_CSV: Final = csv.WriteOptions(include_header=False, batch_size=_ROWS_OF_TEXT)


def copy_in(table: str, rows: pa.Table) -> None:
    """Append Arrow rows to a table by COPY; the column names are the table's.

    Raises IntegrityError for a row that refers to none: at once where there are many, else when the transaction ends.
    """
    copy_batches(table, rows.schema, rows.to_batches(), at_least=rows.num_rows)


def copy_batches(
    table: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch], *, at_least: int | None = None
) -> None:
    """Append batches to a table by one COPY, as `copy_in` does; only one of them is in memory at a time.

    `at_least`: how many rows will come; by default as many as the first batch has.
    """
    # For a batch without rows pyarrow writes an unfilled buffer: NUL bytes.
    filled = (batch for batch in batches if batch.num_rows)
    first = next(filled, None)
    if first is None:
        return
    names = sql.SQL(", ").join(map(sql.Identifier, schema.names))
    command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(sql.Identifier(table), names)
    with (
        open_bulk_write(table, schema.names, at_least=first.num_rows if at_least is None else at_least) as write,
        connection.cursor() as cursor,
        cursor.copy(command) as copy,
    ):
        for text in _write_ahead(_note_slices(chain([first], filled), write)):
            copy.write(text)
    refresh_after_commit(table, rows=write.rows)


def _note_slices(batches: Iterable[pa.RecordBatch], write: BulkWrite) -> Iterator[pa.RecordBatch]:
    """Yield batches in slices that become text at once, each batch noted before."""
    for batch in batches:
        write.note(batch)
        for start in range(0, batch.num_rows, _ROWS_OF_TEXT):
            yield batch.slice(start, _ROWS_OF_TEXT)


def _write_ahead(slices: Iterator[pa.RecordBatch]) -> Iterator[memoryview]:
    """Yield slices as CSV; another thread makes the next one while PostgreSQL takes in the one before."""
    made = _to_csv(next(slices))
    with ThreadPoolExecutor(max_workers=1) as maker:  # has no thread as long as there is one slice only
        for rows in slices:
            making = maker.submit(_to_csv, rows)
            yield made
            made = making.result()
        yield made


def _to_csv(rows: pa.RecordBatch) -> memoryview:
    """Return rows as CSV without a header."""
    text = pa.BufferOutputStream()
    csv.write_csv(rows, text, _CSV)
    return memoryview(text.getvalue())


def fetch(query: str, parameters: Sequence[Any], schema: pa.Schema) -> pa.Table:
    """Return the rows of a query as an Arrow table of a schema; empty text and NULL stay apart.

    The query gives list columns of the schema as JSON: `to_json(tags)`.
    """
    buffer = BytesIO()
    with connection.cursor() as cursor:
        bound = cursor.mogrify(query, parameters) if parameters else query
        with cursor.copy(sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(sql.SQL(bound))) as copy:
            for chunk in copy:
                buffer.write(chunk)
    # pyarrow refuses an empty file.
    if buffer.tell() == 0:
        return schema.empty_table()
    buffer.seek(0)
    column_types = {field.name: pa.string() if pa.types.is_list(field.type) else field.type for field in schema}
    rows = csv.read_csv(
        buffer,
        read_options=csv.ReadOptions(column_names=schema.names, block_size=1 << 24),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=column_types,
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
            true_values=["t"],
            false_values=["f"],
        ),
    )
    return _parse_lists(rows, schema)


def _parse_lists(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return rows with the list columns of a schema, which came as JSON, in their types."""
    for index, field in enumerate(schema):
        if pa.types.is_list(field.type):
            # The same few lists repeat over a million rows: each is parsed once.
            texts = rows[field.name].combine_chunks().dictionary_encode()
            lists = pa.array([json.loads(text) for text in texts.dictionary.to_pylist()], field.type)
            rows = rows.set_column(index, field, lists.take(texts.indices))
    return rows


def fetch_queryset(rows: QuerySet[Any, Any], schema: pa.Schema) -> pa.Table:
    """Return the rows of a `values_list` as an Arrow table; its columns are those of the schema, in their order."""
    try:
        query, parameters = rows.query.sql_with_params()
    except EmptyResultSet:  # a condition that nothing can meet is no statement for Django
        return schema.empty_table()
    return fetch(query, parameters, schema)


def is_any_of(field: str, ids: Iterable[int]) -> Func:
    """Return the condition that a field is one of some ids: `pk__in` as one parameter, however many ids there are."""
    array = Value(to_array_text(pa.array(list(ids), pa.int64())), output_field=TextField())
    template = "(%(expressions)s::bigint[]))"
    return Func(F(field), array, arg_joiner=" = ANY(", template=template, output_field=BooleanField())


def reserve_ids(table: str, count: int) -> int:
    """Take `count` consecutive ids from a table's own sequence and return the first.

    Rows that refer to one another can then be written by COPY without a round trip for their keys. For tables that
    nobody else adds rows to: the lock does not hold up who takes the next id of the sequence by itself (`take_ids`).
    """
    lock_id_sequence(table)
    taken = max(count, 1)  # a sequence cannot be moved by nothing
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence(%s, 'id'), nextval(pg_get_serial_sequence(%s, 'id')) + %s - 1)",
            [table, table, taken],
        )
        (last,) = cursor.fetchone()
    return int(last) - taken + 1


def take_ids(table: str, count: int) -> pa.Array:
    """Take `count` ids from a table's own sequence, ascending, without making anybody wait.

    Others may take some in between, so they need not be consecutive.
    """
    # The sequence is looked up once, not for each of a hundred thousand.
    query = "SELECT nextval((SELECT pg_get_serial_sequence(%s, 'id')::regclass)) FROM generate_series(1, %s)"
    ids = fetch(query, [table, count], pa.schema([("id", pa.int64())]))
    return ids["id"].combine_chunks()


def lock_id_sequence(table: str) -> None:
    """Let nobody else reserve ids of a table before this transaction ends."""
    # One lock per table: with one for all, a payment that waits for the cycle would hold up the cycle's own tasks.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('reserve_ids'), hashtext(%s))", [table])
