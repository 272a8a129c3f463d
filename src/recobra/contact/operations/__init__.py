"""Everything that may be done to contacts and templates."""

from .dispatching import dispatch_due, dispatch_forever, dispatch_once
from .expiring import withdraw
from .noting import join_waiting
from .opting_out import not_me, opt_out, resume, wait_until_silent
from .planning import add_items, cancel_planned, plan
from .polling import ask_about_silent
from .receiving import UnknownProvider, answer_challenge, forget_calls, receive_call, retry_calls
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
    "UnknownProvider",
    "WrongStatus",
    "add_items",
    "answer_challenge",
    "approve_template",
    "ask_about_silent",
    "cancel_planned",
    "carry_over",
    "dispatch_due",
    "dispatch_forever",
    "dispatch_once",
    "ensure_library",
    "findings",
    "forget_calls",
    "grant",
    "join_waiting",
    "not_me",
    "opt_out",
    "plan",
    "preview",
    "receive_call",
    "reject_template",
    "resolve_uncertain",
    "resume",
    "retire_template",
    "retry_calls",
    "save_template",
    "settle",
    "submit_template",
    "wait_until_silent",
    "weigh_template",
    "withdraw",
    "withdraw_consent",
]
