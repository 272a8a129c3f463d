"""Who may open what: every screen but sign-in names the right it needs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase

from recobra.access.queries import User
from recobra.access.roles import Right, may


class StaffRequest(HttpRequest):
    """A request of a member of staff who has signed in."""

    user: User


View = Callable[..., HttpResponseBase]


def needs(right: Right) -> Callable[[View], View]:
    """Let a view be opened only by roles that carry a right; others get 403.

    A row outside the user's scope does not exist for him or her: scoped queries raise it and the answer is 404.
    """

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not may(request.user, right):
                raise PermissionDenied
            try:
                return view(request, *args, **kwargs)
            except ObjectDoesNotExist as unseen:
                raise Http404 from unseen

        return guarded

    return guard
