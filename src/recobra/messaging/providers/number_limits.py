"""How many more people each WhatsApp number may write to first, as Meta limits it; answers are not limited."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count

from recobra.messaging.channels.whatsapp.number import LIMITS
from recobra.messaging.models import Contact, Provider

WINDOW: Final = timedelta(hours=24)


def count_left(*, now: datetime) -> dict[int, int]:
    """Return, by the providers whose number has a limit, how many people it may still write to first.

    Whoever was answered counts as well, so that it is rather too few than too many.
    """
    limited = Provider.objects.filter(enabled=True).exclude(number_tier="")
    limits = {}
    for provider_id, tier in limited.values_list("pk", "number_tier"):
        limit = LIMITS.get(tier)
        if limit is not None:
            limits[provider_id] = limit
    if not limits:
        return {}
    recent = Contact.objects.filter(
        provider_id__in=limits,
        planned_for__gte=(now - WINDOW).date() - timedelta(days=3),
        handed_over_at__gt=now - WINDOW,
        status__in=[Contact.Status.SENT, Contact.Status.UNCERTAIN, Contact.Status.LEASED],
    )
    reached = recent.order_by().values_list("provider_id").annotate(people=Count("address", distinct=True))
    people = dict(reached)
    return {provider_id: max(limit - people.get(provider_id, 0), 0) for provider_id, limit in limits.items()}
