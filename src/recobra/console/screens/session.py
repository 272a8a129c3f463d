"""Sign-in, sign-out and the choice of a language."""

from __future__ import annotations

from collections.abc import Mapping
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
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recobra.access import operations, second_factor
from recobra.access import sign_in as access
from recobra.access.queries import User
from recobra.access.sessions import ENDED
from recobra.kit import clock
from recobra.sign_on.flow import sign_out_address
from recobra.sign_on.provider_settings import ProviderSettings
from recobra.sign_on.queries import find_enabled, is_linked

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
        has_ended = asked.get(ENDED) == "1" and not again
        return render_door(request, {"next": asked.get("next", ""), "again": again, "has_ended": has_ended})
    name, password = again or asked.get("username", "").strip(), asked.get("password", "")
    try:
        user = access.check_password(request, name=name, password=password, now=clock.now())
    except (access.SignInWaits, access.SignInRefused) as refusal:
        return _render_refusal(request, refusal)
    if second_factor.has_factor(user):
        return remember_language(
            second_step.begin(request, user, first="password", next_url=next_url(request)), user.language
        )
    response = remember_language(redirect(next_url(request)), user.language)
    access.complete_sign_in(request, response, user, means="password", now=clock.now())
    return response


def _render_refusal(request: HttpRequest, refusal: Exception) -> HttpResponse:
    """Render the sign-in page again with a problem; the password has to be typed anew."""
    status = 422
    # One text for both: a wrong password must not tell that the user exists.
    text = _("The user or the password is not right.")
    if isinstance(refusal, access.SignInWaits):
        status = 429
        text = _("Too many failed attempts. Wait %(minutes)s minutes and try again.") % {"minutes": refusal.minutes}
    elif isinstance(refusal, access.PasswordNotTaken):
        text = _("The password is right, but you sign in through your company: use the button below.")
    again = request.user.get_username() if request.user.is_authenticated else ""
    context = {
        "problem": text,
        "username": request.POST.get("username", ""),
        "next": request.POST.get("next", ""),
        "again": again,
    }
    return render_door(request, context, status=status)


def render_door(request: HttpRequest, context: Mapping[str, object], *, status: int = 200) -> HttpResponse:
    """Render the sign-in page, with the way through the company's provider where there is one."""
    provider = find_enabled()
    # Who may not go there, having to prove it again as a user that the provider does not know, is not sent there.
    is_known = not isinstance(request.user, User) or is_linked(request.user)
    offered = provider if is_known else None
    response = render(request, "console/session/sign_in.html", {**context, "provider": offered}, status=status)
    return allow_provider(response, offered)


def allow_provider(response: HttpResponse, provider: ProviderSettings | None) -> HttpResponse:
    """Let the forms of one page lead to the provider: browsers stop a form whose answer leads to another site."""
    if provider is not None:
        # What django-csp's decorator sets, which knows no values of a request.
        response._csp_update = {"form-action": [provider.authorization_origin]}  # type: ignore[attr-defined]  # noqa: SLF001
    return response


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; whoever came in through the company's provider is still signed in there, and is told."""
    is_by_provider = access.means_of(request).startswith(access.BY_PROVIDER)
    access.sign_out(request, now=clock.now())
    return redirect("console:signed-out" if is_by_provider else settings.LOGOUT_REDIRECT_URL)


@login_not_required
@never_cache
@require_GET
def show_signed_out(request: HttpRequest) -> HttpResponse:
    """Say that the session has ended, and how to end the provider's too."""
    context = {"provider": find_enabled(), "address": sign_out_address()}
    return render(request, "console/session/signed_out.html", context)


@login_not_required
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Switch the language of the screens and remember it with the user."""
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        return redirect(next_url(request))
    if isinstance(request.user, User):
        operations.set_language(user=request.user, language=language)
    return remember_language(redirect(next_url(request)), language)


def remember_language(response: HttpResponse, language_code: str) -> HttpResponse:
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


def next_url(request: HttpRequest) -> str:
    """Return the page to open next: the one asked for, unless it is another site's or no page."""
    url = request.POST.get("next", "")
    is_own = url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    # A text without a slash would be taken for the name of a view.
    return url if is_own and url.startswith("/") else str(settings.LOGIN_REDIRECT_URL)


urlpatterns = [
    path("entrar/", sign_in, name="sign-in"),
    path("salir/", sign_out, name="sign-out"),
    path("salir/hecho/", show_signed_out, name="signed-out"),
    path("idioma/", choose_language, name="language"),
]
