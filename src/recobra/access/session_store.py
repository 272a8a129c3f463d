"""Where Django keeps sessions: in our own table, by a digest of their key, with an idle and an absolute limit."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.db.models.functions import Now

from recobra.kit import clock

from .models import Session

BEFORE_SIGN_IN: Final = timedelta(minutes=10)
"""How long somebody has from the password to the code."""
_SEEN_AGAIN_AFTER: Final = timedelta(minutes=1)
_KEY: Final = "the digest of a key"
"""Stands for the digest in the parameters of a statement that was put together once."""
_statements: dict[tuple[int, int], tuple[str, tuple[Any, ...]]] = {}
"""The limits of sessions in minutes and hours -> the statement that reads one under them."""


def alive() -> QuerySet[Session]:
    """Return the sessions that have not reached a limit."""
    # What a clock that was wrong has dated later is no session: it would outlive both limits.
    dated = Session.objects.filter(started_at__lt=Now() + clock.TOLERANCE, last_seen_at__lt=Now() + clock.TOLERANCE)
    signed_in = Q(
        user__isnull=False,
        last_seen_at__gt=Now() - timedelta(minutes=settings.SESSION_IDLE_MINUTES),
        started_at__gt=Now() - timedelta(hours=settings.SESSION_HOURS),
    )
    return dated.filter(signed_in | Q(user__isnull=True, started_at__gt=Now() - BEFORE_SIGN_IN))


def _load_statement() -> tuple[str, tuple[Any, ...]]:
    """Return the statement that reads a living session, and its parameters: what it holds, and if it was idle."""
    # Each request asks it, and putting it together takes Django several times as long as PostgreSQL the answer.
    limits = (settings.SESSION_IDLE_MINUTES, settings.SESSION_HOURS)
    if limits not in _statements:
        was_idle = ExpressionWrapper(Q(last_seen_at__lt=Now() - _SEEN_AGAIN_AFTER), output_field=BooleanField())
        rows = alive().filter(pk=_KEY).values_list("data", was_idle)
        _statements[limits] = rows.query.sql_with_params()
    return _statements[limits]


def digest(key: str) -> str:
    """Return what the table knows a session by; the cookie's key has 165 bits, so that a plain digest is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


class SessionStore(SessionBase):
    """A session of Django, kept in `Session`."""

    was_idle = True
    """Whether nothing has been written down about its user's doing for a while."""

    def load(self) -> dict[str, object]:
        """Return what the session holds; one that is unknown or has reached a limit is empty."""
        row = self._read_row(digest(self.session_key)) if self.session_key else None
        if row is None:
            self._session_key = None
            return {}
        data, self.was_idle = row
        return self.decode(data)

    def _read_row(self, key: str) -> tuple[str, bool] | None:
        """Return what is kept under a digest, and whether the session was idle; None where it is none any more."""
        statement, parameters = _load_statement()
        with connection.cursor() as cursor:
            cursor.execute(statement, [key if value == _KEY else value for value in parameters])
            row: tuple[str, bool] | None = cursor.fetchone()
        return row

    def exists(self, session_key: str) -> bool:
        """Return whether there is a session with a key."""
        return Session.objects.filter(pk=digest(session_key)).exists()

    def create(self) -> None:
        """Begin a session with a new key."""
        self._session_key = self._get_new_session_key()  # type: ignore[attr-defined]
        self.save(must_create=True)
        self.modified = True

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002 - Django's interface
        """Write what the session holds. Raises UpdateError for one that has ended meanwhile."""
        if self.session_key is None:
            self.create()
            return
        held = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        values = {
            "data": self.encode(held),
            "user_id": held.get(SESSION_KEY),
            "address": held.get("address", ""),
            "agent": held.get("agent", ""),
        }
        if must_create:
            Session.objects.create(key_digest=digest(self.session_key), started_at=Now(), last_seen_at=Now(), **values)
        elif not Session.objects.filter(pk=digest(self.session_key)).update(**values):
            raise UpdateError

    def delete(self, session_key: str | None = None) -> None:
        """End a session, this one where no key is given."""
        key = session_key or self.session_key
        if key:
            Session.objects.filter(pk=digest(key)).delete()

    def touch(self) -> None:
        """Write down that its user has done something, at most once a minute."""
        if not self.was_idle:
            return
        seen = Session.objects.filter(pk=digest(self.session_key or ""), last_seen_at__lt=Now() - _SEEN_AGAIN_AFTER)
        seen.update(last_seen_at=Now())

    @classmethod
    def clear_expired(cls) -> None:
        """Delete the sessions that have reached a limit."""
        Session.objects.exclude(pk__in=alive().values("pk")).delete()
