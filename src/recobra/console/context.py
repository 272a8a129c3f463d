"""Template context of every page of the console."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from recobra.access.queries import User
from recobra.access.roles import rights_of, role_of
from recobra.access.sessions import seconds_left
from recobra.insight.queries import board
from recobra.kit import clock

from . import navigation


def shell(request: HttpRequest) -> dict[str, object]:
    """Return the context of the page's frame: the side bar and the user's rights (`can.record_payment`)."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {"demo": settings.DEMO}
    return {
        "demo": settings.DEMO,
        "idle_seconds": settings.SESSION_IDLE_MINUTES * 60,
        "session_seconds": seconds_left(request, now=clock.now()),
        "navigation": navigation.visible_entries(user, request.path),
        "can": {str(right): True for right in rights_of(user)},
        "role_name": role_of(user).name,
        # Lazy: only pages that write numbers outside of any portfolio ask the database for it.
        "country": SimpleLazyObject(lambda: board.main_country(user)),
    }
