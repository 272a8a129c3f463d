"""Mi cuenta: what a user signs in with, and where he or she is signed in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recobra.access import passwords, second_factor, sessions, sign_in
from recobra.access.notices import Notice, mark_notices_seen
from recobra.access.queries import User
from recobra.access.roles import Right, has_right
from recobra.approvals.account_access import asked_about
from recobra.console.actions import actor_of
from recobra.console.agents import describe_agent
from recobra.console.guard import StaffRequest, freshly, needs
from recobra.kit import clock
from recobra.sign_on.people import unlink
from recobra.sign_on.queries import find_enabled, is_linked

from .own_notices import describe_own_notices
from .place import installation_place
from .session import allow_provider
from .users.links import mail_change


class PasswordForm(forms.Form):
    """The password a user has, and the one he or she wants."""

    current = forms.CharField(label=gettext_lazy("Password you have now"), strip=False)
    new = forms.CharField(label=gettext_lazy("New password"), strip=False)
    repeated = forms.CharField(label=gettext_lazy("New password once more"), strip=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, field in self.fields.items():
            remembered = "current-password" if name == "current" else "new-password"
            field.widget = forms.PasswordInput(attrs={"class": "form-control", "autocomplete": remembered})

    def clean(self) -> dict[str, Any]:
        """Return the fields; the new password must have been typed twice alike."""
        fields = super().clean() or {}
        if fields.get("new") != fields.get("repeated"):
            self.add_error("repeated", _("The two are not the same."))
        return fields


@require_GET
def show_account(request: StaffRequest) -> HttpResponse:
    """Show what the user signs in with, and the sessions that are open."""
    factors = second_factor.factors_of(request.user)
    has_proved_factor = sign_in.means_of(request) == sign_in.FACTOR_BY_PROVIDER
    provider = find_enabled()
    has_link = provider is not None and is_linked(request.user)
    context = _list_sessions(request, request.user) | {
        "end_url": reverse("console:own-sessions-end"),
        "factors": factors,
        "has_totp": any(factor.type == "totp" for factor in factors),
        "must_set_up": not has_proved_factor and second_factor.must_set_up(request.user),
        "provider": provider,
        "is_linked": has_link,
        "recovery_codes": second_factor.count_recovery_codes(request.user),
        "own_notices": describe_own_notices(request.user),
    }
    # Who is linked has no form there that leads to the provider.
    return allow_provider(render(request, "console/account/index.html", context), None if has_link else provider)


def _list_sessions(request: StaffRequest, user: User) -> dict[str, object]:
    """Return the context of the list of a user's sessions."""
    opened = sessions.open_sessions(user, current_key=request.session.session_key)
    return {
        "sessions": [(each, describe_agent(each.agent)) for each in opened],
        "idle_minutes": settings.SESSION_IDLE_MINUTES,
        "absolute_hours": settings.SESSION_HOURS,
        "place": installation_place(),
    }


@sensitive_post_parameters("current", "new", "repeated")
@require_http_methods(["GET", "POST"])
def change_password(request: StaffRequest) -> HttpResponse:
    """Let a user choose another password; the sessions elsewhere end."""
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _change_password(request, form):
        messages.success(request, _("You have a new password. Sessions elsewhere have ended."))
        return redirect("console:account")
    context = {"form": form, "rules": password_validators_help_texts()}
    status = 422 if form.errors else 200
    return render(request, "console/account/password.html", context, status=status)


def _change_password(request: StaffRequest, form: PasswordForm) -> bool:
    """Change the password; return False with the reason in the form where it is refused."""
    user, now = request.user, clock.now()
    try:
        sign_in.check_password(request, name=user.username, password=form.cleaned_data["current"], now=now)
        passwords.change_own_password(user, form.cleaned_data["new"], now=now)
    except sign_in.SignInWaits as waits:
        text = _("Too many failed attempts. Wait %(minutes)s minutes and try again.")
        form.add_error("current", text % {"minutes": waits.minutes})
    except sign_in.PasswordNotTaken:
        form.add_error("current", _("You sign in through your company: your password is not in use."))
    except sign_in.SignInRefused:
        form.add_error("current", _("This is not the password that you have now."))
    except ValidationError as error:
        form.add_error("new", error)
    else:
        user.refresh_from_db()
        sign_in.begin_session(request, user, means=sign_in.means_of(request), now=now)
        return True
    return False


@require_POST
@freshly
def end_sessions(request: StaffRequest) -> HttpResponse:
    """End one session of the user, or all but this one."""
    count = sessions.end_own_sessions(
        current_key=request.session.session_key, session_id=request.POST.get("session", ""), actor=actor_of(request)
    )
    _say_ended(request, count)
    return redirect("console:account")


def _say_ended(request: StaffRequest, count: int) -> None:
    text = ngettext("%(count)s session has ended.", "%(count)s sessions have ended.", count)
    messages.success(request, text % {"count": count})


@require_POST
def see_own_notices(request: StaffRequest) -> HttpResponse:
    """Note that the user has seen what others changed of the own account."""
    mark_notices_seen(is_own=True, actor=actor_of(request))
    return redirect("console:account")


@require_GET
@needs(Right.MANAGE_USERS)
def show_sessions(request: StaffRequest, user_id: int) -> HttpResponse:
    """Show where another user is signed in."""
    person = User.objects.get(pk=user_id)
    context = _list_sessions(request, person) | {
        "person": person,
        "has_factor": second_factor.has_factor(person),
        "asked": asked_about(person),
        "may_decide": has_right(request.user, Right.DECIDE),
        "is_linked": is_linked(person),
        "end_url": reverse("console:user-sessions-end", args=[user_id]),
    }
    return render(request, "console/account/of_user.html", context)


@require_POST
@needs(Right.MANAGE_USERS)
@freshly
def end_sessions_of_user(request: StaffRequest, user_id: int) -> HttpResponse:
    """End one session of another user, or all."""
    person = User.objects.get(pk=user_id)
    count = sessions.end_sessions(user=person, session_id=request.POST.get("session", ""), actor=actor_of(request))
    _say_ended(request, count)
    return redirect("console:user-sessions", user_id)


@require_POST
@needs(Right.MANAGE_USERS)
@freshly
def unlink_user(request: StaffRequest, user_id: int) -> HttpResponse:
    """Forget by what the company's provider knows a user."""
    person = User.objects.get(pk=user_id)
    if unlink(user=person, actor=actor_of(request)):
        mail_change(request, person, change=Notice.Kind.IDENTITY_UNLINKED, recipient=person.email)
        messages.success(request, _("The link is removed, and the sessions have ended."))
    return redirect("console:user-sessions", user_id)


urlpatterns = [
    path("mi-cuenta/", show_account, name="account"),
    path("mi-cuenta/contrasena/", change_password, name="own-password"),
    path("mi-cuenta/avisos/", see_own_notices, name="own-notices"),
    path("mi-cuenta/sesiones/cerrar/", end_sessions, name="own-sessions-end"),
    path("usuarios/<int:user_id>/sesiones/", show_sessions, name="user-sessions"),
    path("usuarios/<int:user_id>/sesiones/cerrar/", end_sessions_of_user, name="user-sessions-end"),
    path("usuarios/<int:user_id>/vinculo/quitar/", unlink_user, name="user-unlink"),
]
