"""Which seal covers which row, for those who must prove a few rows and not the whole journal."""

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
    """A row of the journal with its digest, whether it still is as its digest says, and the day that sealed it.

    `sealed_on` None: its day is not over or not yet sealed, or the seal has another digest for it.
    """

    id: int
    digest: str
    intact: bool
    sealed_on: date | None


@dataclass(frozen=True, kw_only=True)
class SealView:
    """A seal as it can be told: its hash and that of the seal before it."""

    day: date
    entries: int
    digest: str
    previous: str


def find_proofs(*, entry_ids: Sequence[int]) -> tuple[list[CoveredEntry], list[SealView]]:
    """Return rows in id order with the seals that cover them, oldest first."""
    rows = _rows(entry_ids)
    if not rows:
        return [], []
    first = min(day for _id, _digest, _intact, day in rows)
    sealed: dict[int, date] = {}
    seals = []
    for seal in Seal.objects.filter(day__gte=first).order_by("day").iterator(chunk_size=8):
        leaves = bytes(seal.leaves)
        held = [key for key, digest, _intact, _day in rows if key not in sealed and _has_leaf(leaves, key, digest)]
        if held:
            sealed |= dict.fromkeys(held, seal.day)
            seals.append(_view(seal))
    covered = [
        CoveredEntry(id=k, digest=d.hex(), intact=intact, sealed_on=sealed.get(k)) for k, d, intact, _day in rows
    ]
    return covered, seals


def _view(seal: Seal) -> SealView:
    return SealView(
        day=seal.day, entries=seal.entries, digest=bytes(seal.digest).hex(), previous=bytes(seal.previous).hex()
    )


def _rows(entry_ids: Sequence[int]) -> list[tuple[int, bytes, bool, date]]:
    query = """
        SELECT id, digest, digest = journal_digest(e), (at AT TIME ZONE 'UTC')::date
        FROM journal_entry e WHERE id = ANY(%s) ORDER BY id"""
    with connection.cursor() as cursor:
        cursor.execute(query, [list(entry_ids)])
        return [(key, bytes(digest), intact, day) for key, digest, intact, day in cursor.fetchall()]


def _has_leaf(leaves: bytes, key: int, digest: bytes) -> bool:
    """Tell if a seal's leaves, in id order, hold a row with the beginning of its digest."""
    count = len(leaves) // LEAF.size
    at = bisect_left(range(count), key, key=lambda index: LEAF.unpack_from(leaves, index * LEAF.size)[0])
    return at < count and LEAF.unpack_from(leaves, at * LEAF.size) == (key, digest[:8])
