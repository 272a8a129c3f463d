"""Seals of finished days: hashes, each chained to the day before, that prove that no row was altered.

A seal covers the rows of its day (UTC) and those that arrived late, for a day sealed before: facts recorded with a past
`now`, as in a replay. Its `leaves` hold 16 bytes per row, in id order: the id and the first 8 bytes of the row's
digest, so that a changed, missing or added row can be named.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from typing import Any, Final, NamedTuple

from django.db import connection, transaction

from .models import Entry, Seal

LEAF: Final = struct.Struct(">q8s")  # id and the first 8 bytes of the digest
GENESIS: Final = bytes(32)  # the hash before the first day
_PAGE_ROWS: Final = 20_000
_ADDED: Final = "the row was added after its day was sealed"


@dataclass(frozen=True, kw_only=True)
class Alteration:
    """A row that is not as it was recorded; `id` is None where the seal itself was altered."""

    day: date
    id: int | None
    what: str


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Result of `verify_journal`: rows and sealed days read, and the first alteration."""

    rows: int
    days: int
    first_altered: Alteration | None

    @property
    def ok(self) -> bool:
        """Tell if nothing was altered."""
        return self.first_altered is None


class _ChainEnd(NamedTuple):
    """End of the chain of seals: its last day, the highest id it covers, its last hash."""

    day: date
    last_id: int
    digest: bytes


class _Row(NamedTuple):
    """A journal entry with the digest that is stored and the one that its content has now."""

    id: int
    day: date
    digest: bytes
    recomputed: bytes


@transaction.atomic
def seal_days(*, until: date, now: datetime) -> int:
    """Seal every day before `until` that has rows and no seal; return how many were sealed."""
    if not _unsealed_days(_read_chain_end(), until):
        return 0
    with connection.cursor() as cursor:
        # A writer that began before midnight must have ended, or its rows would look added afterwards.
        cursor.execute("LOCK TABLE journal_entry IN SHARE MODE")
    # Read again: another process may have sealed while this one waited for the lock.
    end = _read_chain_end()
    days = _unsealed_days(end, until)
    for day in days:
        end = _seal_day(day, end, now)
    return len(days)


def verify_journal() -> Verification:
    """Recompute every row's digest, every seal and the chain; unsealed rows by their own digest alone."""
    end = _ChainEnd(date.min, 0, GENESIS)
    rows = 0
    days = 0
    first_altered: Alteration | None = None
    for seal in Seal.objects.order_by("day").iterator(chunk_size=8):
        day_rows, alteration = _verify_day(seal, end)
        first_altered = first_altered or alteration
        rows += day_rows
        days += 1
        end = _extend_chain(seal, end)
    for row in _read_unsealed_rows(end):
        rows += 1
        if first_altered is None and row.digest != row.recomputed:
            first_altered = Alteration(day=row.day, id=row.id, what="the row differs from its digest")
    return Verification(rows=rows, days=days, first_altered=first_altered)


def _read_chain_end() -> _ChainEnd:
    """Return the end of the chain; every seal is read, for the highest id may be in an early one."""
    end = _ChainEnd(date.min, 0, GENESIS)
    for seal in Seal.objects.order_by("day").iterator(chunk_size=8):
        end = _extend_chain(seal, end)
    return end


def _extend_chain(seal: Seal, end: _ChainEnd) -> _ChainEnd:
    """Return the end of the chain after one more seal."""
    leaves = bytes(seal.leaves)
    last_id = 0
    if len(leaves) >= LEAF.size:
        last_id, _digest = LEAF.unpack(leaves[-LEAF.size :])
    return _ChainEnd(seal.day, max(end.last_id, last_id), bytes(seal.digest))


def _unsealed_days(end: _ChainEnd, until: date) -> list[date]:
    """Return the days before `until` that have rows and come after the last seal, in order."""
    entries = Entry.objects.filter(at__lt=_midnight(until))
    if end.day != date.min:
        entries = entries.filter(at__gte=_midnight(end.day + timedelta(days=1)))
    return list(entries.order_by("at__date").values_list("at__date", flat=True).distinct())


def _seal_day(day: date, end: _ChainEnd, now: datetime) -> _ChainEnd:
    """Seal one day and return the new end of the chain."""
    leaves = bytearray()
    digest = _begin_hash(day, end.digest)
    for row in _read_day_rows(day, end):
        leaves += LEAF.pack(row.id, row.digest[:8])
        digest.update(row.id.to_bytes(8, "big") + row.digest)
    count = len(leaves) // LEAF.size
    seal = Seal.objects.create(
        day=day, entries=count, leaves=bytes(leaves), digest=digest.digest(), previous=end.digest, sealed_at=now
    )
    return _extend_chain(seal, end)


