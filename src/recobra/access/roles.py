"""Rights of each role: the one table behind the navigation, the screens and the buttons.

A role is a named set of rights. Five are built in; a company may change them and define further ones (`CompanyRole`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise

from .models import NEVER_GIVEN, CompanyRole, Role, User


class Right(StrEnum):
    """A right of a member of staff, always within the portfolios of his or her scope."""

    SEE_BOARD = "see_board"
    SEE_CASES = "see_cases"
    SEE_CONTACT_DATA = "see_contact_data"
    SEE_NATIONAL_ID = "see_national_id"
    RECORD_PAYMENT = "record_payment"
    REVERSE_PAYMENT = "reverse_payment"
    PLACE_HOLD = "place_hold"
    LIFT_HOLD = "lift_hold"
    CLOSE_TASK = "close_task"
    EXPORT = "export"
    SEE_MESSAGES = "see_messages"
    EDIT_TEMPLATES = "edit_templates"
    SEE_LOADS = "see_loads"
    LOAD_FILES = "load_files"
    SEE_STRATEGIES = "see_strategies"
    EDIT_STRATEGIES = "edit_strategies"
    SEE_CYCLE = "see_cycle"
    RUN_CYCLE = "run_cycle"
    SEE_AUDIT = "see_audit"
    MANAGE_USERS = "manage_users"
    ANSWER_MESSAGES = "answer_messages"
    # Gives conversations to people, sees those of unknown numbers and keeps the ready answers.
    LEAD_CONVERSATIONS = "lead_conversations"
    RECORD_CONSENT = "record_consent"
    APPROVE_TEMPLATES = "approve_templates"
    RUN_CAMPAIGNS = "run_campaigns"
    MANAGE_CHANNELS = "manage_channels"
    SEE_COMPLIANCE = "see_compliance"
    EDIT_RULES = "edit_rules"
    RECORD_INCIDENT = "record_incident"
    EXPORT_EVIDENCE = "export_evidence"
    VISIT = "visit"
    REGISTER_PROMISE = "register_promise"
    # The tray of what waits for a second person; each kind of change names the right that decides about it.
    DECIDE = "decide"
    # Leads a team, and sees its members and their work.
    SEE_TEAM = "see_team"
    # Decides about what could rob or ruin: where debtors pay, ways out, strategies, large exports.
    APPROVE_CRITICAL_CHANGES = "approve_critical_changes"
    # Answers what people ask about their own data: the copy of everything, and the erasure.
    HANDLE_PERSON_REQUESTS = "handle_person_requests"
    # Adds, corrects and retires telephones and addresses, preferences and people of a debtor.
    EDIT_DEBTORS = "edit_debtors"
    # Says that two debtors are one, or two again.
    JOIN_DEBTORS = "join_debtors"
    # Opens creditors and portfolios, names and disables them.
    OPEN_PORTFOLIOS = "open_portfolios"
    # What parts of the product do by themselves; no role carries it.
    SERVE = "serve"


_COLLECTOR_RIGHTS: Final = {
    Right.SEE_BOARD,
    Right.SEE_CASES,
    Right.SEE_CONTACT_DATA,
    Right.SEE_MESSAGES,
    Right.RECORD_PAYMENT,
    Right.PLACE_HOLD,
    Right.CLOSE_TASK,
    Right.ANSWER_MESSAGES,
    Right.RECORD_CONSENT,
    Right.VISIT,
    Right.REGISTER_PROMISE,
    Right.SEE_COMPLIANCE,
    Right.EDIT_DEBTORS,
}
_READ_RIGHTS: Final = {
    Right.SEE_BOARD,
    Right.SEE_CASES,
    Right.SEE_MESSAGES,
    Right.SEE_LOADS,
    Right.SEE_STRATEGIES,
    Right.SEE_CYCLE,
    Right.SEE_COMPLIANCE,
}
_SUPERVISOR_RIGHTS: Final = (
    _COLLECTOR_RIGHTS
    | _READ_RIGHTS
    | {
        Right.SEE_NATIONAL_ID,
        Right.LEAD_CONVERSATIONS,
        Right.REVERSE_PAYMENT,
        Right.LIFT_HOLD,
        Right.LOAD_FILES,
        Right.JOIN_DEBTORS,
        Right.APPROVE_TEMPLATES,
        Right.DECIDE,
        Right.RUN_CAMPAIGNS,
        Right.SEE_TEAM,
    }
    | {Right.RECORD_INCIDENT, Right.EXPORT_EVIDENCE}
)

RIGHTS: Final[Mapping[str, frozenset[Right]]] = {
    Role.GESTOR: frozenset(_COLLECTOR_RIGHTS),
    Role.SUPERVISOR: frozenset(_SUPERVISOR_RIGHTS),
    Role.MANAGER: frozenset(
        _SUPERVISOR_RIGHTS
        | {
            Right.EXPORT,
            Right.EDIT_TEMPLATES,
            Right.EDIT_STRATEGIES,
            Right.RUN_CYCLE,
            Right.SEE_AUDIT,
            Right.EDIT_RULES,
            Right.APPROVE_CRITICAL_CHANGES,
            Right.HANDLE_PERSON_REQUESTS,
        }
    ),
    Role.ADMINISTRATOR: frozenset(
        _READ_RIGHTS
        | {
            Right.LOAD_FILES,
            Right.JOIN_DEBTORS,
            Right.EDIT_TEMPLATES,
            Right.EDIT_STRATEGIES,
            Right.RUN_CYCLE,
            Right.SEE_AUDIT,
            Right.MANAGE_USERS,
        }
        | {
            Right.MANAGE_CHANNELS,
            Right.OPEN_PORTFOLIOS,
            Right.EDIT_RULES,
            Right.APPROVE_TEMPLATES,
            Right.APPROVE_CRITICAL_CHANGES,
            Right.DECIDE,
        }
    ),
    # An auditor reads everything and changes nothing; neither telephones nor identity documents are needed for that.
    Role.AUDITOR: frozenset(_READ_RIGHTS | {Right.SEE_AUDIT, Right.EXPORT, Right.EXPORT_EVIDENCE}),
}


CRITICAL: Final = frozenset({Right.MANAGE_USERS, Right.APPROVE_CRITICAL_CHANGES})
"""Who holds one of these could rob or ruin by it: whoever takes such an account over has more than its work."""
GIVEABLE: Final = frozenset(Right) - {Right(value) for value in NEVER_GIVEN}
"""The rights that a role may hold."""
_ALL_PORTFOLIOS_ROLES: Final = frozenset({Role.MANAGER, Role.ADMINISTRATOR, Role.AUDITOR})


@dataclass(frozen=True, kw_only=True)
class DefinedRole:
    """A role as it is now: as delivered, as the company changed it, or one of the company's own.

    Whoever has a role that `sees_all_portfolios` needs no scope.
    """

    code: str
    name: str | Promise
    rights: frozenset[Right]
    sees_all_portfolios: bool = False
    requires_second_factor: bool = False
    is_built_in: bool = True
    is_retired: bool = False


def role_of(user: User) -> DefinedRole:
    """Return the role of a user; one that nobody defines, or that is retired, has no rights."""
    return _define_role(user.role, user.company_role)


def defined_roles() -> list[DefinedRole]:
    """Return every role: the built-in ones in their order, then the company's own by name, retired ones too."""
    stored = {row.code: row for row in CompanyRole.objects.order_by("name")}
    codes = [*Role.values, *(code for code in stored if code not in Role.values)]
    return [_define_role(code, stored.get(code)) for code in codes]


