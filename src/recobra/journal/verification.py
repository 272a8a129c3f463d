"""Verification of the journal: every row, every seal, the chain, its signatures, and the seals kept elsewhere.

It changes nothing and seals nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from . import kept_seals
from .chain import (
    START,
    ChainEnd,
    Row,
    begin_daily_hash,
    begin_hash,
    extend,
    hash_row,
    read_day_rows,
    read_leaves,
    read_rows,
)
from .models import Seal
from .seal_signature import Signers, has_signed

_ADDED: Final = "the row was added after its day was sealed"
_MISSING: Final = "the row is missing"
_DIFFERS: Final = "the row differs from its digest"
_REWRITTEN: Final = "the row and its digest were rewritten after its day was sealed"
_SEAL_REWRITTEN: Final = "the seal was rewritten"
_NOT_CHAINED: Final = "the seal does not follow the one before it"
_UNSIGNED: Final = "the seal is not signed"
_FOREIGN: Final = "the seal is signed by somebody else"
_EXPECTED_MISSING: Final = "the expected seal is missing: what it covers was cut, rewritten or sealed anew"
_KEPT_MISSING: Final = "a seal that is kept outside the database is missing: the journal was cut or sealed anew"
_UNREADABLE_FILE: Final = "the file of the seals that are kept outside the database cannot be read"


@dataclass(frozen=True, kw_only=True)
class Alteration:
    """What is not as it was recorded; `id` is None where it is a seal, `day` where it is the journal as a whole."""

    day: date | None
    id: int | None
    what: str


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Result of `verify_journal`: what was read, and the first alteration.

    `days` have at least one seal. `unsealed` rows come after the last seal: that none of them is missing nobody can
    prove. `unsigned` seals are from before seals were signed. `last` is the newest seal.
    """

    rows: int
    days: int
    seals: int
    unsealed: int
    unsigned: int
    last: Seal | None
    first_altered: Alteration | None

    @property
    def ok(self) -> bool:
        """Tell if nothing was altered."""
        return self.first_altered is None