def _verify_day(seal: Seal, end: _ChainEnd) -> tuple[int, Alteration | None]:
    """Return how many rows a sealed day has, and its first alteration."""
    leaves = LEAF.iter_unpack(bytes(seal.leaves))
    leaf = next(leaves, None)
    digest = _begin_hash(seal.day, bytes(seal.previous))
    rows = 0
    alteration: Alteration | None = None
    for row in _read_day_rows(seal.day, end, last_id=_extend_chain(seal, end).last_id):
        rows += 1
        digest.update(row.id.to_bytes(8, "big") + row.digest)
        if alteration is None:
            alteration = _compare_leaf(row, leaf, seal.day)
            leaf = next(leaves, None)
    if alteration is None and leaf is not None:
        missing_id, _digest = leaf
        alteration = Alteration(day=seal.day, id=missing_id, what="the row is missing")
    if alteration is None and bytes(seal.previous) != end.digest:
        alteration = Alteration(day=seal.day, id=None, what="the seal does not follow the one before it")
    if alteration is None and (digest.digest() != bytes(seal.digest) or rows != seal.entries):
        alteration = Alteration(day=seal.day, id=None, what="the seal was rewritten")
    return rows, alteration


def _compare_leaf(row: _Row, leaf: tuple[int, bytes] | None, day: date) -> Alteration | None:
    """Return what is wrong with a row, given the leaf that the seal has in its place; None where nothing is."""
    if leaf is None:
        return Alteration(day=day, id=row.id, what=_ADDED)
    sealed_id, sealed_digest = leaf
    # Both come in id order, so the smaller id is the one without a partner.
    if row.id < sealed_id:
        return Alteration(day=day, id=row.id, what=_ADDED)
    if row.id > sealed_id:
        return Alteration(day=day, id=sealed_id, what="the row is missing")
    if row.digest != row.recomputed:
        return Alteration(day=day, id=row.id, what="the row differs from its digest")
    if row.digest[:8] != sealed_digest:
        return Alteration(day=day, id=row.id, what="the row and its digest were rewritten after its day was sealed")
    return None


def _begin_hash(day: date, previous: bytes) -> hashlib._Hash:
    """Return the hash of a day before its rows: it holds the day, and the hash of the day before."""
    return hashlib.sha256(previous + day.isoformat().encode())


def _read_day_rows(day: date, end: _ChainEnd, last_id: int | None = None) -> Iterator[_Row]:
    """Yield the rows that a seal covers, in id order: those of the days after `end`, and late ones above its id."""
    own = "at >= %s AND at < %s AND (%s::bigint IS NULL OR id <= %s)"
    late = "at < %s AND id > %s AND (%s::bigint IS NULL OR id <= %s)"
    query = f"SELECT {_COLUMNS} WHERE {own} UNION ALL SELECT {_COLUMNS} WHERE {late} ORDER BY 1"
    start = _midnight(end.day + timedelta(days=1))
    limits = [start, _midnight(day + timedelta(days=1)), last_id, last_id]
    return _stream_rows(query, [*limits, start, end.last_id, last_id, last_id])


def _read_unsealed_rows(end: _ChainEnd) -> Iterator[_Row]:
    """Yield the rows that no seal covers yet, in id order."""
    query = f"SELECT {_COLUMNS} WHERE at >= %s OR id > %s ORDER BY id"
    return _stream_rows(query, [_midnight(end.day + timedelta(days=1)), end.last_id])


_COLUMNS: Final = "id, (at AT TIME ZONE 'UTC')::date, digest, journal_digest(e) FROM journal_entry e"


def _stream_rows(query: str, parameters: list[Any]) -> Iterator[_Row]:
    """Yield the rows of a query on `_COLUMNS` page by page: a day may have millions."""
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(query, parameters)
        pages = iter(lambda: cursor.fetchmany(_PAGE_ROWS), [])
        for key, day, digest, recomputed in chain.from_iterable(pages):
            yield _Row(key, day, bytes(digest), bytes(recomputed))


def _midnight(day: date) -> datetime:
    """Return the instant at which a day begins in UTC."""
    return datetime.combine(day, time.min, UTC)
