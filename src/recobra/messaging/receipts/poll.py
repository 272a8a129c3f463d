"""Questions to the providers about messages without a receipt."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models import Q

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.messaging.channels.adapter import ReceiptEvent
from recobra.messaging.models import Contact
from recobra.messaging.receipts.record import record_receipts
from recobra.messaging.receipts.status_query import StatusPoller

ASKED_AFTER: Final = (timedelta(minutes=15), timedelta(hours=2), timedelta(days=1))
MOST: Final = 5_000  # contacts left over from the last call, whose provider may be down, and as many new ones
WITHIN_SECONDS: Final = 60.0
_poller: Final = StatusPoller()


@requires(Right.SERVE)
def poll_unreported_contacts(*, every: timedelta, within_seconds: float = WITHIN_SECONDS, actor: Actor) -> int:
    """Ask about contacts sent a while ago without a receipt; return how many turned out not to have arrived.

    A contact is asked about when its age passes one of ASKED_AFTER: `every` is how often this is called. Those for
    which time was too short are asked about at the next call.
    """
    due = Q(pk__in=_poller.left[:MOST])
    for age in ASKED_AFTER:
        due |= Q(sent_at__gt=actor.now - age - every, sent_at__lte=actor.now - age)
    unreported = Contact.objects.filter(due, status=Contact.Status.SENT, receipts__isnull=True, provider__isnull=False)
    oldest_first = unreported.exclude(provider_reference="").order_by("sent_at", "pk").values_list("pk", flat=True)
    lost_count = 0
    for contact, received in _poller.ask(oldest_first[: 2 * MOST], within_seconds=within_seconds):
        # None: the provider cannot tell, and the contact stays as it is.
        if received is not False:
            continue
        lost = ReceiptEvent(
            kind="FAILED",
            at=actor.now,
            event_key=f"asked:{contact.public_id}",
            public_id=contact.public_id,
            provider_reference=contact.provider_reference,
        )
        lost_count += record_receipts(events=[lost], provider_id=contact.provider_id, actor=actor)
    return lost_count
