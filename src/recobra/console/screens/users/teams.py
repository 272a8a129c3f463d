"""Equipos: who works together, who leads them, and a supervisor's own people."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recobra.access import teams
from recobra.access.queries import list_staff
from recobra.access.roles import Right, defined_roles
from recobra.access.teams import TeamChanged, TeamRefused
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_id

from .row import Row, describe_user


@require_GET
@needs(Right.MANAGE_USERS)
def list_teams(request: StaffRequest) -> HttpResponse:
    """List the teams with their supervisors and members."""
    return render(request, "console/teams/index.html", {"teams": teams.teams()})


@require_http_methods(["GET", "POST"])
@needs(Right.MANAGE_USERS)
def create_team(request: StaffRequest) -> HttpResponse:
    """Show the form of a new team, and form it."""
    return _edit(request, None)


@require_http_methods(["GET", "POST"])
@needs(Right.MANAGE_USERS)
def edit_team(request: StaffRequest, team_id: int) -> HttpResponse:
    """Show a team as a form, and save it."""
    return _edit(request, teams.Team.objects.get(pk=team_id))


@require_POST
@needs(Right.MANAGE_USERS)
def dissolve_team(request: StaffRequest, team_id: int) -> HttpResponse:
    """Dissolve a team; its members are in none."""
    teams.dissolve_team(team_id=team_id, actor=actor_of(request))
    messages.success(request, _("The team is dissolved; its members are in none."))
    return redirect("console:teams")


@require_GET
@needs(Right.SEE_TEAM)
def show_own_teams(request: StaffRequest) -> HttpResponse:
    """Show a supervisor the members of the teams that he or she leads."""
    roles = {role.code: role for role in defined_roles()}
    led: dict[int | None, tuple[teams.Team, list[Row]]]
    led = {team.pk: (team, []) for team in teams.teams_led_by(request.user)}
    for member in list_staff().filter(team__in=led, is_active=True):
        led[member.team_id][1].append(describe_user(member, roles))
    return render(request, "console/teams/own.html", {"led": led.values()})


def _edit(request: StaffRequest, team: teams.Team | None) -> HttpResponse:
    """Show the form of a team, and save it; `team` is None for a new one."""
    name = team.name if team else ""
    supervisor_id = team.supervisor_id if team else None
    member_ids = set(team.members.values_list("pk", flat=True)) if team else set()
    seen: str | None = teams.mark_of(team) if team else None
    problem = ""
    if request.method == "POST":
        name, seen = request.POST.get("name", ""), request.POST.get("seen")
        supervisor_id = parse_id(request.POST.get("supervisor_id", ""))
        sent = [parse_id(text) for text in request.POST.getlist("members")]
        member_ids = {number for number in sent if number is not None}
        try:
            teams.save_team(
                team_id=team.pk if team else None,
                name=name,
                supervisor_id=supervisor_id,
                member_ids=member_ids,
                seen=seen,
                actor=actor_of(request),
            )
        except TeamRefused as refusal:
            problem = str(refusal)
            if team and isinstance(refusal, TeamChanged):
                seen = teams.mark_of(team)
        else:
            messages.success(request, _("The team was saved."))
            return redirect("console:teams")
    context = {
        "team": team,
        "name": name,
        "supervisor_id": supervisor_id,
        "member_ids": member_ids,
        "seen": seen,
        "people": list_staff().filter(shut_out_at__isnull=True),
        "supervisors": teams.possible_supervisors(),
        "problem": problem,
    }
    return render(request, "console/teams/form.html", context, status=422 if problem else 200)


urlpatterns = [
    path("equipos/", list_teams, name="teams"),
    path("equipos/nuevo/", create_team, name="team-new"),
    path("equipos/<int:team_id>/", edit_team, name="team"),
    path("equipos/<int:team_id>/disolucion/", dissolve_team, name="team-dissolve"),
    path("mi-equipo/", show_own_teams, name="own-team"),
]
