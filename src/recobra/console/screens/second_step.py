"""The second step of a sign-in: a code of the authenticator, a passkey or a recovery code."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from recobra.access import second_factor, sign_in
from recobra.access.queries import User
from recobra.kit import clock

_WAITING: Final = "second_step"


def begin(request: HttpRequest, user: User, *, first: str, next_url: str) -> HttpResponse:
    """Remember for ten minutes who has proved by a `first` means who he or she is, and ask for the second factor."""
    request.session.flush()
    request.session[_WAITING] = {"user_id": user.pk, "first": first, "next": next_url}
    return redirect("console:second-step")


@login_not_required
@sensitive_post_parameters("code", "credential")
@never_cache
@require_http_methods(["GET", "POST"])
def ask_second_factor(request: HttpRequest) -> HttpResponse:
    """Show what the second factor may be, or sign in with it."""
    waiting = request.session.get(_WAITING, {})
    user = User.objects.filter(pk=waiting.get("user_id"), is_active=True).first()
    if user is None:
        return redirect("console:sign-in")
    if request.method == "GET":
        return _render(request, user)
    now = clock.now()
    try:
        means = _check(request, user, now)
    except sign_in.SignInWaits as waits:
        text = _("Too many failed attempts. Wait %(minutes)s minutes and try again.")
        return _render(request, user, problem=text % {"minutes": waits.minutes}, status=429)
    except second_factor.FactorRefused:
        return _render(request, user, problem=_("The code is not right, or it was used already."), status=422)
    response = redirect(waiting["next"])
    sign_in.complete_sign_in(request, response, user, means=f"{waiting['first']},{means}", now=now)
    return response


def _check(request: HttpRequest, user: User, now: datetime) -> str:
    """Check what was sent; return what it was. Raises FactorRefused, SignInWaits."""
    limits = sign_in.admit_attempt(request, purpose="code", name=user.username, user_id=user.pk, now=now)
    credential = request.POST.get("credential", "")
    try:
        if credential:
            means = second_factor.check_passkey(user, credential=credential, now=now)
        else:
            means = second_factor.check_code(user, code=request.POST.get("code", ""), now=now)
    except second_factor.FactorRefused:
        sign_in.record_failure(request, user_id=user.pk, reason="passkey" if credential else "code", now=now)
        raise
    sign_in.give_back_attempt(limits)
    return means


def _render(request: HttpRequest, user: User, *, problem: str = "", status: int = 200) -> HttpResponse:
    types = {factor.type for factor in second_factor.factors_of(user)}
    context = {
        "problem": problem,
        "is_by_provider": request.session[_WAITING]["first"] == sign_in.BY_PROVIDER,
        "has_totp": "totp" in types,
        # A challenge is good for one answer, so each page has its own.
        "passkey": second_factor.begin_passkey_check(user) if "webauthn" in types else None,
    }
    return render(request, "console/session/second_step.html", context, status=status)


urlpatterns = [path("entrar/segundo-factor/", ask_second_factor, name="second-step")]
