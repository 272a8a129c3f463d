"""Signing in and out: the check of a password under its limits, and what is written down of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.contrib import auth
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from recobra.journal.facts import Fact
from recobra.journal.operations import record_fact

from . import throttle
from .actors import Service, actor_for, service_actor
from .devices import find_device, remember_device
from .facts import SignedIn, SignedOut, SignInFailed, SignInPaused
from .models import User
from .sessions import SIGNED_IN_AT

AGENT_LENGTH_MAX: Final = 200
MEANS: Final = "means"
"""Where a session says what proved who its user is, as `facts.SignedIn` does."""
BY_PROVIDER: Final = "sign_on"
"""The means of a sign-in through the company's provider."""
FACTOR_BY_PROVIDER: Final = "sign_on,provider"
"""The same, where the provider has proved a second factor too."""


class SignInRefused(Exception):
    """The name, the password or the code is not right; which one is not told."""


class PasswordNotTaken(SignInRefused):
    """The password is right, but this user signs in through the company's provider."""


@dataclass
class SignInWaits(Exception):
    """Too many failures: the attempt was not judged. The next one is, after so many minutes."""

    minutes: int


def client_address(request: HttpRequest) -> str:
    """Return the address of the network that a request came from; behind a trusted proxy the true one."""
    return str(request.META.get("REMOTE_ADDR", ""))


def check_password(request: HttpRequest, *, name: str, password: str, now: datetime) -> User:
    """Return the user whose password it is. Raises SignInRefused, PasswordNotTaken or SignInWaits."""
    claimed = User.objects.filter(username=name).first()
    user_id = claimed.pk if claimed else None
    limits = admit_attempt(request, purpose="password", name=name, user_id=user_id, now=now)
    user = auth.authenticate(request, username=name, password=password)
    if not isinstance(user, User):
        reason = "password" if claimed is None or claimed.is_active else "inactive"
        _record(SignInFailed(user_id=user_id, address=client_address(request), reason=reason), now)
        raise SignInRefused
    throttle.give_back(limits)
    may_use_password: Callable[[User], bool] = import_string(settings.PASSWORD_SIGN_IN_RULE)
    if not may_use_password(user):
        _record(SignInFailed(user_id=user.pk, address=client_address(request), reason="provider_only"), now)
        raise PasswordNotTaken
    return user


def admit_attempt(
    request: HttpRequest, *, purpose: str, name: str, user_id: int | None, now: datetime
) -> dict[bytes, throttle.Limit]:
    """Count an attempt on a user before it is judged; return its limits, to give back after a success.

    Raises SignInWaits.
    """
    address = client_address(request)
    device = find_device(request, name)
    limits = throttle.sign_in_limits(purpose=purpose, name=name, address=address, device=device)
    paused = throttle.admit(limits, now=now)
    if paused is None:
        return limits
    # One entry in ten, a hundred, a thousand: who hammers at the door does not fill the journal.
    if str(paused.refused).strip("0") == "1":
        _record(SignInPaused(user_id=user_id, address=address, refused=paused.refused), now)
    raise SignInWaits(paused.minutes)


def give_back_attempt(limits: dict[bytes, throttle.Limit]) -> None:
    """Take an attempt back that succeeded."""
    throttle.give_back(limits)


def record_failure(request: HttpRequest, *, user_id: int | None, reason: str, now: datetime) -> None:
    """Record that somebody failed who knows a user's password, or whom the company's provider has proved."""
    _record(SignInFailed(user_id=user_id, address=client_address(request), reason=reason), now)


@transaction.atomic
def complete_sign_in(request: HttpRequest, response: HttpResponse, user: User, *, means: str, now: datetime) -> None:
    """Sign a user in who has proved who he or she is: a new session begins, and the browser is known from now on."""
    begin_session(request, user, means=means, now=now)
    remember_device(request, response, user.username)
    actor = actor_for(user, now=now)
    record_fact(SignedIn(address=client_address(request), means=means), actor=actor)


def begin_session(request: HttpRequest, user: User, *, means: str, now: datetime) -> None:
    """Begin a new session of a user who has just proved who he or she is; the one before ends."""
    # Nothing of the session before is carried over, nor its key, which Django keeps for the same user.
    request.session.flush()
    auth.login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    request.session.update(
        {
            SIGNED_IN_AT: now.isoformat(),
            MEANS: means,
            "address": client_address(request),
            "agent": request.headers.get("User-Agent", "")[:AGENT_LENGTH_MAX],
        }
    )


def means_of(request: HttpRequest) -> str:
    """Return what proved who the user of a request is; "password" in sessions from before it was kept."""
    return str(request.session.get(MEANS, "password"))


@transaction.atomic
def sign_out(request: HttpRequest, *, now: datetime) -> None:
    """End the session of a request."""
    user = request.user
    auth.logout(request)
    if isinstance(user, User):
        record_fact(SignedOut(address=client_address(request)), actor=actor_for(user, now=now))


@transaction.atomic
def _record(fact: Fact, now: datetime) -> None:
    """Record what somebody did who is not signed in."""
    record_fact(fact, actor=service_actor(Service.ANONYMOUS, now=now))
