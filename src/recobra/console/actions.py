"""Who acts in a request, and when."""

from __future__ import annotations

from recobra.access.actors import Actor, actor_for
from recobra.console.guard import StaffRequest
from recobra.kit import clock


def actor_of(request: StaffRequest) -> Actor:
    """Return the user of a request, at the present moment, as every operation takes it. Reads the clock."""
    return actor_for(request.user, now=clock.now())
