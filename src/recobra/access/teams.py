"""Teams: who works together, and who leads them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from recobra.journal.operations import record_fact

from .actors import Actor
from .facts import TeamDissolved, TeamSaved
from .models import Team as Team  # noqa: PLC0414 - the doors name the type from here
from .models import User
from .permissions import consequence, requires
from .roles import Right, has_right, roles_with

NAME_LENGTH_MAX: Final = 60


class TeamRefused(Exception):
    """The team cannot be kept so; the text says why."""


class TeamChanged(TeamRefused):
    """Somebody has changed the team since the form was opened."""


@requires(Right.MANAGE_USERS)
@transaction.atomic
def save_team(
    *,
    team_id: int | None,
    name: str,
    supervisor_id: int | None,
    member_ids: Collection[int],
    seen: str | None = None,
    actor: Actor,
) -> Team:
    """Form a team, or change one. Whoever was in another team leaves it. Raises TeamRefused, Team.DoesNotExist.

    `seen` is the team's `mark_of` when the change was begun: what another person saved since is not written over.
    """
    name = " ".join(name.split())
    if not name or len(name) > NAME_LENGTH_MAX:
        raise TeamRefused(_("A team needs a name of up to %(n)s letters.") % {"n": NAME_LENGTH_MAX})
    if Team.objects.filter(name__iexact=name).exclude(pk=team_id or 0).exists():
        raise TeamRefused(_("There is already a team «%(name)s».") % {"name": name})
    _check_supervisor(supervisor_id)
    # People before the team, as whoever changes or shuts out a person: also those who leave it.
    people = User.objects.select_for_update().filter(Q(pk__in=member_ids) | Q(team=team_id or 0))
    members = [user for user in people.order_by("pk") if user.pk in member_ids]
    if len(members) != len(set(member_ids)):
        raise TeamRefused(_("Somebody of the list is no user any more."))
    team = Team(name="") if team_id is None else Team.objects.select_for_update().get(pk=team_id)
    if seen is not None and seen != mark_of(team):
        raise TeamChanged(_("This team was changed while you were writing. Save again to put yours in its place."))
    before = _member_ids(team)
    is_renamed = team.name not in {"", name}
    supervisor_before = team.supervisor_id
    after = [member.pk for member in members]
    team.name = name
    team.supervisor_id = supervisor_id
    team.save()
    User.objects.filter(team=team).exclude(pk__in=after).update(team=None)
    User.objects.filter(pk__in=after).update(team=team)
    saved = TeamSaved(
        team_id=team.pk,
        is_renamed=is_renamed,
        supervisor_before=supervisor_before,
        supervisor_after=supervisor_id,
        members_before=before,
        members_after=after,
    )
    record_fact(saved, actor=actor)
    return team


def mark_of(team: Team) -> str:
    """Return a mark that is another one whenever the team was changed; the team may be a new one."""
    return f"{team.supervisor_id}:{_member_ids(team)}:{team.name}"


def _member_ids(team: Team) -> list[int]:
    return list(team.members.order_by("pk").values_list("pk", flat=True)) if team.pk else []


@requires(Right.MANAGE_USERS)
@transaction.atomic
def dissolve_team(*, team_id: int, actor: Actor) -> None:
    """Dissolve a team; its members are in none. Raises Team.DoesNotExist."""
    # People before the team, as in `save_team`.
    list(User.objects.select_for_update().filter(team=team_id).order_by("pk"))
    team = Team.objects.select_for_update().get(pk=team_id)
    members = _member_ids(team)
    dissolved = TeamDissolved(team_id=team.pk, supervisor_id=team.supervisor_id, members=members)
    team.delete()
    record_fact(dissolved, actor=actor)


@consequence
def replace_supervisor(user_id: int, successor_id: int | None, *, actor: Actor) -> None:
    """Give the teams that a person leads to a successor who may lead them, else to nobody; within a transaction."""
    successor = User.objects.filter(pk=successor_id or 0).first()
    if successor is None or not has_right(successor, Right.SEE_TEAM):
        successor = None
    for team in Team.objects.select_for_update().filter(supervisor=user_id).order_by("pk"):
        members = _member_ids(team)
        team.supervisor = successor
        team.save(update_fields=["supervisor"])
        saved = TeamSaved(
            team_id=team.pk,
            is_renamed=False,
            supervisor_before=user_id,
            supervisor_after=successor.pk if successor else None,
            members_before=members,
            members_after=members,
        )
        record_fact(saved, actor=actor)


def teams() -> list[Team]:
    """Return all teams by name, each with its supervisor and its members who are not shut out (`current_members`)."""
    return list(_with_members())


def teams_led_by(user: User) -> list[Team]:
    """Return the teams that a user leads, as `teams` does."""
    return list(_with_members().filter(supervisor=user))


def _with_members() -> QuerySet[Team]:
    # Who was invited and has not come in yet is a member too: else a team that was just formed would look empty.
    current = User.objects.filter(shut_out_at__isnull=True).order_by("username")
    members = Prefetch("members", current, to_attr="current_members")
    return Team.objects.select_related("supervisor").prefetch_related(members)


def possible_supervisors() -> list[User]:
    """Return the active users who may lead a team, by name."""
    return list(User.objects.filter(is_active=True, role__in=roles_with(Right.SEE_TEAM)).order_by("username"))


def _check_supervisor(supervisor_id: int | None) -> None:
    """Raise TeamRefused for somebody who may not lead a team."""
    if supervisor_id is None:
        return
    supervisor = User.objects.filter(pk=supervisor_id).first()
    if supervisor is None or not has_right(supervisor, Right.SEE_TEAM):
        raise TeamRefused(_("A team is led by somebody whose role sees the team's work."))
