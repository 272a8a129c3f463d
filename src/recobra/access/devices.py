"""Browsers in which a user has signed in before, by a signed cookie: strangers cannot use up their attempts.

After the device cookies of the OWASP Foundation. The cookie says nothing but that: it lets nobody in.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

LIFETIME: Final = timedelta(days=180)
USERS_MAX: Final = 8
"""As many users as share a browser; the one who has not signed in for longest goes first."""
_SALT: Final = "recobra.access.devices"


def find_device(request: HttpRequest, name: str) -> str | None:
    """Return what a browser is known by to a user, None for one in which the user has not signed in before."""
    return _read(request).get(_digest(name))


def remember_device(request: HttpRequest, response: HttpResponse, name: str) -> None:
    """Let the browser of a request be known to a user who has just signed in."""
    digest = _digest(name)
    known = _read(request)
    device = known.pop(digest, secrets.token_urlsafe(12))
    kept = [*known.items(), (digest, device)][-USERS_MAX:]
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        signing.dumps(kept, salt=_SALT),
        max_age=LIFETIME,
        secure=settings.SECURE_COOKIES,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> dict[str, str]:
    """Return the users of the cookie with what the browser is known by to each; a cookie of anybody else's is empty."""
    try:
        pairs = signing.loads(request.COOKIES.get(settings.DEVICE_COOKIE_NAME, ""), salt=_SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return {}
    return dict(pairs)


def _digest(name: str) -> str:
    """Return a user's name as the cookie has it: unreadable."""
    return salted_hmac(_SALT, name.casefold(), algorithm="sha256").hexdigest()[:32]
