"""Usuarios: the list, a new user, and one user with everything that is decided about him or her."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from recobra.access import users
from recobra.access.notices import Notice, unseen_notices
from recobra.access.password_links import invite_user, open_link_of
from recobra.access.queries import State, list_staff, portfolio_codes, state_of
from recobra.access.roles import DefinedRole, Right, defined_roles, has_right
from recobra.access.teams import teams, teams_led_by
from recobra.access.users import UserDetails, UserRefused
from recobra.approvals.account_access import asked_about
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.screens.place import installation_place

from .form import form_context, read_details
from .links import deliver_link, mail_change
from .row import describe_user


@require_GET
@needs(Right.MANAGE_USERS)
def list_users(request: StaffRequest) -> HttpResponse:
    """List the users (`?q=`, `?rol=`, `?equipo=`, `?estado=`), and what the administrator was not told yet."""
    roles = {role.code: role for role in defined_roles()}
    asked = {name: request.GET.get(name, "") for name in ("q", "rol", "equipo", "estado")}
    text = asked["q"].strip().casefold()
    rows = []
    usernames = {}
    for user in list_staff():
        usernames[user.pk] = user.username
        is_asked = (
            text in f"{user.username} {user.get_full_name()} {user.email}".casefold()
            and asked["rol"] in {"", user.role}
            and asked["equipo"] in {"", str(user.team_id)}
            and asked["estado"] in {"", state_of(user)}
        )
        if is_asked:
            rows.append(describe_user(user, roles))
    context = {
        "rows": rows,
        "asked": asked,
        "is_filtered": any(asked.values()),
        "roles": roles.values(),
        "teams": teams(),
        "states": list(State),
        "notices": [(notice, _name_subject(notice, usernames, roles)) for notice in unseen_notices(request.user)],
        "place": installation_place(),
    }
    return render(request, "console/users/index.html", context)


def _name_subject(notice: Notice, usernames: Mapping[int, str], roles: Mapping[str, DefinedRole]) -> str:
    """Return the name of the user or of the role that a notice is about."""
    if "user_id" in notice.params:
        return usernames.get(notice.params["user_id"], "")
    role = roles.get(notice.params.get("role", ""))
    return str(role.name) if role else ""


@require_http_methods(["GET", "POST"])
@needs(Right.MANAGE_USERS)
def create_user(request: StaffRequest) -> HttpResponse:
    """Show the form of a new user, and invite him or her: the link is sent, or shown this once."""
    details = UserDetails(role="GESTOR")
    errors: dict[str, str] = {}
    username = request.POST.get("username", "")
    if request.method == "POST":
        details = read_details(request.POST, details)
        actor = actor_of(request)
        try:
            user, token = invite_user(username=username, details=details, actor=actor)
        except UserRefused as refusal:
            errors = refusal.errors
        else:
            link = deliver_link(user, token, now=actor.now)
            return render(request, "console/users/link.html", {"links": [link]})
    context = form_context(request.user, details, errors) | {"username": username}
    return render(request, "console/users/new.html", context, status=422 if errors else 200)


@require_http_methods(["GET", "POST"])
@needs(Right.MANAGE_USERS)
def edit_user(request: StaffRequest, user_id: int) -> HttpResponse:
    """Show one user as a form, and save what was changed."""
    user = list_staff().get(pk=user_id)
    details = before = users.details_of(user)
    errors: dict[str, str] = {}
    if request.method == "POST":
        details = read_details(request.POST, details)
        try:
            users.change_user(user_id=user.pk, details=details, actor=actor_of(request))
        except UserRefused as refusal:
            errors = refusal.errors or {"": str(refusal)}
        else:
            if details.email != before.email:
                # To the address from before: the new one may be somebody else's.
                mail_change(request, user, change=Notice.Kind.ADDRESS_CHANGED, recipient=before.email)
            messages.success(request, _("Saved. It holds from the next page that this person opens."))
            return redirect("console:user", user.pk)
    context = form_context(request.user, details, errors) | {
        "person": user,
        "state": state_of(user),
        "codes": portfolio_codes(user),
        "link": open_link_of(user),
        "asked": asked_about(user),
        "may_decide": has_right(request.user, Right.DECIDE),
        "led_teams": teams_led_by(user),
        "is_own": user.pk == request.user.pk,
        "place": installation_place(),
    }
    return render(request, "console/users/detail.html", context, status=422 if errors else 200)


urlpatterns = [
    path("usuarios/", list_users, name="users"),
    path("usuarios/nuevo/", create_user, name="user-new"),
    path("usuarios/<int:user_id>/", edit_user, name="user"),
]
