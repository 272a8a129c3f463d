"""Read access to users: their scope and their saved views."""

from __future__ import annotations

from .models import Role, SavedView
from .models import User as User  # noqa: PLC0414 - the doors name the type from here, never from the tables

ALL_PORTFOLIOS_ROLES = (Role.MANAGER, Role.ADMINISTRATOR, Role.AUDITOR)


def portfolio_codes(user: User) -> frozenset[str] | None:
    """Return the codes of the portfolios a user may see; None means all of them."""
    if not user.is_active:
        return frozenset()
    if user.sees_all_portfolios or user.role in ALL_PORTFOLIOS_ROLES:
        return None
    return frozenset(user.scopes.values_list("portfolio_code", flat=True))


def has_active_user() -> bool:
    """Return whether any user can sign in."""
    return User.objects.filter(is_active=True).exists()


def saved_views(user: User, screen: str) -> list[SavedView]:
    """Return the user's own saved views of a screen, by name."""
    return list(SavedView.objects.filter(user=user, screen=screen))
