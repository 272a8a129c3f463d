"""Canned answers of the inbox: never edited, but retired and replaced."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from recobra.conversations.models import CannedAnswer

# Leaves room for a number behind it in a slug of 50.
_CODE_MAX: Final = 40
_TITLE_MAX: Final = 120


class CannedRefused(Exception):
    """The answer cannot be saved; the text is shown as it is."""


@transaction.atomic
def save_canned(*, title: str, text: str, actor: str, now: datetime, replaces_id: int | None = None) -> CannedAnswer:
    """Save a canned answer, in the place of `replaces_id` where that is given. Raises CannedRefused."""
    title = title.strip()
    text = text.strip()
    if not title or not text:
        raise CannedRefused(_("A ready answer needs a title and a text."))
    if replaces_id is not None:
        retire_canned(canned_id=replaces_id, now=now)
    # Codes are unique, and retired answers keep theirs.
    base = slugify(title)[:_CODE_MAX] or "respuesta"
    taken = CannedAnswer.objects.filter(code__startswith=base).count()
    code = f"{base}-{taken + 1}" if taken else base
    return CannedAnswer.objects.create(code=code, title=title[:_TITLE_MAX], text=text, created_by=actor, created_at=now)


def retire_canned(*, canned_id: int, now: datetime) -> None:
    """Take a canned answer out of use."""
    CannedAnswer.objects.filter(pk=canned_id, retired_at__isnull=True).update(retired_at=now)