class _RowQueue:
    """Rows of the journal, taken up to an id."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def take(self, *, last_id: int | None = None) -> Iterator[Row]:
        """Yield the next rows up to an id, all without one."""
        while self._next is not None and (last_id is None or self._next.id <= last_id):
            row = self._next
            self._next = next(self._rows, None)
            yield row


@dataclass
class _Reading:
    """What a verification has read so far."""

    signers: Signers
    expected: set[str]  # those that were not found yet
    end: ChainEnd = START
    rows: int = 0
    seals: int = 0
    unsealed: int = 0
    unsigned: int = 0
    last: Seal | None = None
    first_altered: Alteration | None = None

    def note(self, alteration: Alteration | None) -> None:
        """Keep an alteration where it is the first."""
        self.first_altered = self.first_altered or alteration


def verify_journal(*, signers: Signers, expected_hash: str = "") -> Verification:
    """Recompute every row's digest, every seal and the chain; unsealed rows by their own digest alone.

    `signers` may have signed seals. `expected_hash` is that of a seal which was printed or sent earlier: a journal
    without it was cut, rewritten or sealed anew since, whatever else agrees.
    """
    reading = _Reading(signers=signers, expected={expected_hash} if expected_hash else set())
    kept = _read_kept(reading)
    days: set[date] = set()
    queue: _RowQueue | None = None
    for seal in Seal.objects.order_by("number").iterator(chunk_size=8):
        if seal.last_id is None:
            rows = read_day_rows(seal.day, reading.end, last_id=extend(seal, reading.end).last_id)
        else:
            # All newer seals follow each other by id, so that their rows are read in one go.
            queue = queue or _RowQueue(read_rows(reading.end))
            rows = queue.take(last_id=seal.last_id)
        _verify_seal(seal, rows, reading)
        days.add(seal.day)
        kept.discard(bytes(seal.digest))
        reading.expected.discard(bytes(seal.digest).hex())
    for row in (queue or _RowQueue(read_rows(reading.end))).take():
        reading.unsealed += 1
        if row.digest != row.recomputed:
            reading.note(Alteration(day=row.day, id=row.id, what=_DIFFERS))
    if reading.expected:
        reading.note(Alteration(day=None, id=None, what=_EXPECTED_MISSING))
    if kept:
        reading.note(Alteration(day=None, id=None, what=_KEPT_MISSING))
    return Verification(
        rows=reading.rows + reading.unsealed,
        days=len(days),
        seals=reading.seals,
        unsealed=reading.unsealed,
        unsigned=reading.unsigned,
        last=reading.last,
        first_altered=reading.first_altered,
    )


def _read_kept(reading: _Reading) -> set[bytes]:
    """Return the hashes of the seals kept outside the database."""
    try:
        return kept_seals.read_digests()
    except OSError:
        reading.note(Alteration(day=None, id=None, what=_UNREADABLE_FILE))
        return set()


def _verify_seal(seal: Seal, rows: Iterator[Row], reading: _Reading) -> None:
    """Check a seal with the rows that it covers, and go on to the next."""
    leaves = read_leaves(seal)
    leaf = next(leaves, None)
    previous = bytes(seal.previous)
    if seal.last_id is None:
        digest = begin_daily_hash(day=seal.day, previous=previous)
    else:
        digest = begin_hash(number=seal.number, last_id=seal.last_id, sealed_at=seal.sealed_at, previous=previous)
    count = 0
    alteration: Alteration | None = None
    for row in rows:
        count += 1
        digest.update(hash_row(row.id, row.digest))
        if alteration is None:
            alteration = _compare_leaf(row, leaf)
            leaf = next(leaves, None)
    if alteration is None and leaf is not None:
        missing_id, _digest = leaf
        alteration = Alteration(day=seal.day, id=missing_id, what=_MISSING)
    reading.note(alteration)
    if bytes(seal.previous) != reading.end.digest or seal.number != reading.end.number + 1:
        reading.note(Alteration(day=seal.day, id=None, what=_NOT_CHAINED))
    if digest.digest() != bytes(seal.digest) or count != seal.entries:
        reading.note(Alteration(day=seal.day, id=None, what=_SEAL_REWRITTEN))
    reading.note(_check_signature(seal, reading))
    reading.rows += count
    reading.seals += 1
    reading.last = seal
    reading.end = extend(seal, reading.end)


def _check_signature(seal: Seal, reading: _Reading) -> Alteration | None:
    """Return what is wrong with the signature under a seal; those of whole days, which come first, have none."""
    if seal.last_id is None and reading.end.is_daily:
        reading.unsigned += 1
        return None
    if not seal.signature:
        return Alteration(day=seal.day, id=None, what=_UNSIGNED)
    certificate = reading.signers.get(seal.signer)
    if certificate is None:
        return Alteration(day=seal.day, id=None, what=_FOREIGN)
    if not has_signed(bytes(seal.digest), bytes(seal.signature), certificate=certificate):
        return Alteration(day=seal.day, id=None, what=_SEAL_REWRITTEN)
    return None


def _compare_leaf(row: Row, leaf: tuple[int, bytes] | None) -> Alteration | None:
    """Return what is wrong with a row, given the leaf that the seal has in its place; None where nothing is."""
    if leaf is None:
        return Alteration(day=row.day, id=row.id, what=_ADDED)
    sealed_id, sealed_digest = leaf
    # Both come in id order, so the smaller id is the one without a partner.
    if row.id < sealed_id:
        return Alteration(day=row.day, id=row.id, what=_ADDED)
    if row.id > sealed_id:
        return Alteration(day=row.day, id=sealed_id, what=_MISSING)
    if row.digest != row.recomputed:
        return Alteration(day=row.day, id=row.id, what=_DIFFERS)
    if row.digest[:8] != sealed_digest:
        return Alteration(day=row.day, id=row.id, what=_REWRITTEN)
    return None
