"""Kinds of facts about conversations: what debtors say, who answers, and calls of providers that went wrong."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from recobra.journal.facts import Fact, fact


@fact("conversation.received", _("The debtor wrote to us"))
class ConversationReceived(Fact):
    """A message came in; the fact's contact is the one that it answers, where that is certain."""

    conversation_id: int
    channel: str


@fact("conversation.number_changed", _("The debtor has another number"))
class NumberChanged(Fact):
    """A provider says that a person has another number or id; the conversation names both."""

    conversation_id: int
    channel: str


@fact("conversation.assigned", _("Conversation assigned"))
class ConversationAssigned(Fact):
    """A conversation has another person, the bot (`to_id` None) or a debtor."""

    conversation_id: int
    channel: str
    to_id: int | None


@fact("conversation.closed", _("Conversation closed"))
class ConversationClosed(Fact):
    """Somebody closed a conversation."""

    conversation_id: int
    channel: str


@fact("person.asked", _("Conversation handed to a person"))
class PersonAsked(Fact):
    """A person has to answer; the reason is a word of the bot or of an automatic call, which has no conversation."""

    reason: str
    verified: bool = False
    conversation_id: int | None = None
    message_id: int | None = None
    channel: str = ""


@fact("dispute.opened", _("The debtor objected"))
class DisputeOpened(Fact):
    """The debtor contests the debt; `verified` says whether he or she proved to be the debtor."""

    conversation_id: int
    message_id: int
    verified: bool


@fact("payment.reported", _("The debtor says that it is paid"))
class PaymentReported(Fact):
    """The debtor tells of a payment; `verified` says whether he or she proved to be the debtor."""

    conversation_id: int
    message_id: int
    verified: bool


@fact("complaint.received", _("The debtor complained in a conversation"))
class ComplaintReceived(Fact):
    """Somebody complained; of unknown people only the country is known. The description is a fixed sentence."""

    country: str
    at: datetime
    description: str


@fact("identity.refused", _("Wrong answer to who the debtor is, in a chat or call"))
class IdentityRefused(Fact):
    """An answer did not prove identity; `turn` identifies a turn of a call, which the provider may repeat."""

    channel: str
    turn: str = ""


@fact("statement.opened", _("The debtor saw the detail of what is owed"))
class StatementOpened(Fact):
    """Somebody proved to be the debtor at the page of the statement; `asked` is an `IdentityQuestion`."""

    asked: str


@fact("statement.refused", _("Wrong answer at the page of the debtor's detail"))
class StatementRefused(Fact):
    """An answer at the page of the statement did not prove identity; `asked` is an `IdentityQuestion`."""

    asked: str


@fact("webhook.failed", _("A provider's call could not be worked"))
class WebhookFailed(Fact):
    """A call was retried for the last time; `error` is the type of the last error."""

    call_id: int
    provider: str
    error: str


@fact("webhook.forged", _("A forged call was refused"))
class WebhookForged(Fact):
    """Somebody else called in a provider's name, for the `count`th time of the day."""

    provider: str
    count: int
