"""Whose hand opened whose access lately: accounts that one person opened are one person, not two."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from recobra.journal.queries import audit_entries

from .facts import FactorsReset, PasswordLinkMade, RoleSaved, RoleSet, ScopeSet, UserCreated, UserLetIn, UserShutOut
from .models import User
from .roles import CRITICAL, Right, defined_roles, role_of, roles_with

LASTS: Final = timedelta(days=3)
"""How long whoever made an account, or a link to it, may still hold it: as long as an invitation is of use."""


def are_one_hand(one_id: int | None, other_id: int | None, *, right: Right, now: datetime) -> bool:
    """Tell if one person may hold both accounts: one opened the other lately, or somebody opened both.

    An account is opened by who made it, made a link for its password, took its second factors away, let it in, or gave
    it its right or its reach.
    """
    if one_id is None or other_id is None:
        return False
    openers = _openers(right, now)
    return bool(_hands(one_id, openers) & _hands(other_id, openers))


def has_removed_holder(user_id: int | None, *, right: Right, now: datetime) -> bool:
    """Tell if a person, or who opened that account, lately took a right from others: that leaves nobody alone."""
    if user_id is None:
        return False
    hands = _hands(user_id, _openers(right, now))
    kinds = (UserShutOut.kind, RoleSet.kind, RoleSaved.kind)
    holding = set(roles_with(right))
    for entry in audit_entries(portfolio_ids=None, kinds=kinds, since=now - LASTS, limit=None):
        if entry.actor_id not in hands:
            continue
        fact = entry.fact()
        if isinstance(fact, UserShutOut):
            is_removed = User.objects.filter(pk=fact.user_id, role__in=holding, is_active=False).exists()
        elif isinstance(fact, RoleSet):
            is_removed = fact.before in holding and fact.after not in holding
        else:
            assert isinstance(fact, RoleSaved)
            is_removed = right in (fact.rights_before or []) and right not in fact.rights_after
        if is_removed:
            return True
    return False


def is_critical_account(user: User, *, now: datetime) -> bool:
    """Tell if a user manages users or decides about critical changes, or did so lately.

    Who takes such a role away, takes the account over and gives the role back has taken over all of it.
    """
    if role_of(user).rights & CRITICAL:
        return True
    critical_roles = {role.code for role in defined_roles() if role.rights & CRITICAL}
    roles = {user.role}
    for entry in audit_entries(portfolio_ids=None, kinds=(RoleSet.kind, RoleSaved.kind), since=now - LASTS, limit=None):
        fact = entry.fact()
        if isinstance(fact, RoleSaved) and CRITICAL & set(fact.rights_before or []):
            critical_roles.add(fact.role)
        elif isinstance(fact, RoleSet) and fact.user_id == user.pk:
            roles.add(fact.before)
    return not roles.isdisjoint(critical_roles)


def is_opened_since(user_id: int, instant: datetime, *, by: type[PasswordLinkMade | FactorsReset]) -> bool:
    """Tell if a link for a user's password was made, or the second factors were taken away, after an instant."""
    entries = audit_entries(portfolio_ids=None, kinds=(by.kind,), since=instant, limit=None)
    facts = [entry.fact() for entry in entries]
    return any(isinstance(fact, by) and fact.user_id == user_id for fact in facts)


def _openers(right: Right, now: datetime) -> dict[int, set[int]]:
    """Return by account who opened it lately."""
    opening = (UserCreated, PasswordLinkMade, FactorsReset, UserLetIn, RoleSet, ScopeSet, RoleSaved)
    kinds = [fact.kind for fact in opening]
    openers: dict[int, set[int]] = {}
    for entry in audit_entries(portfolio_ids=None, kinds=kinds, since=now - LASTS, limit=None):
        if entry.actor_id is None:
            continue
        fact = entry.fact()
        if isinstance(fact, RoleSaved):
            is_given = right in fact.rights_after and right not in (fact.rights_before or [])
            opened = list(User.objects.filter(role=fact.role).values_list("pk", flat=True)) if is_given else []
        else:
            assert isinstance(fact, UserCreated | PasswordLinkMade | FactorsReset | UserLetIn | RoleSet | ScopeSet)
            opened = [fact.user_id]
        for user_id in opened:
            openers.setdefault(user_id, set()).add(entry.actor_id)
    return openers


def _hands(user_id: int, openers: dict[int, set[int]]) -> set[int]:
    """Return an account with who opened it, who opened that one, and so on."""
    hands: set[int] = set()
    waiting = {user_id}
    while waiting:
        hands |= waiting
        waiting = {opener for known in waiting for opener in openers.get(known, ())} - hands
    return hands
