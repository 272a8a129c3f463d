"""Making of seals: hashes over the newest rows, each chained to the seal before and signed by this installation."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from . import kept_seals, seal_signature
from .chain import LEAF, ChainEnd, begin_hash, has_rows_after, hash_row, read_digests, read_end
from .models import Seal
from .sql import latest_entry_id

SEALED_EVERY_MINUTES: Final = 5
"""How often the worker seals; what was written since is what nothing proves yet."""
_WAIT_FOR_WRITERS: Final = "1s"


class WritersBusy(Exception):
    """A long write is going on, whose rows are not settled: nothing was sealed, and the next try may."""


def seal_journal(*, now: datetime) -> Seal | None:
    """Seal the rows that no seal covers yet, today's too; return the newest seal, None while there are no rows.

    Raises WritersBusy where a write of more than a second is going on.
    """
    last_id = _settled_entry_id()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('recobra.seal'))")
        end = read_end()
        fresh = _seal_rows(end, last_id, now) if has_rows_after(end, last_id=last_id) else None
    # Outside the transaction: what is kept elsewhere must stand in the database.
    newest = fresh or last_seal()
    if newest is not None:
        transaction.on_commit(lambda: kept_seals.keep(newest))
    return newest


def last_seal() -> Seal | None:
    """Return the newest seal."""
    return Seal.objects.order_by("-number").first()


def has_unsealed_rows(*, before: datetime) -> bool:
    """Tell if rows that were recorded before an instant come after the last seal."""
    return has_rows_after(read_end(), before=before)


def _settled_entry_id() -> int:
    """Return the id up to which every row is there or will never be. Raises WritersBusy."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Who waits for the writers holds up those who come after it.
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_WAIT_FOR_WRITERS])
        try:
            return latest_entry_id()
        except OperationalError as error:
            if isinstance(error.__cause__, LockNotAvailable):
                raise WritersBusy("A long write is going on; the journal is sealed after it.") from error
            raise


def _seal_rows(end: ChainEnd, last_id: int, now: datetime) -> Seal:
    """Seal the rows after the end of the chain up to an id."""
    own = seal_signature.own_identity(now=now)
    number = end.number + 1
    leaves = bytearray()
    digest = begin_hash(number=number, last_id=last_id, sealed_at=now, previous=end.digest)
    for row_id, row_digest in read_digests(end, last_id=last_id):
        leaves += LEAF.pack(row_id, row_digest[:8])
        digest.update(hash_row(row_id, row_digest))
    return Seal.objects.create(
        number=number,
        day=now.date(),
        entries=len(leaves) // LEAF.size,
        last_id=last_id,
        leaves=bytes(leaves),
        digest=digest.digest(),
        previous=end.digest,
        sealed_at=now,
        signature=seal_signature.sign_digest(digest.digest(), own=own),
        signer=own.fingerprint,
    )
