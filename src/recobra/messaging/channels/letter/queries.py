"""Read access to letters and print batches, scoped to the user."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from recobra.access.queries import User, portfolio_codes
from recobra.messaging.models import Letter, LetterBatch

FILES: Final = {"letters.pdf": "application/pdf", "courier.csv": "text/csv"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLetters:
    """The letters of one country that wait to be printed."""

    country: str
    count: int
    oldest: datetime


def waiting_for(user: User) -> list[WaitingLetters]:
    """Return the letters that wait to be printed, by country."""
    waiting = Letter.objects.filter(status="WAITING")
    codes = portfolio_codes(user)
    if codes is not None:
        waiting = waiting.filter(contact__portfolio__code__in=codes)
    by_country = waiting.order_by().values("contact__portfolio__country")
    rows = by_country.annotate(count=Count("pk"), oldest=Min("changed_at")).order_by("contact__portfolio__country")
    return [
        WaitingLetters(country=row["contact__portfolio__country"], count=row["count"], oldest=row["oldest"])
        for row in rows
    ]


def batches_for(user: User) -> QuerySet[LetterBatch]:
    """Return the batches all of whose letters a user may see, newest first, with counts of their letters' ends."""
    batches = LetterBatch.objects.annotate(
        delivered=Count("letters", filter=Q(letters__status="DELIVERED")),
        returned=Count("letters", filter=Q(letters__status="RETURNED")),
    ).order_by("-pk")
    codes = portfolio_codes(user)
    if codes is None:
        return batches
    hidden_letters = Letter.objects.filter(batch=OuterRef("pk")).exclude(contact__portfolio__code__in=codes)
    return batches.filter(~Exists(hidden_letters))


def batch_file_for(user: User, batch_id: int, name: str) -> Path:
    """Return the path of a file of a batch. Raises ObjectDoesNotExist."""
    batch = batches_for(user).get(pk=batch_id)
    path = Path(settings.MEDIA_ROOT) / batch.path / name
    if name not in FILES or not batch.path or not path.is_file():
        raise ObjectDoesNotExist
    return path
