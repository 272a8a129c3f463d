"""What is done about one user: a link for a password, shutting out, letting in; and notices that were seen."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recobra.access import users
from recobra.access.notices import mark_notices_seen
from recobra.access.queries import State, list_staff, state_of
from recobra.access.roles import Right
from recobra.access.teams import teams_led_by
from recobra.access.users import UserRefused
from recobra.approvals.account_access import AccessWaits, make_password_link
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, freshly, needs
from recobra.console.parameters import parse_id
from recobra.conversations.queries import count_open_conversations_of
from recobra.workbench.visit_queries import count_open_visits_of

from .links import deliver_link


@require_POST
@needs(Right.MANAGE_USERS)
@freshly
def make_link(request: StaffRequest, user_id: int) -> HttpResponse:
    """Make a link by which a user sets an own password; it is sent, or shown this once where it cannot be."""
    actor = actor_of(request)
    try:
        user, token = make_password_link(user_id=user_id, actor=actor)
    except AccessWaits as waits:
        messages.success(request, str(waits))
        return redirect("console:user", user_id)
    except UserRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("console:user", user_id)
    return render(request, "console/users/link.html", {"links": [deliver_link(user, token, now=actor.now)]})


@require_http_methods(["GET", "POST"])
@needs(Right.MANAGE_USERS)
def shut_out(request: StaffRequest, user_id: int) -> HttpResponse:
    """Show the open work of a user and who could take it over; shut the user out."""
    user = list_staff().get(pk=user_id)
    problem = ""
    if request.method == "POST":
        successor_id = parse_id(request.POST.get("hand_to", ""))
        try:
            users.shut_out_user(user_id=user.pk, hand_to_id=successor_id, actor=actor_of(request))
        except UserRefused as refusal:
            problem = str(refusal)
        else:
            messages.success(request, _("«%(name)s» is shut out; the sessions have ended.") % {"name": user.username})
            return redirect("console:user", user.pk)
    context = {
        "person": user,
        "problem": problem,
        "is_out": state_of(user) == State.SHUT_OUT,
        "conversations": count_open_conversations_of(user),
        "visits": count_open_visits_of(user),
        "led_teams": teams_led_by(user),
        "colleagues": list_staff().filter(is_active=True).exclude(pk=user.pk),
    }
    return render(request, "console/users/shut_out.html", context, status=422 if problem else 200)


@require_POST
@needs(Right.MANAGE_USERS)
def let_in(request: StaffRequest, user_id: int) -> HttpResponse:
    """Let a user in again."""
    try:
        user = users.let_user_in(user_id=list_staff().get(pk=user_id).pk, actor=actor_of(request))
    except UserRefused as refusal:
        messages.error(request, str(refusal))
    else:
        if user.is_active:
            messages.success(request, _("«%(name)s» may come in again.") % {"name": user.username})
        else:
            messages.success(request, _("«%(name)s» was never in: make a new link.") % {"name": user.username})
    return redirect("console:user", user_id)


@require_POST
@needs(Right.MANAGE_USERS)
def see_notices(request: StaffRequest) -> HttpResponse:
    """Note that the administrator has seen what the others changed."""
    mark_notices_seen(is_own=False, actor=actor_of(request))
    return redirect("console:users")


urlpatterns = [
    path("usuarios/avisos/", see_notices, name="users-notices"),
    path("usuarios/<int:user_id>/enlace/", make_link, name="user-link"),
    path("usuarios/<int:user_id>/baja/", shut_out, name="user-shut-out"),
    path("usuarios/<int:user_id>/reincorporacion/", let_in, name="user-let-in"),
]
