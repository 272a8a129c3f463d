"""The messaging app's tables: templates and the outbox, providers, receipts, letters."""

from .letters import Letter, LetterBatch
from .mailboxes import ReplyMailbox
from .outbox import Contact, ContactItem, MailboxMessage, Template
from .providers import Provider, ProviderState
from .receipts import Receipt, WebhookCall
from .registrations import TemplateRegistration
from .sending_stop import SendingStop

__all__ = [
    "Contact",
    "ContactItem",
    "Letter",
    "LetterBatch",
    "MailboxMessage",
    "Provider",
    "ProviderState",
    "Receipt",
    "ReplyMailbox",
    "SendingStop",
    "Template",
    "TemplateRegistration",
    "WebhookCall",
]
