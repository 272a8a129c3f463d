"""Rights of each role: the one table behind the navigation, the screens and the buttons."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from .models import Role, User


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
    APPROVE_TEMPLATES = "approve_templates"
    RUN_CAMPAIGNS = "run_campaigns"
    MANAGE_CHANNELS = "manage_channels"
    SEE_COMPLIANCE = "see_compliance"
    EDIT_RULES = "edit_rules"
    RECORD_INCIDENT = "record_incident"
    EXPORT_EVIDENCE = "export_evidence"
    VISIT = "visit"


R = Right
_COLLECTOR_RIGHTS: Final = {
    R.SEE_BOARD,
    R.SEE_CASES,
    R.SEE_CONTACT_DATA,
    R.SEE_MESSAGES,
    R.RECORD_PAYMENT,
    R.PLACE_HOLD,
    R.CLOSE_TASK,
    R.ANSWER_MESSAGES,
    R.VISIT,
    R.SEE_COMPLIANCE,
}
_READ_RIGHTS: Final = {
    R.SEE_BOARD,
    R.SEE_CASES,
    R.SEE_MESSAGES,
    R.SEE_LOADS,
    R.SEE_STRATEGIES,
    R.SEE_CYCLE,
    R.SEE_COMPLIANCE,
}
_SUPERVISOR_RIGHTS: Final = (
    _COLLECTOR_RIGHTS
    | _READ_RIGHTS
    | {R.SEE_NATIONAL_ID, R.REVERSE_PAYMENT, R.LIFT_HOLD, R.LOAD_FILES, R.APPROVE_TEMPLATES, R.RUN_CAMPAIGNS}
    | {R.RECORD_INCIDENT, R.EXPORT_EVIDENCE}
)

RIGHTS: Final[dict[str, frozenset[Right]]] = {
    Role.GESTOR: frozenset(_COLLECTOR_RIGHTS),
    Role.SUPERVISOR: frozenset(_SUPERVISOR_RIGHTS),
    Role.MANAGER: frozenset(
        _SUPERVISOR_RIGHTS | {R.EXPORT, R.EDIT_TEMPLATES, R.EDIT_STRATEGIES, R.RUN_CYCLE, R.SEE_AUDIT, R.EDIT_RULES}
    ),
    Role.ADMINISTRATOR: frozenset(
        _READ_RIGHTS
        | {R.LOAD_FILES, R.EDIT_TEMPLATES, R.EDIT_STRATEGIES, R.RUN_CYCLE, R.SEE_AUDIT, R.MANAGE_USERS}
        | {R.MANAGE_CHANNELS, R.EDIT_RULES, R.APPROVE_TEMPLATES}
    ),
    # An auditor reads everything and changes nothing; neither telephones nor identity documents are needed for that.
    Role.AUDITOR: frozenset(_READ_RIGHTS | {R.SEE_AUDIT, R.EXPORT, R.EXPORT_EVIDENCE}),
}


def has_right(user: User, right: Right) -> bool:
    """Return whether the role of an active user carries a right."""
    return user.is_active and right in RIGHTS[user.role]
