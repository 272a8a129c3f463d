"""Voiding of firings, so that a step whose contact never reached the debtor fires again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from recobra.strategy.models import Firing


def void_firings(*, contact_ids: Sequence[int], now: datetime) -> int:
    """Void the firings of contacts that were cancelled or blocked; return how many."""
    return Firing.objects.filter(contact_id__in=list(contact_ids), voided_at__isnull=True).update(voided_at=now)
