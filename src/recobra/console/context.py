"""Template context of every page of the console."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from recobra.access.queries import User
from recobra.access.roles import Right, has_right, rights_of, role_of
from recobra.access.sessions import seconds_left
from recobra.insight.queries import board
from recobra.insight.queries.set_up import is_unfinished
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
        # The way back to the set-up stands on every page of who does it, until the first day was planned.
        "is_setting_up": has_right(user, Right.OPEN_PORTFOLIOS) and is_unfinished(),
        # Lazy: only pages that write numbers outside of any portfolio ask the database for it.
        "country": SimpleLazyObject(lambda: board.main_country(user)),
    }
