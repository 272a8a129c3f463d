"""Operations on contacts and templates."""

from .dispatch.run import dispatch_due, dispatch_forever, dispatch_once, warm_up
from .outbox.plan import (
    cancel_planned,
    cancel_planned_of_portfolio,
    cancel_to_points,
    judge_again,
    plan_contacts,
    take_back_planned,
    withdraw_contacts,
)
from .providers.account_news import apply_account_news, resume_provider
from .receipts.poll import poll_unreported_contacts
from .receipts.record import match_waiting_receipts
from .receipts.uncertain import NotUncertain, resolve_uncertain, settle_uncertain
from .templates.approval import submit_template
from .templates.operations import (
    TemplateBlocked,
    TemplateRefused,
    WrongStatus,
    create_template,
    ensure_library,
    lint_template,
    preview_message,
    retire_template,
    save_template,
    weigh_template,
)
from .templates.provider_decisions import apply_template_decision, apply_template_quality

__all__ = [
    "NotUncertain",
    "TemplateBlocked",
    "TemplateRefused",
    "WrongStatus",
    "apply_account_news",
    "apply_template_decision",
    "apply_template_quality",
    "cancel_planned",
    "cancel_planned_of_portfolio",
    "cancel_to_points",
    "create_template",
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
    "resolve_uncertain",
    "resume_provider",
    "retire_template",
    "save_template",
    "settle_uncertain",
    "submit_template",
    "take_back_planned",
    "warm_up",
    "weigh_template",
    "withdraw_contacts",
]
