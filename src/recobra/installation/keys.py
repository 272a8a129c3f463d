"""Operations on the keys of the installation."""

from __future__ import annotations

from django.db import transaction

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.kit import key_rotation
from recobra.kit.keys import read_secret_keys, renew_secret_key

from .facts import KeysRotated, SigningKeyRenewed


@requires(Right.SERVE)
def rotate_data_keys(*, is_drawn: bool, actor: Actor) -> key_rotation.Rotation:
    """Encrypt everything with a new data key, while others read and write. Raises KeysUnsuitable.

    `is_drawn`: the new key stands first in the file already. No transaction spans it: each batch has one of its own.
    """
    rotation = key_rotation.rotate_keys(is_drawn=is_drawn, now=actor.now)
    with transaction.atomic():
        rotated = KeysRotated(
            key=rotation.key_id,
            rewritten=rotation.rewritten,
            unreadable=rotation.unreadable,
            retired=list(rotation.retired),
            destroyed=list(rotation.destroyed),
        )
        record_fact(rotated, actor=actor)
    return rotation


@requires(Right.SERVE)
def rotate_signing_key(*, actor: Actor) -> int:
    """Let a new key sign sessions and links, from the next start on; return how many earlier ones still count.

    Raises KeysUnsuitable.
    """
    renew_secret_key()
    earlier = len(read_secret_keys()) - 1
    with transaction.atomic():
        record_fact(SigningKeyRenewed(earlier=earlier), actor=actor)
    return earlier
