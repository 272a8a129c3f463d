"""Who acts in a request, and when."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from recobra.access.actors import Actor, actor_for
from recobra.console.guard import StaffRequest
from recobra.kit import clock


class Attribution(TypedDict):
    """Who acts, and when."""

    actor: str
    actor_id: int
    now: datetime


def actor_of(request: StaffRequest) -> Actor:
    """Return the user of a request, at the present moment, as every operation takes it. Reads the clock."""
    return actor_for(request.user, now=clock.now())


def actor_and_time(request: StaffRequest) -> Attribution:
    """Return the user of a request and the present, to be passed on as keywords. Reads the clock."""
    return {"actor": request.user.username, "actor_id": request.user.pk, "now": clock.now()}
