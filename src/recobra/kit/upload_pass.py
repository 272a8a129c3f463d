"""The pass that lets a browser send a large file: a signed cookie, which the web server can check by itself.

The page of a new load gives it to who may load files. Without it a body is limited like that of any form, so that
nobody else can fill the disk.
"""

from __future__ import annotations

from datetime import timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Final

from django.conf import settings
from django.core import signing
from django.http import HttpResponse

LIFETIME: Final = timedelta(hours=12)
_SALT: Final = "recobra.upload-pass"


def give(response: HttpResponse, *, user_id: int) -> None:
    """Put a pass into an answer."""
    response.set_cookie(
        settings.UPLOAD_COOKIE_NAME,
        signing.TimestampSigner(salt=_SALT).sign(str(user_id)),
        max_age=LIFETIME,
        secure=settings.SECURE_COOKIES,
        httponly=True,
        samesite="Lax",
    )


def is_valid(text: str) -> bool:
    """Return whether a pass was given by this installation, within LIFETIME."""
    try:
        signing.TimestampSigner(salt=_SALT).unsign(text, max_age=LIFETIME)
    except signing.BadSignature:
        return False
    return True


def is_in(cookies: str) -> bool:
    """Return whether the cookies of a request, as its header has them, bring a pass that is valid."""
    try:
        found = SimpleCookie(cookies).get(settings.UPLOAD_COOKIE_NAME)
    except CookieError:
        return False
    return found is not None and is_valid(found.value)
