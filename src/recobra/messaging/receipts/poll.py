"""Asking the providers about messages of which nobody has told us anything."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from recobra.messaging.channels.adapter import ReceiptEvent
from recobra.messaging.models import Contact
from recobra.messaging.receipts.record import note
from recobra.messaging.receipts.status_query import Asker

ASKED_AFTER: Final = tuple(timedelta(minutes=m) for m in (15, 120, 1440))
MOST: Final = 5_000  # of those left over, whose provider may be mute for days, and as many again of the others
WITHIN_SECONDS: Final = 60.0  # nothing waits for it but its own next turn, minutes later
_asker: Final = Asker()


def ask_about_silent(*, now: datetime, every: timedelta, within_seconds: float = WITHIN_SECONDS) -> int:
    """Ask about contacts sent a while ago of which no receipt came; return how many turned out not to have arrived.

    Each is asked about as its age passes one of ASKED_AFTER, where this is called `every` so often; those that could
    not be asked in time, the next time.
    """
    due = Q(pk__in=_asker.left[:MOST])
    for age in ASKED_AFTER:
        due |= Q(sent_at__gt=now - age - every, sent_at__lte=now - age)
    silent = Contact.objects.filter(due, status=Contact.Status.SENT, receipts__isnull=True, provider__isnull=False)
    oldest_first = silent.exclude(provider_reference="").order_by("sent_at", "pk").values_list("pk", flat=True)
    found = 0
    for contact, arrived in _asker.ask(oldest_first[: 2 * MOST], within_seconds=within_seconds):
        if arrived is False:
            lost = ReceiptEvent(
                kind="FAILED",
                at=now,
                event_key=f"asked:{contact.public_id}",
                public_id=contact.public_id,
                provider_reference=contact.provider_reference,
            )
            found += note(events=[lost], provider_id=contact.provider_id, now=now)
    return found
