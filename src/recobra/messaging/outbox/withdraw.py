"""Take back contacts that are no longer what the plan of the day wants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from recobra.messaging.outbox.plan import CANCEL
from recobra.messaging.outbox.transitions import change, record_ends


@transaction.atomic
def withdraw(*, contact_ids: Sequence[int], reason: str, at: datetime, actor: str) -> int:
    """Cancel contacts that were not handed over yet; return how many."""
    if not contact_ids:
        return 0
    ended = change(CANCEL.format(which="w.id = ANY(%s)"), [list(contact_ids), reason, at])
    return record_ends("contact.cancelled", ended, at=at, actor=actor)
