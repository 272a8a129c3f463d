"""What people are told about accounts that others changed: their own, and those that they manage; until seen."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from .actors import Actor
from .models import Notice as Notice  # noqa: PLC0414 - the doors name the type from here
from .models import User
from .permissions import consequence
from .roles import Right, roles_with

Kind = Notice.Kind
OWN_TEXTS: Final = {
    Kind.ROLE_GIVEN: _("You were given another role."),
    Kind.LINK_MADE: _("A link to set a new password for your account was made."),
    Kind.PASSWORD_SET: _("The password of your account was set on the server."),
    Kind.FACTORS_RESET: _("The second factors of your account were taken away."),
    Kind.ADDRESS_CHANGED: _("The e-mail of your account was changed."),
    Kind.SESSIONS_ENDED: _("Sessions of your account were ended."),
    Kind.IDENTITY_LINKED: _("Your account was linked with the company's sign-in."),
    Kind.IDENTITY_UNLINKED: _("The link of your account with the company's sign-in was removed."),
}
"""What the person reads whose account it is."""


@consequence
def tell_administrators(kind: Notice.Kind, params: dict[str, str | int], *, actor: Actor) -> None:
    """Leave a notice with everybody who manages users, but the actor and the user whom it is about.

    Belongs into the transaction of the change.
    """
    holders = User.objects.filter(is_active=True, role__in=roles_with(Right.MANAGE_USERS))
    others = holders.exclude(pk__in=[actor.user_id or 0, params.get("user_id", 0)])
    _leave(kind, params, others.values_list("pk", flat=True), actor)


@consequence
def tell_owner(kind: Notice.Kind, user_id: int, *, actor: Actor) -> None:
    """Leave a notice of `OWN_TEXTS` with the user whose account somebody else changed; within the transaction."""
    if user_id != actor.user_id:
        _leave(kind, {"user_id": user_id}, [user_id], actor)


@consequence
def tell_about_account(kind: Notice.Kind, user_id: int, *, actor: Actor) -> None:
    """Tell the owner of an account and everybody who manages users, but the actor; within the transaction."""
    tell_owner(kind, user_id, actor=actor)
    tell_administrators(kind, {"user_id": user_id}, actor=actor)


def unseen_notices(user: User) -> QuerySet[Notice]:
    """Return what a user who manages users has not seen yet about other accounts, the latest first."""
    return Notice.objects.filter(user=user, seen_at__isnull=True).exclude(_about(user.pk))


def own_notices(user: User) -> QuerySet[Notice]:
    """Return what a user has not seen yet about the own account, the latest first."""
    return Notice.objects.filter(_about(user.pk), user=user, seen_at__isnull=True)


@consequence
@transaction.atomic
def mark_notices_seen(*, is_own: bool, actor: Actor) -> None:
    """Note that the actor has seen what was told about the own account, or about the others."""
    assert actor.user_id is not None, "a service is told nothing"
    about = _about(actor.user_id)
    notices = Notice.objects.filter(about if is_own else ~about, user=actor.user_id, seen_at__isnull=True)
    notices.update(seen_at=actor.now)


def _about(user_id: int) -> Q:
    return Q(params__contains={"user_id": user_id})


def _leave(kind: Notice.Kind, params: dict[str, str | int], user_ids: Collection[int], actor: Actor) -> None:
    Notice.objects.bulk_create(
        Notice(user_id=user_id, kind=kind, params=params, made_by=actor.name, made_at=actor.now) for user_id in user_ids
    )
