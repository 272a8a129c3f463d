"""Canned answers of the inbox: never edited, but retired and replaced."""

from __future__ import annotations

from itertools import chain, count
from typing import Final

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.conversations.models import CannedAnswer
from recobra.kit.encrypted_field import UNREADABLE, holds_stand_in

# Leaves room for a number behind it in a slug of 50.
_CODE_MAX: Final = 40
_TITLE_MAX: Final = 120


class CannedRefused(Exception):
    """The answer cannot be saved; the text is shown as it is."""


@requires(Right.LEAD_CONVERSATIONS)
@transaction.atomic
def save_canned(*, title: str, text: str, replaces_id: int | None = None, actor: Actor) -> CannedAnswer:
    """Save a canned answer, in the place of `replaces_id` where that is given. Raises CannedRefused.

    The very answer that stands already is a form that was sent twice.
    """
    title = title.strip()
    text = text.strip()
    if not title or not text:
        raise CannedRefused(_("A ready answer needs a title and a text."))
    if holds_stand_in(text):
        raise CannedRefused(str(UNREADABLE))
    title = title[:_TITLE_MAX]
    for standing in CannedAnswer.objects.filter(title=title, retired_at__isnull=True).exclude(pk=replaces_id or 0):
        if standing.text == text:
            return standing
    if replaces_id is not None:
        retire_canned(canned_id=replaces_id, actor=actor)
    return CannedAnswer.objects.create(
        code=_free_code(title), title=title, text=text, created_by=actor.name, created_at=actor.now
    )


def _free_code(title: str) -> str:
    """Return a code that no answer has; retired ones keep theirs, and a title may end as the code of another."""
    base = slugify(title)[:_CODE_MAX] or "respuesta"
    taken = set(CannedAnswer.objects.filter(code__startswith=base).values_list("code", flat=True))
    return next(code for code in chain([base], (f"{base}-{n}" for n in count(2))) if code not in taken)


@requires(Right.LEAD_CONVERSATIONS)
def retire_canned(*, canned_id: int, actor: Actor) -> None:
    """Take a canned answer out of use."""
    CannedAnswer.objects.filter(pk=canned_id, retired_at__isnull=True).update(retired_at=actor.now)
