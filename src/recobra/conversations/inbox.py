"""What people do with a conversation besides answering it: assign, note, return it to the bot, close it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.models import User
from recobra.access.permissions import NotAllowed, consequence, requires
from recobra.access.roles import Right, has_right
from recobra.consent.models import ConsentEntry
from recobra.consent.opt_out import record_opt_out, record_wrong_person
from recobra.conversations.carried_silence import carry_to_debtor
from recobra.conversations.counterparty import is_address_silenced
from recobra.conversations.facts import ConversationAssigned, ConversationClosed
from recobra.conversations.inbound import BOT_CHANNELS
from recobra.conversations.models import Conversation, ConversationMessage
from recobra.conversations.queries import conversations_for
from recobra.conversations.reply import cancel_bot_replies
from recobra.conversations.scope import check_conversation
from recobra.journal.operations import record_fact
from recobra.messaging.models import Contact
from recobra.portfolio import address_forms
from recobra.portfolio.models import Debtor
from recobra.portfolio.scope import check_debtor
from recobra.portfolio.sql import keep_named

# Purposes of messages outside of strategies.
_FREE_PURPOSES: Final = (Contact.Purpose.REPLY, Contact.Purpose.MANUAL)


class ConversationRefused(Exception):
    """The conversation does not allow it; the text is shown as it is."""


@requires(Right.ANSWER_MESSAGES)
@transaction.atomic
def take_over(*, conversation_id: int, to_id: int, actor: Actor) -> Conversation:
    """Assign a conversation to a person and silence the bot, whose pending answers are cancelled.

    Only leads assign it to somebody else or take that of a colleague. Raises ConversationRefused, NotAllowed.
    """
    conversation = _lock_open(conversation_id, actor)
    leads = Right.LEAD_CONVERSATIONS in actor.rights
    if to_id != actor.user_id and not leads:
        raise NotAllowed(_("Only who leads the inbox gives conversations to others."))
    is_with_person = conversation.mode == Conversation.Mode.PERSON
    if is_with_person and conversation.assigned_to_id not in {None, to_id} and not leads:
        raise ConversationRefused(_("%(who)s has this conversation already.") % {"who": conversation.assigned_to})
    person = User.objects.filter(pk=to_id, is_active=True).first()
    if person is None or not has_right(person, Right.ANSWER_MESSAGES):
        raise ConversationRefused(_("Nobody of that name answers messages."))
    conversation.assigned_to = person
    conversation.mode = Conversation.Mode.PERSON
    conversation.mode_reason = ""
    conversation.save()
    _record_assignment(conversation, actor)
    cancel_bot_replies(conversation, actor=actor)
    return conversation


@requires(Right.ANSWER_MESSAGES)
@transaction.atomic
def give_to_bot(*, conversation_id: int, actor: Actor) -> Conversation:
    """Let the bot answer what comes next, but not what was written before. Raises ConversationRefused."""
    conversation = _lock_open(conversation_id, actor)
    if conversation.channel not in BOT_CHANNELS:
        raise ConversationRefused(_("The bot does not answer by this channel."))
    if conversation.debtor is None or is_address_silenced(conversation.address, channel=conversation.channel):
        raise ConversationRefused(_("The bot cannot answer at this number."))
    conversation.mode = Conversation.Mode.BOT
    conversation.mode_reason = ""
    conversation.assigned_to = None
    # The bot begins anew, but keeps that identity was checked and that it has introduced itself.
    state = conversation.bot_state.get("state")
    if state:
        state_anew = {**state, "phase": "open", "misses": 0, "wanted": None}
        conversation.bot_state = {**conversation.bot_state, "state": state_anew}
    # An empty intent is what the bot has still to read: people have dealt with these.
    conversation.messages.filter(direction="IN", intent="").update(intent="person")
    conversation.save()
    _record_assignment(conversation, actor)
    return conversation


@requires(Right.ANSWER_MESSAGES)
@transaction.atomic
def close_conversation(*, conversation_id: int, actor: Actor) -> Conversation:
    """Close a conversation; a new message opens another one. Raises ConversationRefused."""
    conversation = _lock_open(conversation_id, actor)
    conversation.status = Conversation.Status.CLOSED
    conversation.closed_at = actor.now
    conversation.unread = 0
    conversation.save()
    _record_closing(conversation, actor)
    return conversation


@requires(Right.ANSWER_MESSAGES)
@transaction.atomic
def add_note(*, conversation_id: int, text: str, actor: Actor) -> ConversationMessage:
    """Add a note for colleagues, which is never sent. Raises ConversationRefused.

    The words of one's own last note again are a form that was sent twice.
    """
    if not text.strip():
        raise ConversationRefused(_("Write something first."))
    conversation = Conversation.objects.select_for_update().get(pk=conversation_id)
    check_conversation(actor, conversation)
    last = conversation.messages.filter(direction=ConversationMessage.Direction.NOTE).order_by("-pk").first()
    if last is not None and (last.author, last.text) == (actor.name, text.strip()):
        raise ConversationRefused(_("This note stands there already."))
    return ConversationMessage.objects.create(
        conversation=conversation,
        direction=ConversationMessage.Direction.NOTE,
        author=actor.name,
        author_id=actor.user_id,
        text=text.strip(),
        at=actor.now,
        received_at=actor.now,
    )


@requires(Right.ANSWER_MESSAGES)
def mark_read(*, conversation: Conversation, actor: Actor) -> None:
    """Mark the messages of a conversation as read by a person."""
    if conversation.unread == 0:
        return
    check_conversation(actor, conversation)
    Conversation.objects.filter(pk=conversation.pk, unread__gt=0).update(unread=0)


@requires(Right.LEAD_CONVERSATIONS)
@transaction.atomic
def assign_debtor(*, conversation_id: int, debtor_id: int, actor: Actor) -> Conversation:
    """Assign a debtor to a conversation with an unknown number. It proves no identity. Raises ConversationRefused.

    Where somebody without a number asked for no more messages, that holds for the debtor's numbers from now on.
    """
    conversation = _lock_open(conversation_id, actor)
    if conversation.debtor_id is not None:
        raise ConversationRefused(_("It is known whose number this is."))
    check_debtor(actor, debtor_id)
    conversation.debtor = Debtor.objects.get(pk=debtor_id)
    if not keep_named([debtor_id]):
        raise ConversationRefused(_("This person is anonymised already: nothing points to anybody any more."))
    conversation.save(update_fields=["debtor"])
    _record_assignment(conversation, actor)
    if not address_forms.has_number(conversation.address):
        carry_to_debtor(conversation, actor=actor)
    return conversation


@requires(Right.ANSWER_MESSAGES)
@transaction.atomic
def silence_conversation(*, conversation_id: int, wrong_person: bool, said: str = "", actor: Actor) -> Conversation:
    """Record that staff heard of an opt-out, or of a `wrong_person`, and close the conversation.

    `said` are the debtor's words. Raises ConversationRefused where nothing is known of who wrote.
    """
    conversation = Conversation.objects.select_for_update(of=["self"]).get(pk=conversation_id)
    check_conversation(actor, conversation)
    if conversation.address == address_forms.SENDER:
        # All who are not named share it: one of them cannot speak for the others.
        raise ConversationRefused(_("The provider does not say who wrote: there is nobody to answer."))
    record_refusal = record_wrong_person if wrong_person else record_opt_out
    record_refusal(
        kind=address_forms.point_kind(conversation.channel),
        value=conversation.address,
        channel=conversation.channel,
        said=said,
        source=ConsentEntry.Source.STAFF,
        actor=actor,
    )
    if not wrong_person and not address_forms.has_number(conversation.address):
        carry_to_debtor(conversation, actor=actor)
    act = ConsentEntry.Act.NOT_ME if wrong_person else ConsentEntry.Act.OPTED_OUT
    conversation.mode = Conversation.Mode.PERSON
    conversation.mode_reason = act.lower()
    if conversation.status != Conversation.Status.CLOSED:
        conversation.status = Conversation.Status.CLOSED
        conversation.closed_at = actor.now
        conversation.unread = 0
        _record_closing(conversation, actor)
    conversation.save()
    return conversation


@consequence
@transaction.atomic
def hand_over_conversations(*, from_id: int, to: User | None, actor: Actor) -> int:
    """Give the open conversations of a person to another one who may answer and see them, the rest to nobody yet.

    They stay with people: the bot does not answer. Returns how many there are.
    """
    mine = Conversation.objects.filter(assigned_to=from_id).exclude(status=Conversation.Status.CLOSED)
    conversations = list(mine.select_for_update(of=["self"]).order_by("pk"))
    taken: set[int] = set()
    if to is not None and has_right(to, Right.ANSWER_MESSAGES):
        taken.update(
            conversations_for(to).filter(pk__in=[each.pk for each in conversations]).values_list("pk", flat=True)
        )
    for conversation in conversations:
        conversation.assigned_to = to if conversation.pk in taken else None
        conversation.save(update_fields=["assigned_to"])
        _record_assignment(conversation, actor)
    return len(conversations)


@transaction.atomic
def flag_unsent_replies(*, contact_ids: Sequence[int]) -> int:
    """Show people the conversations whose answer did not leave; return how many.

    The debtor hears nothing otherwise.
    """
    unsent = Contact.objects.filter(pk__in=list(contact_ids), conversation_id__isnull=False, purpose__in=_FREE_PURPOSES)
    conversations = Conversation.objects.filter(pk__in=unsent.values("conversation_id"))
    return conversations.exclude(status=Conversation.Status.CLOSED).update(
        mode=Conversation.Mode.PERSON, mode_reason="not_sent", status=Conversation.Status.OPEN, unread=F("unread") + 1
    )


def _lock_open(conversation_id: int, actor: Actor) -> Conversation:
    """Return a conversation, locked until commit. Raises OutOfScope, and ConversationRefused for a closed one."""
    conversations = Conversation.objects.select_for_update(of=["self"]).select_related("assigned_to")
    conversation = conversations.get(pk=conversation_id)
    check_conversation(actor, conversation)
    if conversation.status == Conversation.Status.CLOSED:
        raise ConversationRefused(_("The conversation is closed. A new message opens another one."))
    return conversation


def _record_assignment(conversation: Conversation, actor: Actor) -> None:
    """Record in the journal whose a conversation is now."""
    assigned = ConversationAssigned(
        conversation_id=conversation.pk, channel=conversation.channel, to_id=conversation.assigned_to_id
    )
    record_fact(assigned, actor=actor, debtor_id=conversation.debtor_id)


def _record_closing(conversation: Conversation, actor: Actor) -> None:
    """Record in the journal that a conversation was closed."""
    closed = ConversationClosed(conversation_id=conversation.pk, channel=conversation.channel)
    record_fact(closed, actor=actor, debtor_id=conversation.debtor_id)
