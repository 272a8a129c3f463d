"""Read access to users: their scope and their saved views."""

from __future__ import annotations

from enum import StrEnum

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Q, QuerySet

from recobra.journal.actor import Service

from .models import SavedView
from .models import User as User  # noqa: PLC0414 - the doors name the type from here, never from the tables
from .roles import Right, defined_roles, role_of, roles_with


def portfolio_codes(user: User) -> frozenset[str] | None:
    """Return the codes of the portfolios a user may see; None means all of them."""
    if not user.is_active:
        return frozenset()
    if user.sees_all_portfolios or role_of(user).sees_all_portfolios:
        return None
    return frozenset(scope.portfolio_code for scope in user.scopes.all())


def has_other_holder(right: Right, *, name: str, user_id: int | None, portfolio_code: str = "") -> bool:
    """Return whether anybody but one person holds a right, over a portfolio where one is named.

    The person is known by name or by account, as the journal knows people.
    """
    roles = [role for role in defined_roles() if right in role.rights]
    others = User.objects.filter(is_active=True, role__in=[role.code for role in roles]).exclude(username=name)
    if user_id is not None:
        others = others.exclude(pk=user_id)
    if portfolio_code:
        sees_it = Q(sees_all_portfolios=True) | Q(role__in=[role.code for role in roles if role.sees_all_portfolios])
        others = others.filter(sees_it | Q(scopes__portfolio_code=portfolio_code))
    return others.exists()


def password_administrators() -> QuerySet[User]:
    """Return who is active, manages users and has a password: comes in also while the company's provider fails."""
    holders = User.objects.filter(is_active=True, role__in=roles_with(Right.MANAGE_USERS))
    return holders.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)


def has_password_administrator() -> bool:
    """Return whether anybody manages users and comes in with a password."""
    return password_administrators().exists()


def find_user_id(name: str) -> int | None:
    """Return the account of a name, None where there is none of that name any more."""
    return User.objects.filter(username=name).values_list("pk", flat=True).first()


class State(StrEnum):
    """Whether a user may come in."""

    ACTIVE = "active"
    INVITED = "invited"
    SHUT_OUT = "shut_out"


def state_of(user: User) -> State:
    """Return whether a user may come in, was invited and is not in yet, or was shut out."""
    if user.is_active:
        return State.ACTIVE
    # Somebody with a password who is not active was shut out before there was a day for it.
    is_invited = user.shut_out_at is None and not user.has_usable_password()
    return State.INVITED if is_invited else State.SHUT_OUT


def list_staff() -> QuerySet[User]:
    """Return every user with team and portfolios, by name."""
    return User.objects.select_related("team").prefetch_related("scopes").order_by("username")


def is_actor_name(name: str) -> bool:
    """Tell if a user has the name, or a service acts under it."""
    return name in set(map(str, Service)) or User.objects.filter(username=name).exists()


def has_active_user() -> bool:
    """Return whether any user can sign in."""
    return User.objects.filter(is_active=True).exists()


def saved_views(user: User, screen: str) -> list[SavedView]:
    """Return the user's own saved views of a screen, by name."""
    return list(SavedView.objects.filter(user=user, screen=screen))
