"""Open sessions of users: which there are, and how they end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url

from recobra.journal.operations import record_fact

from .actors import Actor
from .facts import SessionsEnded
from .models import Notice, Session, User
from .notices import tell_owner
from .permissions import consequence, requires
from .roles import Right
from .session_store import SessionStore, alive, digest

FRESH_FOR: Final = timedelta(minutes=10)
"""How long after a sign-in a user may change what he or she signs in with."""
SIGNED_IN_AT: Final = "signed_in_at"
ENDED: Final = "ended"
"""The parameter by which the sign-in page knows that a session has ended."""
AUTOMATIC_HEADER: Final = "X-Automatic"
"""Sent by parts of pages that renew themselves: a page that stands open is nobody's doing."""


@dataclass(frozen=True, kw_only=True)
class OpenSession:
    """A session as it is listed; `id` names it when it is ended and lets nobody in."""

    id: str
    address: str
    agent: str
    started_at: datetime
    last_seen_at: datetime
    is_current: bool


def open_sessions(user: User, *, current_key: str | None = None) -> list[OpenSession]:
    """Return a user's open sessions, the one that was used last first; `current_key` is the caller's own."""
    current = digest(current_key) if current_key else ""
    return [
        OpenSession(
            id=row.key_digest,
            address=row.address,
            agent=row.agent,
            started_at=row.started_at,
            last_seen_at=row.last_seen_at,
            is_current=row.key_digest == current,
        )
        for row in alive().filter(user=user).order_by("-last_seen_at")
    ]


@consequence
@transaction.atomic
def end_own_sessions(*, current_key: str | None, actor: Actor, session_id: str = "") -> int:
    """End one of the actor's own sessions, or all but the current one where none is named; return how many."""
    assert actor.user_id is not None, "a service has no sessions"
    mine = Session.objects.filter(user_id=actor.user_id)
    chosen = mine.filter(pk=session_id) if session_id else mine.exclude(pk=digest(current_key or ""))
    return _end(chosen, user_id=actor.user_id, actor=actor)


@requires(Right.MANAGE_USERS)
@transaction.atomic
def end_sessions(*, user: User, actor: Actor, session_id: str = "") -> int:
    """End one session of a user, or all where none is named; return how many. The user is told."""
    if session_id:
        count = _end(Session.objects.filter(user=user, pk=session_id), user_id=user.pk, actor=actor)
    else:
        count = end_every_session(user, actor=actor)
    if count:
        tell_owner(Notice.Kind.SESSIONS_ENDED, user.pk, actor=actor)
    return count


@consequence
def end_every_session(user: User, *, actor: Actor) -> int:
    """End all sessions of a user, within the caller's transaction; return how many.

    The one way of it: another password, shutting out and the loss of second factors come here. A session that a sign-in
    begins at this moment carries the generation from before, and is none.
    """
    User.objects.filter(pk=user.pk).update(session_generation=F("session_generation") + 1)
    user.refresh_from_db(fields=["session_generation"])
    return _end(Session.objects.filter(user=user), user_id=user.pk, actor=actor)


def _end(chosen: QuerySet[Session], *, user_id: int | None, actor: Actor) -> int:
    count, _per_table = chosen.delete()
    if count and user_id is not None:
        record_fact(SessionsEnded(user_id=user_id, sessions=count), actor=actor)
    return int(count)


def is_fresh(request: HttpRequest, *, now: datetime) -> bool:
    """Return whether the user of a request signed in a moment ago."""
    signed_in_at = request.session.get(SIGNED_IN_AT)
    return signed_in_at is not None and abs(now - datetime.fromisoformat(signed_in_at)) < FRESH_FOR


def seconds_left(request: HttpRequest, *, now: datetime) -> int:
    """Return in how many seconds the session of a request ends whatever its user does, at least 1."""
    signed_in_at = request.session.get(SIGNED_IN_AT)
    since = now - datetime.fromisoformat(signed_in_at) if signed_in_at else timedelta()
    return max(1, settings.SESSION_HOURS * 60 * 60 - int(since.total_seconds()))


class SessionLimits:
    """Middleware: what a user does keeps the session; what a page does of itself does not."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request; a part of a page whose session has ended leads the whole page to the sign-in.

        The address of the sign-in says whether a session has ended, so that nobody thinks that a form was saved.
        """
        if isinstance(request.user, User):
            if AUTOMATIC_HEADER not in request.headers and isinstance(request.session, SessionStore):
                request.session.touch()
            return self.get_response(request)
        # A cookie that opens no session any more; who signs out loses the cookie too.
        has_ended = bool(request.COOKIES.get(settings.SESSION_COOKIE_NAME)) and request.session.session_key is None
        response = self.get_response(request)
        login = resolve_url(settings.LOGIN_URL)
        address = response.headers.get("Location", "")
        if not address.startswith(f"{login}?"):
            return response
        is_part = "HX-Request" in request.headers
        if is_part:
            back = request.headers.get("HX-Current-URL", "").partition(request.get_host())[2] or "/"
            address = redirect_to_login(back, login).url
        if has_ended:
            address += f"&{ENDED}=1"
        if is_part:
            return HttpResponse(status=204, headers={"HX-Redirect": address})
        response.headers["Location"] = address
        return response
