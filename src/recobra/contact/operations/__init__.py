"""Everything that may be done to contacts and templates."""

from .attending import (
    ConversationRefused,
    close,
    give_to_bot,
    mark_read,
    note,
    say_whose,
    silence,
    take_over,
    tell_of_unsent,
)
from .bot_answering import answer_conversation, answer_waiting
from .canned import CannedRefused, retire_canned, save_canned
from .conversing import take_in
from .dispatching import dispatch_due, dispatch_forever, dispatch_once, get_ready
from .expiring import withdraw
from .noting import join_waiting
from .opting_out import not_me, opt_out, resume
from .planning import cancel_planned, judge_again, plan
from .polling import ask_about_silent
from .receiving import UnknownProvider, answer_challenge, forget_calls, receive_call, retry_calls
from .replying import ReplyRefused, Trial, Words, begin, in_window, reply, try_begin, try_reply
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
    "CannedRefused",
    "ConversationRefused",
    "NotUncertain",
    "OptOutRefused",
    "OwnTemplate",
    "ReplyRefused",
    "TemplateBlocked",
    "TemplateRefused",
    "Trial",
    "UnknownProvider",
    "Words",
    "WrongStatus",
    "answer_challenge",
    "answer_conversation",
    "answer_waiting",
    "approve_template",
    "ask_about_silent",
    "begin",
    "cancel_planned",
    "carry_over",
    "close",
    "dispatch_due",
    "dispatch_forever",
    "dispatch_once",
    "ensure_library",
    "findings",
    "forget_calls",
    "get_ready",
    "give_to_bot",
    "grant",
    "in_window",
    "join_waiting",
    "judge_again",
    "mark_read",
    "not_me",
    "note",
    "opt_out",
    "plan",
    "preview",
    "receive_call",
    "reject_template",
    "reply",
    "resolve_uncertain",
    "resume",
    "retire_canned",
    "retire_template",
    "retry_calls",
    "save_canned",
    "save_template",
    "say_whose",
    "settle",
    "silence",
    "submit_template",
    "take_in",
    "take_over",
    "tell_of_unsent",
    "try_begin",
    "try_reply",
    "weigh_template",
    "withdraw",
    "withdraw_consent",
]
