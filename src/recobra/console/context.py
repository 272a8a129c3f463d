"""What every page of the console needs."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from recobra.access.queries import User
from recobra.access.roles import RIGHTS
from recobra.insight.queries import board

from . import navigation


def shell(request: HttpRequest) -> dict[str, object]:
    """Return the facts of the page's frame: the side bar and what the user may do (`can.record_payment`)."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {"demo": settings.DEMO}
    return {
        "demo": settings.DEMO,
        "navigation": navigation.entries(user, request.path),
        "can": {str(right): True for right in RIGHTS[user.role]},
        "country": SimpleLazyObject(lambda: board.main_country(user)),
    }
