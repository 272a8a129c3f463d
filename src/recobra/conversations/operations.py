"""Everything that may be done to conversations."""

from .bot_runner import answer_conversation, answer_waiting
from .canned import CannedRefused, retire_canned, save_canned
from .inbound import take_in
from .inbox import (
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
from .reply import ReplyRefused, Trial, Words, begin, in_window, reply, try_begin, try_reply
from .webhooks.receive import UnknownProvider, answer_challenge, forget_calls, receive_call, retry_calls

__all__ = [
    "CannedRefused",
    "ConversationRefused",
    "ReplyRefused",
    "Trial",
    "UnknownProvider",
    "Words",
    "answer_challenge",
    "answer_conversation",
    "answer_waiting",
    "begin",
    "close",
    "forget_calls",
    "give_to_bot",
    "in_window",
    "mark_read",
    "note",
    "receive_call",
    "reply",
    "retire_canned",
    "retry_calls",
    "save_canned",
    "say_whose",
    "silence",
    "take_in",
    "take_over",
    "tell_of_unsent",
    "try_begin",
    "try_reply",
]
