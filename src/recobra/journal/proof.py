"""Proof of a few journal entries: which seal covers which row."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.db import connection

from recobra.journal.chain import LEAF
from recobra.journal.models import Seal


@dataclass(frozen=True, kw_only=True)
class CoveredEntry:
    """A journal entry with its digest; `intact` if the row still has that digest.

    `sealed_on` is the day of the seal that covers it. None: its day is not sealed yet, or the seal has another digest
    for it.
    """

    id: int
    digest: str
    intact: bool
    sealed_on: date | None


@dataclass(frozen=True, kw_only=True)
class SealView:
    """A seal with its hash and that of the seal before it, in hexadecimal."""

    day: date
    entries: int
    digest: str
    previous: str


class _JournalRow(NamedTuple):
    """A journal entry as it stands; `intact` if its content still has the stored digest."""

    id: int
    digest: bytes
    intact: bool
    day: date


def find_proofs(*, entry_ids: Sequence[int]) -> tuple[list[CoveredEntry], list[SealView]]:
    """Return journal entries in id order with the seals that cover them, oldest first."""
    query = """
        SELECT id, digest, digest = journal_digest(e), (at AT TIME ZONE 'UTC')::date
        FROM journal_entry e WHERE id = ANY(%s) ORDER BY id"""
    with connection.cursor() as cursor:
        cursor.execute(query, [list(entry_ids)])
        rows = [
            _JournalRow(id=row_id, digest=bytes(digest), intact=intact, day=day)
            for row_id, digest, intact, day in cursor.fetchall()
        ]
    if not rows:
        return [], []
    seals = {seal.number: seal for seal in _seals_that_may_cover(rows)}
    sealed_on: dict[int, date] = {}
    covering = []
    for _number, seal in sorted(seals.items()):
        leaves = bytes(seal.leaves)
        covered = [row.id for row in rows if row.id not in sealed_on and _has_leaf(leaves, row.id, row.digest)]
        if covered:
            sealed_on |= dict.fromkeys(covered, seal.day)
            covering.append(_view(seal))
    entries = [
        CoveredEntry(id=row.id, digest=row.digest.hex(), intact=row.intact, sealed_on=sealed_on.get(row.id))
        for row in rows
    ]
    return entries, covering


def _seals_that_may_cover(rows: Sequence[_JournalRow]) -> list[Seal]:
    """Return the seals of whole days from the first row's on, and of the others the first that reaches each row."""
    # Not only the seal of its own day: a row that arrived late is covered by a later one.
    daily = Seal.objects.filter(last_id__isnull=True, day__gte=min(row.day for row in rows))
    query = """
        SELECT DISTINCT (SELECT number FROM journal_seal WHERE last_id >= id ORDER BY last_id LIMIT 1)
        FROM unnest(%s::bigint[]) AS id"""
    with connection.cursor() as cursor:
        cursor.execute(query, [[row.id for row in rows]])
        numbers = [number for (number,) in cursor.fetchall() if number is not None]
    return [*daily, *Seal.objects.filter(number__in=numbers)]


def _view(seal: Seal) -> SealView:
    """Return a seal with its hashes as text."""
    return SealView(
        day=seal.day,
        entries=seal.entries,
        digest=bytes(seal.digest).hex(),
        previous=bytes(seal.previous).hex(),
    )


def _has_leaf(leaves: bytes, entry_id: int, digest: bytes) -> bool:
    """Tell if a seal's leaves, in id order, hold an entry with the beginning of its digest."""
    count = len(leaves) // LEAF.size

    def leaf_id(index: int) -> int:
        found_id, _digest = LEAF.unpack_from(leaves, index * LEAF.size)
        return int(found_id)

    # Searched as packed bytes: unpacked, the leaves of a busy day would be millions of objects.
    index = bisect_left(range(count), entry_id, key=leaf_id)
    return index < count and LEAF.unpack_from(leaves, index * LEAF.size) == (entry_id, digest[:8])
