"""The encryption of everything with the current key in the background: a little at a time, resumed where it stopped.

It carries an installation over whose texts were plain, and finishes a rotation that was broken off. Each table has a
row that says with which key its pass works and how far it is; a batch and its row commit together.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Final

from django.db import models, transaction

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.kit import key_rotation
from recobra.kit.keys import KeysUnsuitable, read_key_ring, retire_keys

from .facts import KeysRotated
from .models import EncryptionPass

SECONDS: Final = 20.0
"""How long a run may work: a third of the minute until the next, so that others have the disk too."""

_WHOLE: Final = "*"
"""The row that says with which key all tables are done; `last_pk` counts the values that their passes have left."""


@requires(Right.SERVE)
def encrypt_waiting(*, seconds: float = SECONDS, actor: Actor) -> int:
    """Encrypt with the current key what is not, for so many seconds; return how many values. Raises KeysUnsuitable.

    When the last table is done and no value carries an earlier key, those keys are retired, as a rotation does.
    """
    deadline = time.monotonic() + seconds
    rewritten = 0
    for model in key_rotation.encrypted_models():
        while (done := _work_batch(model, now=actor.now)) is not None:
            rewritten += done
            if time.monotonic() > deadline:
                return rewritten
    _finish(rewritten, actor)
    return rewritten


def count_left() -> int:
    """Return how many rows wait for the passes with the current key; those that do not open wait for none."""
    key_id = read_key_ring().current.id
    passes = {each.table: each for each in EncryptionPass.objects.filter(key_id=key_id)}
    left = 0
    for model in key_rotation.encrypted_models():
        table = model._meta.db_table  # noqa: SLF001 - Django's own name for it
        begun = passes.get(table)
        if begun is not None and begun.finished_at is not None:
            continue
        left += key_rotation.rows_left(model, after=begun.last_pk if begun else "").count()
    return left


@transaction.atomic
def _work_batch(model: type[models.Model], *, now: datetime) -> int | None:
    """Encrypt the next rows of a table and keep how far it is; None where its pass with the current key is over."""
    key_id = read_key_ring().current.id
    table = model._meta.db_table  # noqa: SLF001 - Django's own name for it
    state, _is_new = EncryptionPass.objects.select_for_update().get_or_create(table=table)
    if state.key_id != key_id:
        state.key_id, state.last_pk, state.finished_at = key_id, "", None
    if state.finished_at is not None:
        return None
    batch = key_rotation.encrypt_batch(model, after=state.last_pk)
    if batch is None:
        state.finished_at = now
    else:
        state.last_pk = batch.last_pk
    state.save()
    return batch.rewritten if batch else 0


def _finish(rewritten: int, actor: Actor) -> None:
    """Retire the earlier keys once the passes of all tables are over; begin anew where one of them has left values."""
    ring = read_key_ring()
    whole, _is_new = EncryptionPass.objects.get_or_create(table=_WHOLE)
    if whole.key_id == ring.current.id:
        return
    key_rotation.encrypt_json_anew()
    earlier = [key.id for key in ring.keys[1:] if key.retired_at is None]
    carried = key_rotation.count_values()
    left = sum(carried[key_id] for key_id in (*earlier, key_rotation.PLAIN))
    if left and whole.last_pk != str(left):
        # Stored behind the back of a pass, by a process that had read an earlier key or knew of none. As many after
        # another pass are values that were altered: they keep their key, and no further pass would open them.
        EncryptionPass.objects.exclude(table=_WHOLE).update(last_pk="", finished_at=None)
        EncryptionPass.objects.filter(table=_WHOLE).update(last_pk=str(left))
        return
    with transaction.atomic():
        EncryptionPass.objects.filter(table=_WHOLE).update(key_id=ring.current.id, last_pk="")
        retired = [key_id for key_id in earlier if not carried[key_id]]
        if not retired:
            return
        try:
            retire_keys(frozenset(retired), now=actor.now)
        except KeysUnsuitable:
            return  # a vault keeps the file: whoever drew the key takes the earlier ones away
        unreadable = carried.total() - carried[ring.current.id]
        rotated = KeysRotated(
            key=ring.current.id, rewritten=rewritten, unreadable=unreadable, retired=retired, destroyed=[]
        )
        record_fact(rotated, actor=actor)
