"""Second factors of one's own account, and their end by who manages users."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recobra.access import second_factor, sessions
from recobra.access.notices import Notice
from recobra.access.queries import User
from recobra.access.roles import Right
from recobra.approvals.account_access import AccessWaits
from recobra.approvals.account_access import reset_factors as reset
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, freshly, needs
from recobra.kit import clock
from recobra.kit.encryption import Undecryptable, decrypt_text, encrypt_text

from .users.links import mail_change

# Where the session keeps an authenticator's secret that is being set up, and recovery codes until they are shown.
_SECRET: Final = "totp_secret"  # noqa: S105 - a name
_CODES: Final = "recovery_codes"


@sensitive_post_parameters("code")
@never_cache
@require_http_methods(["GET", "POST"])
@freshly
def add_totp(request: StaffRequest) -> HttpResponse:
    """Show the secret of a new authenticator, or add the one whose code was typed."""
    secret = _read_encrypted(request, _SECRET)
    if not secret:
        secret = second_factor.draw_totp_secret()
        request.session[_SECRET] = encrypt_text(secret, context=_SECRET)
    problem = ""
    if request.method == "POST":
        try:
            codes = second_factor.add_totp(
                request.user, secret=secret, code=request.POST.get("code", ""), now=clock.now()
            )
        except second_factor.FactorRefused:
            problem = _("The code is not right. Check the clock of the telephone and type the next one.")
        else:
            del request.session[_SECRET]
            return _show_added(request, codes)
    groups = [secret[start : start + 4] for start in range(0, len(secret), 4)]
    context = {"problem": problem, "groups": groups}
    return render(request, "console/account/totp.html", context, status=422 if problem else 200)


@never_cache
@require_GET
@freshly
def draw_totp_code(request: StaffRequest) -> HttpResponse:
    """Draw the secret of a new authenticator for its camera."""
    picture = second_factor.draw_totp_picture(request.user, _read_encrypted(request, _SECRET))
    return HttpResponse(picture, content_type="image/svg+xml")


def _read_encrypted(request: StaffRequest, name: str) -> str:
    """Return what the session keeps by a name, '' for nothing: a dump shows the session, not what is in it."""
    try:
        return decrypt_text(request.session.get(name, ""), context=name)
    except Undecryptable:  # the key was destroyed meanwhile
        return ""


@sensitive_post_parameters("credential")
@never_cache
@require_http_methods(["GET", "POST"])
@freshly
def add_passkey(request: StaffRequest) -> HttpResponse:
    """Ask the browser for a new passkey, or add the one it has made."""
    problem = ""
    if request.method == "POST":
        credential, name = request.POST.get("credential", ""), request.POST.get("name", "")
        try:
            codes = second_factor.add_passkey(request.user, credential=credential, name=name, now=clock.now())
        except second_factor.FactorRefused:
            problem = _("The passkey could not be added. Try it once more.")
        else:
            return _show_added(request, codes)
    context = {"problem": problem, "options": second_factor.begin_passkey(request.user)}
    return render(request, "console/account/passkey.html", context, status=422 if problem else 200)


@never_cache
@require_http_methods(["GET", "POST"])
@freshly
def show_recovery_codes(request: StaffRequest) -> HttpResponse:
    """Make new recovery codes, or show those that were just made, this once."""
    if request.method == "POST":
        try:
            codes = second_factor.draw_recovery_codes(request.user, now=clock.now())
        except second_factor.FactorRefused:
            return redirect("console:account")
        return _lead_to_codes(request, codes)
    kept = _read_encrypted(request, _CODES)
    if not kept:
        messages.info(request, _("Recovery codes are shown once. If you have not kept them, make new ones."))
        return redirect("console:account")
    del request.session[_CODES]
    return render(request, "console/account/recovery.html", {"codes": kept.split()})


def _lead_to_codes(request: StaffRequest, codes: list[str]) -> HttpResponse:
    """Lead to the page of new codes: one that is loaded again must not send the form again."""
    request.session[_CODES] = encrypt_text(" ".join(codes), context=_CODES)
    return redirect("console:factor-recovery")


@require_POST
@freshly
def remove_factor(request: StaffRequest, factor_id: int) -> HttpResponse:
    """Remove a second factor of the user's own."""
    try:
        second_factor.remove_factor(request.user, factor_id=factor_id, now=clock.now())
    except second_factor.FactorRefused as refused:
        raise Http404 from refused
    sessions.end_own_sessions(current_key=request.session.session_key, actor=actor_of(request))
    messages.success(request, _("The second factor is gone. Sessions elsewhere have ended."))
    return redirect("console:account")


@require_POST
@needs(Right.MANAGE_USERS)
@freshly
def reset_factors(request: StaffRequest, user_id: int) -> HttpResponse:
    """Take all second factors away from somebody who has lost them."""
    person = User.objects.get(pk=user_id)
    try:
        reset(user=person, actor=actor_of(request))
    except AccessWaits as waits:
        messages.success(request, str(waits))
    else:
        messages.success(request, _("The second factors are gone; the person sets up new ones at the next sign-in."))
        mail_change(request, person, change=Notice.Kind.FACTORS_RESET, recipient=person.email)
    return redirect("console:user-sessions", user_id)


def _show_added(request: StaffRequest, codes: list[str]) -> HttpResponse:
    """End the sessions elsewhere, and lead to the recovery codes where there are new ones."""
    sessions.end_own_sessions(current_key=request.session.session_key, actor=actor_of(request))
    messages.success(request, _("The second factor is set up. Sessions elsewhere have ended."))
    return _lead_to_codes(request, codes) if codes else redirect("console:account")


urlpatterns = [
    path("mi-cuenta/aplicacion/", add_totp, name="factor-totp"),
    path("mi-cuenta/aplicacion/codigo.svg", draw_totp_code, name="factor-totp-code"),
    path("mi-cuenta/llave/", add_passkey, name="factor-passkey"),
    path("mi-cuenta/codigos/", show_recovery_codes, name="factor-recovery"),
    path("mi-cuenta/segundo-factor/<int:factor_id>/quitar/", remove_factor, name="factor-remove"),
    path("usuarios/<int:user_id>/segundo-factor/quitar/", reset_factors, name="user-factors-reset"),
]
