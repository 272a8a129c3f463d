"""Signing in through the company's provider: the way there, and the way back."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from recobra.access import second_factor, sign_in
from recobra.access.queries import User
from recobra.console.guard import StaffRequest, freshly
from recobra.kit import clock
from recobra.sign_on import flow, people
from recobra.sign_on.flow import Proof, Purpose
from recobra.sign_on.refusals import SignOnRefused

from . import second_step
from .session import next_url, remember_language, render_door


@login_not_required
@never_cache
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider to sign in, or to prove again (`again=1`) who is signed in here."""
    is_again = request.user.is_authenticated and request.POST.get("again") == "1"
    if request.user.is_authenticated and not is_again:
        return redirect("console:home")
    return _begin(request, Purpose.PROVE_AGAIN if is_again else Purpose.COME_IN, next_url(request))


@never_cache
@require_POST
@freshly
def begin_link(request: StaffRequest) -> HttpResponse:
    """Send the browser to the provider, so that the user who is signed in is known by it from then on."""
    return _begin(request, Purpose.LINK, reverse("console:account"))


def _begin(request: HttpRequest, purpose: Purpose, following: str) -> HttpResponse:
    now = clock.now()
    try:
        return redirect(flow.begin(request, purpose=purpose, next_url=following, now=now))
    except sign_in.SignInWaits as waits:
        text = _("Too many sign-ins were begun from here. Wait %(minutes)s minutes and try again.")
        return _refuse(request, text % {"minutes": waits.minutes}, status=429)
    except SignOnRefused as refusal:
        flow.record_refusal(request, refusal, now=now)
        return _refuse(request, str(refusal))


@login_not_required
@never_cache
@require_GET
def come_back(request: HttpRequest) -> HttpResponse:
    """Take the provider's answer: sign in, or link the user who is signed in."""
    now = clock.now()
    try:
        proof = flow.complete(request, now=now)
        if proof.begun.purpose == Purpose.LINK and isinstance(request.user, User):
            people.link(proof, user=request.user, now=now)
            messages.success(
                request, _("From now on you can sign in through «%(name)s».") % {"name": proof.settings.name}
            )
            return redirect("console:account")
        user = people.admit(proof, now=now)
    except SignOnRefused as refusal:
        flow.record_refusal(request, refusal, now=now)
        return _refuse(request, str(refusal))
    return _let_in(request, proof, user, now)


def _let_in(request: HttpRequest, proof: Proof, user: User, now: datetime) -> HttpResponse:
    """Sign the user in; ask for the own second factor where there is one and the provider has not proved another."""
    following = proof.begun.next_url
    if second_factor.has_factor(user) and not proof.has_second_factor:
        return second_step.begin(request, user, first=sign_in.BY_PROVIDER, next_url=following)
    response = remember_language(redirect(following), user.language)
    means = sign_in.FACTOR_BY_PROVIDER if proof.has_second_factor else sign_in.BY_PROVIDER
    sign_in.complete_sign_in(request, response, user, means=means, now=now)
    return response


def _refuse(request: HttpRequest, text: str, *, status: int = 422) -> HttpResponse:
    """Show why nobody was let in; whoever is signed in stays so."""
    if request.user.is_authenticated:
        messages.error(request, text)
        return redirect("console:account")
    # The address has the provider's answer in it, which is of no use any more and belongs into no page.
    return render_door(request, {"problem": text, "here": reverse("console:sign-in")}, status=status)


urlpatterns = [
    path("entrar/empresa/", begin, name="sign-on"),
    path("entrar/empresa/vuelta/", come_back, name="sign-on-return"),
    path("mi-cuenta/vincular/", begin_link, name="sign-on-link"),
]
