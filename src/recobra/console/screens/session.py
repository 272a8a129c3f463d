"""Sign-in, sign-out and the choice of a language."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from recobra.access import operations, second_factor
from recobra.access import sign_in as access
from recobra.access.queries import User
from recobra.kit import clock

from . import second_step


@login_not_required
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the sign-in page, or sign in."""
    # Nobody is signed in yet, so the language comes from the cookie of the last session.
    language = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    translation.activate(language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE)
    asked = request.GET if request.method == "GET" else request.POST
    # Who is signed in may have to prove it anew, and then only as the same person.
    again = request.user.get_username() if request.user.is_authenticated and asked.get("again") else ""
    if request.user.is_authenticated and not again:
        return redirect(settings.LOGIN_REDIRECT_URL)
    if request.method == "GET":
        return render(request, "console/session/sign_in.html", {"next": asked.get("next", ""), "again": again})
    name, password = again or asked.get("username", "").strip(), asked.get("password", "")
    try:
        user = access.check_password(request, name=name, password=password, now=clock.now())
    except access.SignInWaits as waits:
        text = _("Too many failed attempts. Wait %(minutes)s minutes and try again.")
        return _render_refusal(request, text % {"minutes": waits.minutes}, 429)
    except access.SignInRefused:
        # One text for both: a wrong password must not tell that the user exists.
        return _render_refusal(request, _("The user or the password is not right."), 422)
    if second_factor.has_factor(user):
        return _remember_language(second_step.begin(request, user, next_url=_next_url(request)), user.language)
    response = _remember_language(redirect(_next_url(request)), user.language)
    access.complete_sign_in(request, response, user, means="password", now=clock.now())
    return response


def _render_refusal(request: HttpRequest, text: str, status: int) -> HttpResponse:
    """Render the sign-in page again with a problem; the password has to be typed anew."""
    again = request.user.get_username() if request.user.is_authenticated else ""
    context = {
        "problem": text,
        "username": request.POST.get("username", ""),
        "next": request.POST.get("next", ""),
        "again": again,
    }
    return render(request, "console/session/sign_in.html", context, status=status)


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    access.sign_out(request, now=clock.now())
    return redirect(settings.LOGOUT_REDIRECT_URL)


@login_not_required
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Switch the language of the screens and remember it with the user."""
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        return redirect(_next_url(request))
    if isinstance(request.user, User):
        operations.set_language(user=request.user, language=language)
    return _remember_language(redirect(_next_url(request)), language)


def _remember_language(response: HttpResponse, language_code: str) -> HttpResponse:
    """Set the cookie of the language for a year: the sign-in page reads it before anybody is known."""
    one_year = timedelta(days=365)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language_code,
        max_age=one_year,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
    return response


def _next_url(request: HttpRequest) -> str:
    """Return the page to open next: the one asked for, unless it is another site's or no page."""
    url = request.POST.get("next", "")
    is_own = url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    # A text without a slash would be taken for the name of a view.
    return url if is_own and url.startswith("/") else str(settings.LOGIN_REDIRECT_URL)


urlpatterns = [
    path("entrar/", sign_in, name="sign-in"),
    path("salir/", sign_out, name="sign-out"),
    path("idioma/", choose_language, name="language"),
]
