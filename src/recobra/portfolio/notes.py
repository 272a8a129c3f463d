"""Notes of staff about debtors, and the lock under which people change what is known of one."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import consequence, requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.kit.encrypted_field import holds_stand_in

from .facts import NoteWritten
from .models import Debtor, DebtorNote
from .scope import check_debtor

LONGEST_NOTE: Final = 2_000


class NoteRefused(Exception):
    """The note cannot be kept; the text is shown as it is."""


@requires(Right.EDIT_DEBTORS)
@transaction.atomic
def add_debtor_note(*, debtor_id: int, text: str, actor: Actor) -> DebtorNote:
    """Write a note about a debtor, which colleagues read and no message says. Raises NoteRefused.

    The same words of the same person again are a form that was sent twice.
    """
    debtor = lock_debtor(debtor_id, actor, refused=NoteRefused)
    last = debtor.notes.filter(author=actor.name).order_by("-pk").first()
    if last is not None and not last.is_reason and last.text == text.strip():
        raise NoteRefused(_("This very note is there already."))
    note_id = write_note(debtor, text, actor=actor, refused=NoteRefused)
    if note_id is None:
        raise NoteRefused(_("Write the note."))
    record_fact(NoteWritten(note_id=note_id), actor=actor, debtor_id=debtor_id)
    return DebtorNote.objects.get(pk=note_id)


@consequence
def lock_debtor(debtor_id: int, actor: Actor, *, refused: type[Exception]) -> Debtor:
    """Return a debtor within reach whom nobody joins or anonymises meanwhile. Raises `refused` for who is anonymised.

    Raises OutOfScope for who is not within reach.
    """
    check_debtor(actor, debtor_id)
    debtor = Debtor.objects.select_for_update(no_key=True).get(pk=debtor_id)
    if debtor.erased_at is not None:
        # What is written about somebody who was erased is never erased again.
        raise refused(_("This person is anonymised already: nothing points to anybody any more."))
    if debtor.joined_into_id is not None:
        raise refused(_("This file was joined with another one: go on there."))
    return debtor


@consequence
def write_note(
    debtor: Debtor,
    text: str,
    *,
    about_point: int | None = None,
    is_reason: bool = False,
    actor: Actor,
    refused: type[Exception],
) -> int | None:
    """Write a note and return its id; None where nothing was said. `is_reason`: it explains a change beside it."""
    text = text.strip()
    if not text:
        return None
    if len(text) > LONGEST_NOTE:
        raise refused(_("The note is too long: up to %(count)s characters.") % {"count": LONGEST_NOTE})
    if holds_stand_in(text):
        raise refused(_("Write the note."))
    note = DebtorNote.objects.create(
        debtor=debtor,
        about_point=about_point,
        is_reason=is_reason or about_point is not None,
        text=text,
        author=actor.name,
        author_id=actor.user_id,
        written_at=actor.now,
    )
    return note.pk