def roles_with(right: Right) -> list[str]:
    """Return the codes of the roles that carry a right."""
    return [role.code for role in defined_roles() if right in role.rights]


def rights_of(user: User) -> frozenset[Right]:
    """Return the rights of a user; one who is no longer active has none."""
    return role_of(user).rights if user.is_active else frozenset()


def has_right(user: User, right: Right) -> bool:
    """Return whether the role of an active user carries a right."""
    return right in rights_of(user)


def _define_role(code: str, stored: CompanyRole | None) -> DefinedRole:
    """Return a role from its code and from what the company has stored of it."""
    is_built_in = code in RIGHTS
    delivered = RIGHTS.get(code, frozenset())
    if stored is None:
        name = Role(code).label if is_built_in else code
        return DefinedRole(
            code=code,
            name=name,
            rights=delivered,
            sees_all_portfolios=code in _ALL_PORTFOLIOS_ROLES,
            is_built_in=is_built_in,
            is_retired=not is_built_in,
        )
    is_retired = stored.retired_at is not None
    # A value that no version of the product knows any more gives nothing.
    given = delivered if stored.rights is None else frozenset(right for right in GIVEABLE if right in stored.rights)
    return DefinedRole(
        code=code,
        name=stored.name or (Role(code).label if is_built_in else code),
        rights=frozenset() if is_retired else given,
        sees_all_portfolios=stored.sees_all_portfolios and not is_retired,
        requires_second_factor=stored.requires_second_factor,
        is_built_in=is_built_in,
        is_retired=is_retired,
    )
