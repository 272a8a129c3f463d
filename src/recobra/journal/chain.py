"""The chain of seals: what each covers, its hash, and the rows of the journal page by page.

A seal covers the rows since the seal before it, up to its `last_id`. Seals from before `last_id` was kept cover the
rows of a day (UTC) and those that arrived late for a day sealed before. The `leaves` hold 16 bytes per row, in id
order: the id and the first 8 bytes of the row's digest, so that a changed, missing or added row can be named.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from typing import Any, Final, NamedTuple

from django.db import connection, transaction

from .models import Seal

LEAF: Final = struct.Struct(">q8s")  # id and the first 8 bytes of the digest
GENESIS: Final = bytes(32)  # the hash before the first seal
PAGE_ROWS: Final = 20_000


class ChainEnd(NamedTuple):
    """End of the chain: its number, the highest id it covers, its last hash.

    `day` is the last one that a seal covers whole, `date.min` where none does; `is_daily` says that this one does.
    """

    number: int
    last_id: int
    digest: bytes
    day: date
    is_daily: bool


# Before any id that fits the column: a row slipped in with a negative one is read too.
START: Final = ChainEnd(0, -(2**63), GENESIS, date.min, is_daily=True)


class Row(NamedTuple):
    """A journal entry with the digest that is stored and the one that its content has now."""

    id: int
    day: date | None
    digest: bytes
    recomputed: bytes


def read_end() -> ChainEnd:
    """Return the end of the chain of seals."""
    last = Seal.objects.order_by("-number").first()
    if last is not None and last.last_id is not None:
        return extend(last, START)
    end = START
    # Every seal of a day is read, for the highest id may be in an early one.
    for seal in Seal.objects.order_by("number").iterator(chunk_size=8):
        end = extend(seal, end)
    return end


def extend(seal: Seal, end: ChainEnd) -> ChainEnd:
    """Return the end of the chain after one more seal."""
    if seal.last_id is not None:
        return ChainEnd(seal.number, seal.last_id, bytes(seal.digest), end.day, is_daily=False)
    last_id = end.last_id
    whole = len(seal.leaves) // LEAF.size
    if whole:
        last_id, _digest = LEAF.unpack_from(seal.leaves, (whole - 1) * LEAF.size)
    return ChainEnd(seal.number, max(end.last_id, last_id), bytes(seal.digest), seal.day, is_daily=True)


def begin_hash(*, number: int, last_id: int, sealed_at: datetime, previous: bytes) -> hashlib._Hash:
    """Return the hash of a seal before its rows: it holds the hash before it, what it covers and when it was made."""
    return hashlib.sha256(previous + f"{number}/{last_id}/{sealed_at.astimezone(UTC).isoformat()}".encode())


def begin_daily_hash(*, day: date, previous: bytes) -> hashlib._Hash:
    """Return the hash of a day's seal before its rows: it holds the day, and the hash of the day before."""
    return hashlib.sha256(previous + day.isoformat().encode())


def read_leaves(seal: Seal) -> Iterator[tuple[int, bytes]]:
    """Yield id and beginning of the digest of each row that a seal covers; what is no whole leaf is left out."""
    leaves = bytes(seal.leaves)
    yield from LEAF.iter_unpack(leaves[: len(leaves) - len(leaves) % LEAF.size])


def hash_row(row_id: int, digest: bytes) -> bytes:
    """Return what a row adds to the hash of its seal."""
    return row_id.to_bytes(8, "big", signed=True) + digest


def has_rows_after(end: ChainEnd, *, last_id: int | None = None, before: datetime | None = None) -> bool:
    """Tell if rows come after the end of the chain; where given, up to an id, and recorded before an instant."""
    condition, parameters = _after(end)
    query = f"""
        SELECT EXISTS (SELECT FROM journal_entry WHERE {condition}
            AND (%s::bigint IS NULL OR id <= %s) AND (%s::timestamptz IS NULL OR at < %s))"""
    with connection.cursor() as cursor:
        cursor.execute(query, [*parameters, last_id, last_id, before, before])
        (has_rows,) = cursor.fetchone()
    return bool(has_rows)


def read_digests(end: ChainEnd, *, last_id: int) -> Iterator[tuple[int, bytes]]:
    """Yield id and stored digest of the rows after the end of the chain, up to an id, in id order."""
    condition, parameters = _after(end)
    query = f"SELECT id, digest FROM journal_entry e WHERE {condition} AND id <= %s ORDER BY id"
    for row_id, digest in _stream(query, [*parameters, last_id]):
        yield row_id, bytes(digest)


def read_rows(end: ChainEnd) -> Iterator[Row]:
    """Yield all rows after the end of the chain, in id order."""
    condition, parameters = _after(end)
    return _read_rows(f"SELECT {_COLUMNS} WHERE {condition} ORDER BY id", parameters)


def read_day_rows(day: date, end: ChainEnd, *, last_id: int) -> Iterator[Row]:
    """Yield the rows that a day's seal covers, in id order: those of the days after `end`, and late ones above its id.

    `last_id` is the highest id that the seal covers, or an earlier one.
    """
    own = "at >= %s AND at < %s AND id <= %s"
    late = "at < %s AND id > %s AND id <= %s"
    query = f"SELECT {_COLUMNS} WHERE {own} UNION ALL SELECT {_COLUMNS} WHERE {late} ORDER BY 1"
    start = _day_after(end.day)
    return _read_rows(query, [start, _day_after(day), last_id, start, end.last_id, last_id])


# An instant that no calendar has, infinity for one, has no day.
_COLUMNS: Final = """
    id, CASE WHEN at BETWEEN '0002-01-01' AND '9998-12-31' THEN (at AT TIME ZONE 'UTC')::date END,
    digest, journal_digest(e) FROM journal_entry e"""


def _after(end: ChainEnd) -> tuple[str, list[Any]]:
    """Return the condition of the rows that the chain does not cover up to its end, and its parameters."""
    if end.is_daily and end.day != date.min:
        return "(at >= %s OR id > %s)", [_day_after(end.day), end.last_id]
    return "id > %s", [end.last_id]


def _read_rows(query: str, parameters: list[Any]) -> Iterator[Row]:
    """Yield the rows of a query on `_COLUMNS`."""
    for key, day, digest, recomputed in _stream(query, parameters):
        yield Row(key, day, bytes(digest), bytes(recomputed))


def _stream(query: str, parameters: list[Any]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query page by page: there may be millions."""
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(query, parameters)
        yield from chain.from_iterable(iter(lambda: cursor.fetchmany(PAGE_ROWS), []))


def _day_after(day: date) -> datetime:
    """Return the instant at which the day after begins in UTC; of `date.min`, the beginning of time."""
    return datetime.combine(day + timedelta(days=1), time.min, UTC)
