"""One line of a list of people: who, with which role, and for which portfolios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recobra.access.queries import State, User, state_of
from recobra.access.roles import DefinedRole


@dataclass(frozen=True, kw_only=True)
class Row:
    """A member of staff as lists show one; `codes` None are all portfolios, `role` None is one that nobody defines."""

    user: User
    role: DefinedRole | None
    state: State
    codes: list[str] | None


def describe_user(user: User, roles: Mapping[str, DefinedRole]) -> Row:
    """Return the line of a user whose portfolios were read with many others'; `roles` are by code."""
    role = roles.get(user.role)
    sees_all = user.sees_all_portfolios or (role is not None and role.sees_all_portfolios)
    codes = None if sees_all else sorted(scope.portfolio_code for scope in user.scopes.all())
    return Row(user=user, role=role, state=state_of(user), codes=codes)
