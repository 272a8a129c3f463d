"""Operations on contacts and templates."""

from .dispatch.run import dispatch_due, dispatch_forever, dispatch_once, warm_up
from .outbox.plan import cancel_planned, judge_again, plan_contacts, withdraw_contacts
from .receipts.poll import poll_unreported_contacts
from .receipts.record import match_waiting_receipts
from .receipts.uncertain import NotUncertain, resolve_uncertain, settle_uncertain
from .templates.operations import (
    OwnTemplate,
    TemplateBlocked,
    TemplateRefused,
    WrongStatus,
    approve_template,
    ensure_library,
    lint_template,
    preview_message,
    reject_template,
    retire_template,
    save_template,
    submit_template,
    weigh_template,
)

__all__ = [
    "NotUncertain",
    "OwnTemplate",
    "TemplateBlocked",
    "TemplateRefused",
    "WrongStatus",
    "approve_template",
    "cancel_planned",
    "dispatch_due",
    "dispatch_forever",
    "dispatch_once",
    "ensure_library",
    "judge_again",
    "lint_template",
    "match_waiting_receipts",
    "plan_contacts",
    "poll_unreported_contacts",
    "preview_message",
    "reject_template",
    "resolve_uncertain",
    "retire_template",
    "save_template",
    "settle_uncertain",
    "submit_template",
    "warm_up",
    "weigh_template",
    "withdraw_contacts",
]
