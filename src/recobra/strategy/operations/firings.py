"""Voiding of firings, so that a step whose contact never reached the debtor fires again."""

from __future__ import annotations

from collections.abc import Sequence

from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.strategy.models import Firing


@consequence
def void_firings(*, contact_ids: Sequence[int], actor: Actor) -> int:
    """Void the firings of contacts that were cancelled or blocked; return how many."""
    return Firing.objects.filter(contact_id__in=list(contact_ids), voided_at__isnull=True).update(voided_at=actor.now)
