"""Sign in, sign out, choose a language."""

from __future__ import annotations

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from recobra.access import operations
from recobra.access.queries import User
from recobra.console import throttle
from recobra.kit import clock


@login_not_required
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the door, or open it."""
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    translation.activate(chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE)
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    if request.method == "GET":
        return render(request, "console/session/sign_in.html", {"next": request.GET.get("next", "")})
    return _try(request, request.POST.get("username", "").strip(), _address(request))


def _try(request: HttpRequest, username: str, address: str) -> HttpResponse:
    if throttle.paused(username, address):
        text = _("Too many failed attempts. Wait %(minutes)s minutes and try again.")
        return _refuse(request, text % {"minutes": throttle.PAUSE_MINUTES}, 429)
    form = AuthenticationForm(request, request.POST)
    if not form.is_valid():
        throttle.failed(username, address)
        return _refuse(request, _("The user or the password is not right."), 422)
    throttle.forgive(username, address)
    user = form.get_user()
    if not isinstance(user, User):
        raise TypeError("Staff sign in with the access app's own user.")
    auth.login(request, user)
    operations.record_sign_in(user=user, address=address, now=clock.now())
    return _remember(redirect(_next(request)), user.language)


def _refuse(request: HttpRequest, text: str, status: int) -> HttpResponse:
    context = {"problem": text, "username": request.POST.get("username", ""), "next": request.POST.get("next", "")}
    return render(request, "console/session/sign_in.html", context, status=status)


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    auth.logout(request)
    return redirect(settings.LOGOUT_REDIRECT_URL)


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Switch the language of the screens and remember it with the user."""
    chosen = request.POST.get("language", "")
    if chosen not in dict(settings.LANGUAGES):
        return redirect(_next(request))
    if isinstance(request.user, User):
        operations.set_language(user=request.user, language=chosen)
    return _remember(redirect(_next(request)), chosen)


def _remember(response: HttpResponse, language_code: str) -> HttpResponse:
    year_seconds = 365 * 24 * 3600
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language_code, max_age=year_seconds, samesite="Lax")
    return response


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    own = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return wanted if own else str(settings.LOGIN_REDIRECT_URL)


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


urlpatterns = [
    path("entrar/", sign_in, name="sign-in"),
    path("salir/", sign_out, name="sign-out"),
    path("idioma/", language, name="language"),
]
