"""Everything that may be done to contacts and templates."""

from .dispatching import dispatch_due, dispatch_forever, dispatch_once
from .expiring import withdraw
from .opting_out import OptOutRefused, opt_out
from .planning import add_items, cancel_planned, plan
from .settling import NotUncertain, resolve_uncertain, settle
from .templates import TemplateRefused, ensure_library, preview, retire_template, save_template

__all__ = [
    "NotUncertain",
    "OptOutRefused",
    "TemplateRefused",
    "add_items",
    "cancel_planned",
    "dispatch_due",
    "dispatch_forever",
    "dispatch_once",
    "ensure_library",
    "opt_out",
    "plan",
    "preview",
    "resolve_uncertain",
    "retire_template",
    "save_template",
    "settle",
    "withdraw",
]
