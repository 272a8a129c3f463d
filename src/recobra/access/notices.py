"""What administrators are told about each other's changes of rights, until they have seen it."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from .actors import Actor
from .models import Notice as Notice  # noqa: PLC0414 - the doors name the type from here
from .models import User
from .permissions import consequence, requires
from .roles import Right, roles_with


@consequence
def tell_administrators(kind: Notice.Kind, params: dict[str, str | int], *, actor: Actor) -> None:
    """Leave a notice with everybody who manages users, but the actor and the user whom it is about.

    Belongs into the transaction of the change.
    """
    holders = User.objects.filter(is_active=True, role__in=roles_with(Right.MANAGE_USERS))
    others = holders.exclude(pk__in=[actor.user_id or 0, params.get("user_id", 0)])
    Notice.objects.bulk_create(
        Notice(user=user, kind=kind, params=params, made_by=actor.name, made_at=actor.now) for user in others
    )


def unseen_notices(user: User) -> QuerySet[Notice]:
    """Return what a user has not seen yet, the latest first."""
    return Notice.objects.filter(user=user, seen_at__isnull=True)


@requires(Right.MANAGE_USERS)
@transaction.atomic
def mark_notices_seen(*, actor: Actor) -> None:
    """Note that the actor has seen his or her notices."""
    Notice.objects.filter(user=actor.user_id, seen_at__isnull=True).update(seen_at=actor.now)
