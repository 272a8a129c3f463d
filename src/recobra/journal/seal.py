"""Close finished days with a hash chained to the day before, and prove later that no row was touched.

A seal covers the rows of its day (UTC) and those that arrived late, for a day sealed before: facts told with a past
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

LEAF: Final = struct.Struct(">q8s")
GENESIS: Final = bytes(32)
_CHUNK: Final = 20_000


@dataclass(frozen=True, kw_only=True)
class Alteration:
    """The first row that is not as it was recorded; `id` is None where the seal itself was touched."""

    day: date
    id: int | None
    what: str


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What `verify` found: rows and sealed days looked at, and the first thing wrong."""

    rows: int
    days: int
    first_altered: Alteration | None

    @property
    def ok(self) -> bool:
        """Tell if nothing was touched."""
        return self.first_altered is None


class _ChainEnd(NamedTuple):
    """How far the chain reaches: its last day, the highest id it holds, its last hash."""

    day: date
    last_id: int
    digest: bytes


class _Row(NamedTuple):
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
    mark = _read_chain_end()
    days = _unsealed_days(mark, until)
    for day in days:
        mark = _seal_day(day, mark, now)
    return len(days)


def verify_journal() -> Verification:
    """Recompute every row's digest, every seal and the chain; today's rows by their own digest alone."""
    mark, rows, days = _ChainEnd(date.min, 0, GENESIS), 0, 0
    first: Alteration | None = None
    for seal in Seal.objects.order_by("day").iterator(chunk_size=8):
        count, found = _verify_day(seal, mark)
        first = first or found
        rows, days = rows + count, days + 1
        mark = _extend_chain(seal, mark)
    for row in _read_unsealed_rows(mark):
        rows += 1
        if first is None and row.digest != row.recomputed:
            first = Alteration(day=row.day, id=row.id, what="the row differs from its digest")
    return Verification(rows=rows, days=days, first_altered=first)


def _read_chain_end() -> _ChainEnd:
    mark = _ChainEnd(date.min, 0, GENESIS)
    for seal in Seal.objects.order_by("day").iterator(chunk_size=8):
        mark = _extend_chain(seal, mark)
    return mark


def _extend_chain(seal: Seal, mark: _ChainEnd) -> _ChainEnd:
    leaves = bytes(seal.leaves)
    last_id = LEAF.unpack(leaves[-LEAF.size :])[0] if len(leaves) >= LEAF.size else 0
    return _ChainEnd(seal.day, max(mark.last_id, last_id), bytes(seal.digest))


def _unsealed_days(mark: _ChainEnd, until: date) -> list[date]:
    found = Entry.objects.filter(at__lt=_midnight(until))
    if mark.day != date.min:
        found = found.filter(at__gte=_midnight(mark.day + timedelta(days=1)))
    return list(found.order_by("at__date").values_list("at__date", flat=True).distinct())


def _seal_day(day: date, mark: _ChainEnd, now: datetime) -> _ChainEnd:
    leaves = bytearray()
    total = _begin_hash(day, mark.digest)
    for row in _read_day_rows(day, mark):
        leaves += LEAF.pack(row.id, row.digest[:8])
        total.update(row.id.to_bytes(8, "big") + row.digest)
    entries = len(leaves) // LEAF.size
    seal = Seal.objects.create(
        day=day, entries=entries, leaves=bytes(leaves), digest=total.digest(), previous=mark.digest, sealed_at=now
    )
    return _extend_chain(seal, mark)


def _verify_day(seal: Seal, mark: _ChainEnd) -> tuple[int, Alteration | None]:
    """Return how many rows the day has, and the first thing wrong with it."""
    leaves = LEAF.iter_unpack(bytes(seal.leaves))
    wanted = next(leaves, None)
    total, rows, found = _begin_hash(seal.day, bytes(seal.previous)), 0, None
    for row in _read_day_rows(seal.day, mark, up_to=_extend_chain(seal, mark).last_id):
        rows += 1
        total.update(row.id.to_bytes(8, "big") + row.digest)
        if found is None:
            found = _compare_leaf(row, wanted, seal.day)
            wanted = next(leaves, None)
    if found is None and wanted is not None:
        found = Alteration(day=seal.day, id=wanted[0], what="the row is missing")
    if found is None and bytes(seal.previous) != mark.digest:
        found = Alteration(day=seal.day, id=None, what="the seal does not follow the one before it")
    if found is None and (total.digest() != bytes(seal.digest) or rows != seal.entries):
        found = Alteration(day=seal.day, id=None, what="the seal was rewritten")
    return rows, found


def _compare_leaf(row: _Row, wanted: tuple[int, bytes] | None, day: date) -> Alteration | None:
    if wanted is None or row.id < wanted[0]:
        return Alteration(day=day, id=row.id, what="the row was added after its day was sealed")
    if row.id > wanted[0]:
        return Alteration(day=day, id=wanted[0], what="the row is missing")
    if row.digest != row.recomputed:
        return Alteration(day=day, id=row.id, what="the row differs from its digest")
    if row.digest[:8] != wanted[1]:
        return Alteration(day=day, id=row.id, what="the row and its digest were rewritten after its day was sealed")
    return None


def _begin_hash(day: date, previous: bytes) -> hashlib._Hash:
    return hashlib.sha256(previous + day.isoformat().encode())


def _read_day_rows(day: date, mark: _ChainEnd, up_to: int | None = None) -> Iterator[_Row]:
    """Yield the rows a seal covers, in id order: those of the days after the mark, and late ones above its id."""
    own = "at >= %s AND at < %s AND (%s::bigint IS NULL OR id <= %s)"
    late = "at < %s AND id > %s AND (%s::bigint IS NULL OR id <= %s)"
    query = f"SELECT {_COLUMNS} WHERE {own} UNION ALL SELECT {_COLUMNS} WHERE {late} ORDER BY 1"
    start = _midnight(mark.day + timedelta(days=1))
    limits = [start, _midnight(day + timedelta(days=1)), up_to, up_to]
    return _stream_rows(query, [*limits, start, mark.last_id, up_to, up_to])


def _read_unsealed_rows(mark: _ChainEnd) -> Iterator[_Row]:
    query = f"SELECT {_COLUMNS} WHERE at >= %s OR id > %s ORDER BY id"
    return _stream_rows(query, [_midnight(mark.day + timedelta(days=1)), mark.last_id])


_COLUMNS: Final = "id, (at AT TIME ZONE 'UTC')::date, digest, journal_digest(e) FROM journal_entry e"


def _stream_rows(query: str, parameters: list[Any]) -> Iterator[_Row]:
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(query, parameters)
        pages = iter(lambda: cursor.fetchmany(_CHUNK), [])
        for key, day, digest, recomputed in chain.from_iterable(pages):
            yield _Row(key, day, bytes(digest), bytes(recomputed))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
