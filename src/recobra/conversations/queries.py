"""Read access to conversations, scoped to the user."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Sum

from recobra.access.models import User
from recobra.access.queries import portfolio_codes
from recobra.access.roles import Right, has_right, roles_with
from recobra.conversations.attachments import path_of
from recobra.conversations.counterparty import is_address_silenced
from recobra.conversations.inbound import BOT_CHANNELS
from recobra.conversations.models import Attachment, CannedAnswer, Conversation, ConversationMessage
from recobra.conversations.reply import WRITTEN_CHANNELS
from recobra.messaging.models import Template
from recobra.messaging.queries import open_channels
from recobra.messaging.templates import selection
from recobra.portfolio import address_forms
from recobra.portfolio.models import Account, ContactPoint, Debtor

__all__ = ["BOT_CHANNELS", "VIEWS", "Conversation", "ConversationMessage", "path_of"]

_TOKEN_LENGTH: Final = 16
VIEWS: Final = ("todas", "mias", "sin-asignar", "bot", "cerradas")


def conversations_for(user: User) -> QuerySet[Conversation]:
    """Return the conversations a user may see, the latest first; those of unknown numbers only where the user leads."""
    conversations = Conversation.objects.select_related("debtor__creditor", "assigned_to").order_by("-last_at", "-pk")
    leads = is_lead(user)
    if not leads:
        conversations = conversations.filter(debtor__isnull=False)
    codes = portfolio_codes(user)
    if codes is None:
        return conversations
    accounts = Account.objects.filter(debtor=OuterRef("debtor_id"))
    own = accounts.filter(portfolio__code__in=codes)
    others = accounts.exclude(portfolio__code__in=codes)
    # Messages speak of all that is owed: a debtor who owes beyond the user's portfolios is left out.
    visible = Q(Exists(own)) & ~Q(Exists(others))
    if leads:
        return conversations.filter(visible | Q(debtor__isnull=True))
    return conversations.filter(visible)


def count_open_conversations_of(user: User) -> int:
    """Return how many conversations that are not closed are assigned to a person."""
    return Conversation.objects.filter(assigned_to=user).exclude(status=Conversation.Status.CLOSED).count()


def is_lead(user: User) -> bool:
    """Return whether a user assigns conversations and sees those of unknown numbers."""
    return has_right(user, Right.LEAD_CONVERSATIONS)


def list_conversations(user: User, *, view: str = "todas", channel: str = "") -> QuerySet[Conversation]:
    """Return the conversations of one of the VIEWS."""
    conversations = conversations_for(user)
    if channel:
        conversations = conversations.filter(channel=channel)
    return conversations.filter(_view_filter(user, view))


def _view_filter(user: User, view: str) -> Q:
    """Return the condition of one of the VIEWS; any other word stands for all that is open."""
    is_open = ~Q(status=Conversation.Status.CLOSED)
    with_person = Q(mode=Conversation.Mode.PERSON)
    filters = {
        "mias": is_open & Q(assigned_to=user),
        "sin-asignar": is_open & with_person & Q(assigned_to__isnull=True),
        "bot": is_open & Q(mode=Conversation.Mode.BOT),
        "cerradas": Q(status=Conversation.Status.CLOSED),
    }
    return filters.get(view, is_open)


def unread_counts(user: User) -> dict[str, int]:
    """Return how many unread messages each of the VIEWS has; closed conversations have none."""
    visible = conversations_for(user).order_by()
    counts = {}
    for view in VIEWS:
        totals = visible.filter(_view_filter(user, view)).aggregate(unread=Sum("unread"))
        # The sum of no conversations is None.
        counts[view] = totals["unread"] or 0
    return counts


def conversation_for(user: User, conversation_id: int) -> Conversation:
    """Return a conversation. Raises Conversation.DoesNotExist."""
    return conversations_for(user).get(pk=conversation_id)


def thread_of(conversation: Conversation, *, most: int = 200) -> list[ConversationMessage]:
    """Return the last messages of a conversation in their order, with contacts and attachments."""
    rows = conversation.messages.select_related("contact", "replaces").prefetch_related(
        Prefetch("attachments", Attachment.objects.order_by("pk"))
    )
    return list(reversed(rows.order_by("-at", "-pk")[:most]))


def version_of(conversation: Conversation, thread: Sequence[ConversationMessage]) -> str:
    """Return a token that changes whenever the thread looks different, for the screen to poll."""
    parts = [f"{conversation.status}{conversation.mode}{conversation.assigned_to_id}"]
    for message in thread:
        contact = message.contact
        state = ""
        if contact is not None:
            state = f"{contact.status}{contact.delivered_at}{contact.read_at}{contact.undelivered_at}{contact.due_at}"
        attachments = [attachment.status for attachment in message.attachments.all()]
        parts.append(f"{message.pk}{message.intent}{state}{attachments}")
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:_TOKEN_LENGTH]


def attachment_for(user: User, conversation_id: int, attachment_id: int) -> Attachment:
    """Return a stored attachment of a conversation that a user may see. Raises ObjectDoesNotExist."""
    conversation = conversation_for(user, conversation_id)
    stored = Attachment.objects.filter(message__conversation=conversation, status=Attachment.Status.KEPT)
    return stored.get(pk=attachment_id)


def is_conversation_silenced(conversation: Conversation) -> bool:
    """Return whether nothing may be sent to the address of a conversation."""
    return is_address_silenced(conversation.address, channel=conversation.channel)


def canned_answers() -> list[CannedAnswer]:
    """Return the canned answers in use, by title."""
    return list(CannedAnswer.objects.filter(retired_at__isnull=True))


def canned_answer(canned_id: int) -> CannedAnswer:
    """Return a canned answer in use. Raises CannedAnswer.DoesNotExist."""
    return CannedAnswer.objects.get(pk=canned_id, retired_at__isnull=True)


def assignable_users(conversation: Conversation) -> list[User]:
    """Return the users to whom a conversation may be assigned: those who answer messages and see it."""
    answering = roles_with(Right.ANSWER_MESSAGES)
    users = User.objects.filter(is_active=True, role__in=answering).order_by("username")
    return [user for user in users if conversations_for(user).filter(pk=conversation.pk).exists()]


def templates_to_send(channel: str) -> list[Template]:
    """Return the templates a person may send by a channel, one of each code, by name. Legal ones are for strategies."""
    templates = selection.templates_in_force().filter(channel=channel, legal=False)
    by_code: dict[str, Template] = {}
    # Any of a code will do: which one leaves depends on the debtor.
    for template in templates.order_by("code", "country", "tone", "variant"):
        by_code.setdefault(template.code, template)
    return sorted(by_code.values(), key=lambda template: template.name)


def reachable_points(debtor: Debtor) -> list[tuple[ContactPoint, str]]:
    """Return the contact points and channels by which a debtor can be written to, the best points first."""
    installed = [channel for channel in WRITTEN_CHANNELS if channel in open_channels()]
    points = debtor.points.filter(retired_at__isnull=True, valid=True, opted_out_at__isnull=True)
    ways: list[tuple[ContactPoint, str]] = []
    for point in points.exclude(kind=ContactPoint.Kind.ADDRESS).order_by("-quality", "pk"):
        channels = [channel for channel in installed if address_forms.point_kind(channel) == point.kind]
        ways += [(point, channel) for channel in channels if channel not in point.unusable_for]
    return ways
