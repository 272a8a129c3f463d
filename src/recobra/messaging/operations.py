"""Everything that may be done to contacts and templates."""

from .dispatch.run import dispatch_due, dispatch_forever, dispatch_once, get_ready
from .outbox.plan import cancel_planned, judge_again, plan
from .outbox.withdraw import withdraw
from .receipts.poll import ask_about_silent
from .receipts.record import join_waiting
from .receipts.uncertain import NotUncertain, resolve_uncertain, settle
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
    "ask_about_silent",
    "cancel_planned",
    "dispatch_due",
    "dispatch_forever",
    "dispatch_once",
    "ensure_library",
    "get_ready",
    "join_waiting",
    "judge_again",
    "lint_template",
    "plan",
    "preview_message",
    "reject_template",
    "resolve_uncertain",
    "retire_template",
    "save_template",
    "settle",
    "submit_template",
    "weigh_template",
    "withdraw",
]
