"""Everything that may be done to contacts and templates."""

from .dispatching import dispatch_due, dispatch_forever, dispatch_once
from .expiring import withdraw
from .opting_out import not_me, opt_out, resume, wait_until_silent
from .planning import add_items, cancel_planned, plan
from .settling import NotUncertain, resolve_uncertain, settle
from .templates import TemplateRefused, ensure_library, preview, retire_template, save_template
from .wishes import OptOutRefused, carry_over, grant, withdraw_consent

__all__ = [
    "NotUncertain",
    "OptOutRefused",
    "TemplateRefused",
    "add_items",
    "cancel_planned",
    "carry_over",
    "dispatch_due",
    "dispatch_forever",
    "dispatch_once",
    "ensure_library",
    "grant",
    "not_me",
    "opt_out",
    "plan",
    "preview",
    "resolve_uncertain",
    "resume",
    "retire_template",
    "save_template",
    "settle",
    "wait_until_silent",
    "withdraw",
    "withdraw_consent",
]
