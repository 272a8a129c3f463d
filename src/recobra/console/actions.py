"""The user and the time of a request, as the keywords that every operation takes."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from recobra.console.guard import StaffRequest
from recobra.kit import clock


class Attribution(TypedDict):
    """Who acts, and when."""

    actor: str
    actor_id: int
    now: datetime


def actor_and_time(request: StaffRequest) -> Attribution:
    """Return the user of a request and the present, to be passed on as keywords. Reads the clock."""
    return {"actor": request.user.username, "actor_id": request.user.pk, "now": clock.now()}
