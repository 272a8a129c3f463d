"""Rights of screens: every one but sign-in names the right it needs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import resolve, reverse
from psycopg.errors import DeadlockDetected, UniqueViolation

from recobra.access.actors import actor_for
from recobra.access.operations import record_opening
from recobra.access.queries import User
from recobra.access.roles import Right, has_right
from recobra.access.sessions import is_fresh
from recobra.approvals.exports import ExportWaits
from recobra.kit import clock
from recobra.kit.page_above import page_above


class StaffRequest(HttpRequest):
    """A request of a member of staff who has signed in."""

    user: User


View = Callable[..., HttpResponseBase]


def needs(right: Right) -> Callable[[View], View]:
    """Let only roles with a right open a view; others get 403.

    An export that a second person has to agree to first is answered with a page that says so. A scoped query raises
    ObjectDoesNotExist for a row outside the user's portfolios; the answer is then 404.
    """

    # The decorator that `@needs(right)` applies to a view.
    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not has_right(request.user, right):
                raise PermissionDenied
            try:
                answer = _try_twice(view, request, *args, **kwargs)
            except ExportWaits as waits:
                context = {"waits": waits, "may_decide": has_right(request.user, Right.DECIDE)}
                return render(request, "console/approvals/export_waits.html", context, status=HTTPStatus.ACCEPTED)
            except ObjectDoesNotExist as error:
                # 403 would tell that the row exists.
                raise Http404 from error
            if "debtor_id" in kwargs and request.method == "GET" and answer.status_code == HTTPStatus.OK:
                record_reading(request, kwargs["debtor_id"])
            return answer

        guarded.right = right  # type: ignore[attr-defined]
        return guarded

    return guard


def _try_twice(view: View, request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """Return the answer of a view; of two who do the same at once the second sees what the first has done.

    Neither could see the other, and only the database told the second one so: another try refuses it in words.
    """
    try:
        return view(request, *args, **kwargs)
    except DatabaseError as error:
        # The operation has left nothing behind. A file that was read is not there to be read again.
        is_collision = isinstance(error.__cause__, UniqueViolation | DeadlockDetected)
        if not is_collision or request.method != "POST" or request.content_type == "multipart/form-data":
            raise
    return view(request, *args, **kwargs)


def record_reading(request: StaffRequest, debtor_id: int) -> None:
    """Write down that a page has shown a debtor's data; a part of it that renews itself shows nothing more."""
    if "HX-Request" in request.headers or request.resolver_match is None:
        return
    record_opening(
        debtor_id=debtor_id,
        place=request.resolver_match.url_name or "",
        actor=actor_for(request.user, now=clock.now()),
    )


def freshly(view: View) -> View:
    """Ask for a new sign-in before a view that changes what somebody signs in with, unless the last was just now."""

    @wraps(view)
    def checked(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if is_fresh(request, now=clock.now()):
            return view(request, *args, **kwargs)
        # What was sent is lost: the page is asked for again afterwards.
        back = request.path if request.method == "GET" else page_above(request.path)
        return redirect(f"{reverse('console:sign-in')}?{urlencode({'next': back, 'again': '1'})}")

    return checked


def may_open(user: User, address: str) -> bool:
    """Tell if a user's role has the right that the view of an address needs."""
    right = getattr(resolve(address).func, "right", None)
    return right is not None and has_right(user, right)
