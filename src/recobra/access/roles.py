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
    # Done by a command on the server only; no role carries it.
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
        Right.APPROVE_TEMPLATES,
        Right.DECIDE,
        Right.RUN_CAMPAIGNS,
    }
    | {Right.RECORD_INCIDENT, Right.EXPORT_EVIDENCE}
)

RIGHTS: Final[dict[str, frozenset[Right]]] = {
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
        }
    ),
    Role.ADMINISTRATOR: frozenset(
        _READ_RIGHTS
        | {
            Right.LOAD_FILES,
            Right.EDIT_TEMPLATES,
            Right.EDIT_STRATEGIES,
            Right.RUN_CYCLE,
            Right.SEE_AUDIT,
            Right.MANAGE_USERS,
        }
        | {Right.MANAGE_CHANNELS, Right.EDIT_RULES, Right.APPROVE_TEMPLATES, Right.DECIDE}
    ),
    # An auditor reads everything and changes nothing; neither telephones nor identity documents are needed for that.
    Role.AUDITOR: frozenset(_READ_RIGHTS | {Right.SEE_AUDIT, Right.EXPORT, Right.EXPORT_EVIDENCE}),
}


def has_right(user: User, right: Right) -> bool:
    """Return whether the role of an active user carries a right."""
    return user.is_active and right in RIGHTS[user.role]
