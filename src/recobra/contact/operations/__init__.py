"""Everything that may be done to contacts and templates."""

from .dispatching import dispatch_due, dispatch_forever, dispatch_once
from .expiring import withdraw
from .opting_out import not_me, opt_out, resume, wait_until_silent
from .planning import add_items, cancel_planned, plan
from .settling import NotUncertain, resolve_uncertain, settle
from .templates import (
    OwnTemplate,
    TemplateBlocked,
    TemplateRefused,
    WrongStatus,
    approve_template,
    ensure_library,
    findings,
    preview,
    reject_template,
    retire_template,
    save_template,
    submit_template,
    weigh_template,
)
from .wishes import OptOutRefused, carry_over, grant, withdraw_consent

__all__ = [
    "NotUncertain",
    "OptOutRefused",
    "OwnTemplate",
    "TemplateBlocked",
    "TemplateRefused",
    "WrongStatus",
    "add_items",
    "approve_template",
    "cancel_planned",
    "carry_over",
    "dispatch_due",
    "dispatch_forever",
    "dispatch_once",
    "ensure_library",
    "findings",
    "grant",
    "not_me",
    "opt_out",
    "plan",
    "preview",
    "reject_template",
    "resolve_uncertain",
    "resume",
    "retire_template",
    "save_template",
    "settle",
    "submit_template",
    "wait_until_silent",
    "weigh_template",
    "withdraw",
    "withdraw_consent",
]
