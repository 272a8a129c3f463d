"""What was planned for a day that is over is taken back: the next plan starts from what is true then."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from .ending import change, record_ends
from .planning import _CANCEL


@transaction.atomic
def expire(*, before: date, at: datetime) -> int:
    """Cancel the contacts planned for earlier days that were not handed over; return how many."""
    ended = change(_CANCEL.format(which="w.planned_for < %s"), [before, "expired", at])
    return record_ends("contact.cancelled", ended, at=at, actor="cycle")
