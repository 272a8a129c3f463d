"""How many more people each WhatsApp number may write to first, as Meta limits it; answers are not limited."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count

from recobra.messaging.models import Contact, Provider

LIMITS: Final[Mapping[str, int | None]] = {
    "TIER_50": 50,
    "TIER_250": 250,
    "TIER_1K": 1_000,
    "TIER_2K": 2_000,
    "TIER_10K": 10_000,
    "TIER_100K": 100_000,
    "TIER_UNLIMITED": None,
}
"""How many people a number of a tier may write to first in 24 hours, None without limit.

https://developers.facebook.com/docs/whatsapp/messaging-limits
"""
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
