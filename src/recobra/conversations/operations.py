"""The operations on conversations and webhook calls that other packages call, gathered from the modules beside it."""

from .bot_runner import answer_conversation, answer_waiting
from .canned import CannedRefused, retire_canned, save_canned
from .inbound import receive_message
from .inbox import (
    ConversationRefused,
    add_note,
    assign_debtor,
    close_conversation,
    flag_unsent_replies,
    give_to_bot,
    hand_over_conversations,
    mark_read,
    silence_conversation,
    take_over,
)
from .reply import (
    Draft,
    Preview,
    ReplyRefused,
    is_in_service_window,
    preview_first_message,
    preview_reply,
    send_first_message,
    send_reply,
)
from .webhooks.receive import UnknownProvider, answer_challenge, receive_call, retry_calls

__all__ = [
    "CannedRefused",
    "ConversationRefused",
    "Draft",
    "Preview",
    "ReplyRefused",
    "UnknownProvider",
    "add_note",
    "answer_challenge",
    "answer_conversation",
    "answer_waiting",
    "assign_debtor",
    "close_conversation",
    "flag_unsent_replies",
    "give_to_bot",
    "hand_over_conversations",
    "is_in_service_window",
    "mark_read",
    "preview_first_message",
    "preview_reply",
    "receive_call",
    "receive_message",
    "retire_canned",
    "retry_calls",
    "save_canned",
    "send_first_message",
    "send_reply",
    "silence_conversation",
    "take_over",
]
