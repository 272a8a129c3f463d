"""The contact app's tables: templates and the outbox, providers, receipts, wishes, conversations, paper, compliance."""

from .compliance import HouseRule, Incident, LegalDecision
from .conversations import Attachment, CannedAnswer, Conversation, ConversationMessage
from .outbox import Channel, Contact, ContactItem, MailboxMessage, Template
from .paper import Letter, LetterBatch, Visit
from .providers import Provider, ProviderState
from .receipts import Receipt, WebhookCall
from .wishes import ConsentEntry, Silence

__all__ = [
    "Attachment",
    "CannedAnswer",
    "Channel",
    "ConsentEntry",
    "Contact",
    "ContactItem",
    "Conversation",
    "ConversationMessage",
    "HouseRule",
    "Incident",
    "LegalDecision",
    "Letter",
    "LetterBatch",
    "MailboxMessage",
    "Provider",
    "ProviderState",
    "Receipt",
    "Silence",
    "Template",
    "Visit",
    "WebhookCall",
]
