"""What a company changes of the roles: their rights, further roles, and roles that are no longer given."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recobra.journal.operations import record_fact

from .actors import Actor
from .facts import RoleRetired, RoleSaved
from .models import ROLE_CODE_LENGTH_MAX, CompanyRole, Notice, Role, User
from .notices import tell_administrators
from .permissions import requires
from .roles import GIVEABLE, RIGHTS, DefinedRole, Right, defined_roles
from .users import UserRefused, end_links, keep_administrator

NAME_LENGTH_MAX: Final = 60


class RoleRefused(Exception):
    """The role cannot be kept so; the text says why."""


@requires(Right.MANAGE_USERS)
@transaction.atomic
def create_role(
    *,
    name: str,
    rights: Collection[str],
    sees_all_portfolios: bool,
    requires_second_factor: bool,
    actor: Actor,
) -> DefinedRole:
    """Define a role of the company's own. Raises RoleRefused."""
    name = _check_name(name, code="")
    given = _check_rights(rights)
    code = slugify(name).upper().replace("-", "_")[:ROLE_CODE_LENGTH_MAX]
    if not code or any(role.code == code for role in defined_roles()):
        raise RoleRefused(_("There is already a role «%(name)s».") % {"name": name})
    CompanyRole.objects.create(
        code=code,
        name=name,
        rights=given,
        sees_all_portfolios=sees_all_portfolios,
        requires_second_factor=requires_second_factor,
    )
    role = find_role(code)
    _record(None, role, actor)
    return role


@requires(Right.MANAGE_USERS)
@transaction.atomic
def change_role(
    *,
    code: str,
    name: str,
    rights: Collection[str],
    sees_all_portfolios: bool,
    requires_second_factor: bool,
    actor: Actor,
) -> DefinedRole:
    """Change a role for everybody who has it, at once. Raises RoleRefused.

    A built-in role keeps its name; with the rights as delivered it follows those of later releases again.
    """
    try:
        with keep_administrator():
            CompanyRole.objects.select_for_update().filter(pk=code).first()
            before = find_role(code)
            if before.is_retired:
                raise RoleRefused(_("The role «%(name)s» is no longer given.") % {"name": before.name})
            given = _check_rights(rights)
            is_delivered = before.is_built_in and frozenset(given) == RIGHTS[code]
            CompanyRole.objects.update_or_create(
                code=code,
                defaults={
                    "name": "" if before.is_built_in else _check_name(name, code=code),
                    "rights": None if is_delivered else given,
                    "sees_all_portfolios": sees_all_portfolios,
                    "requires_second_factor": requires_second_factor,
                },
            )
    except UserRefused as refusal:
        raise RoleRefused(str(refusal)) from refusal
    after = find_role(code)
    if after.rights - before.rights:
        end_links(User.objects.filter(role=code, is_active=True), actor=actor)
    _record(before, after, actor)
    return after


@requires(Right.MANAGE_USERS)
@transaction.atomic
def retire_role(*, code: str, actor: Actor) -> None:
    """Take a role of the company's own out of use, once nobody has it. Raises RoleRefused."""
    role = CompanyRole.objects.select_for_update().filter(pk=code, retired_at__isnull=True).first()
    if role is None or code in Role.values:
        raise RoleRefused(_("Only a role of the company's own can be taken out of use."))
    holders = User.objects.filter(role=code, shut_out_at__isnull=True).count()
    if holders:
        text = ngettext(
            "%(n)s person still has this role: give another one first.",
            "%(n)s people still have this role: give them another one first.",
            holders,
        )
        raise RoleRefused(text % {"n": holders})
    role.retired_at = actor.now
    role.save(update_fields=["retired_at"])
    record_fact(RoleRetired(role=code), actor=actor)


def find_role(code: str) -> DefinedRole:
    """Return a role by its code. Raises RoleRefused where nobody defines it."""
    found = next((role for role in defined_roles() if role.code == code), None)
    if found is None:
        raise RoleRefused(_("There is no role «%(code)s».") % {"code": code})
    return found


def _check_name(name: str, *, code: str) -> str:
    """Return a name on one line. Raises RoleRefused for none, a long one, or that of another role."""
    name = " ".join(name.split())
    if not name or len(name) > NAME_LENGTH_MAX:
        raise RoleRefused(_("A role needs a name of up to %(n)s letters.") % {"n": NAME_LENGTH_MAX})
    others = [str(role.name).casefold() for role in defined_roles() if role.code != code]
    if name.casefold() in others:
        raise RoleRefused(_("There is already a role «%(name)s».") % {"name": name})
    return name


def _check_rights(rights: Collection[str]) -> list[str]:
    """Return the rights sorted. Raises RoleRefused for one that no role may hold."""
    unknown = sorted(set(rights) - GIVEABLE)
    if unknown:
        raise RoleRefused(_("No role may hold «%(right)s».") % {"right": unknown[0]})
    return sorted(set(rights))


def _record(before: DefinedRole | None, after: DefinedRole, actor: Actor) -> None:
    """Record a role as it was and as it is, and tell the other administrators."""
    saved = RoleSaved(
        role=after.code,
        rights_before=sorted(before.rights) if before else None,
        rights_after=sorted(after.rights),
        saw_all_portfolios=bool(before and before.sees_all_portfolios),
        sees_all_portfolios=after.sees_all_portfolios,
        required_second_factor=bool(before and before.requires_second_factor),
        requires_second_factor=after.requires_second_factor,
    )
    record_fact(saved, actor=actor)
    own_role = User.objects.filter(pk=actor.user_id or 0).values_list("role", flat=True).first()
    is_wider = before is not None and bool(
        after.rights - before.rights or (after.sees_all_portfolios and not before.sees_all_portfolios)
    )
    kind = Notice.Kind.OWN_RIGHTS_RAISED if is_wider and own_role == after.code else Notice.Kind.ROLE_CHANGED
    params: dict[str, str | int] = {"role": after.code}
    if kind == Notice.Kind.OWN_RIGHTS_RAISED and actor.user_id is not None:
        params["user_id"] = actor.user_id
    tell_administrators(kind, params, actor=actor)
