"""Proof of a few journal entries: which seal covers which row."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection

from recobra.journal.models import Seal
from recobra.journal.seal import LEAF


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


def find_proofs(*, entry_ids: Sequence[int]) -> tuple[list[CoveredEntry], list[SealView]]:
    """Return journal entries in id order with the seals that cover them, oldest first."""
    query = """
        SELECT id, digest, digest = journal_digest(e), (at AT TIME ZONE 'UTC')::date
        FROM journal_entry e WHERE id = ANY(%s) ORDER BY id"""
    with connection.cursor() as cursor:
        cursor.execute(query, [list(entry_ids)])
        rows = [(key, bytes(digest), intact, day) for key, digest, intact, day in cursor.fetchall()]
    if not rows:
        return [], []
    first_day = min(day for _id, _digest, _intact, day in rows)
    sealed_on: dict[int, date] = {}
    seals = []
    # Not only the seal of its own day: a row that arrived late is covered by a later one.
    for seal in Seal.objects.filter(day__gte=first_day).order_by("day").iterator(chunk_size=8):
        leaves = bytes(seal.leaves)
        unsealed = [(key, digest) for key, digest, _intact, _day in rows if key not in sealed_on]
        covered = [key for key, digest in unsealed if _has_leaf(leaves, key, digest)]
        if covered:
            sealed_on |= dict.fromkeys(covered, seal.day)
            seals.append(
                SealView(
                    day=seal.day,
                    entries=seal.entries,
                    digest=bytes(seal.digest).hex(),
                    previous=bytes(seal.previous).hex(),
                )
            )
    entries = [
        CoveredEntry(id=key, digest=digest.hex(), intact=intact, sealed_on=sealed_on.get(key))
        for key, digest, intact, _day in rows
    ]
    return entries, seals


def _has_leaf(leaves: bytes, key: int, digest: bytes) -> bool:
    """Tell if a seal's leaves, in id order, hold a row with the beginning of its digest."""
    count = len(leaves) // LEAF.size
    index = bisect_left(range(count), key, key=lambda place: LEAF.unpack_from(leaves, place * LEAF.size)[0])
    return index < count and LEAF.unpack_from(leaves, index * LEAF.size) == (key, digest[:8])
