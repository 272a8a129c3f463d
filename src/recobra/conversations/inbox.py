"""People at conversations: who has one, what colleagues are told, when it goes back to the bot or ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from recobra.access.models import User
from recobra.access.roles import Right, may
from recobra.consent.models import ConsentEntry
from recobra.consent.opt_out import record_opt_out, record_wrong_person
from recobra.conversations.counterparty import is_silenced
from recobra.conversations.inbound import BOT_CHANNELS
from recobra.conversations.models import Conversation, ConversationMessage
from recobra.conversations.reply import cancel_bot_replies
from recobra.journal.operations import record
from recobra.messaging.models import Contact
from recobra.portfolio import address_forms
from recobra.portfolio.models import Debtor

_BY_HAND: Final = (Contact.Purpose.REPLY, Contact.Purpose.MANUAL)


class ConversationRefused(Exception):
    """It cannot be done with the conversation; the text is shown as it is."""


@transaction.atomic
def take_over(
    *, conversation_id: int, to_id: int, actor: str, actor_id: int, leads: bool = False, now: datetime
) -> Conversation:
    """Give a conversation to a person; the bot is silent from then on, also about what it was about to say.

    Raises ConversationRefused. What a colleague has is taken only by whoever leads.
    """
    found = _open(conversation_id)
    if found.assigned_to_id not in {None, to_id} and found.mode == Conversation.Mode.PERSON and not leads:
        raise ConversationRefused(_("%(who)s has this conversation already.") % {"who": found.assigned_to})
    person = User.objects.filter(pk=to_id, is_active=True).first()
    if person is None or not may(person, Right.ANSWER_MESSAGES):
        raise ConversationRefused(_("Nobody of that name answers messages."))
    found.assigned_to, found.mode, found.mode_reason = person, Conversation.Mode.PERSON, ""
    found.save()
    _record("conversation.assigned", found, actor, actor_id, now, to_id=person.pk)
    cancel_bot_replies(found, actor=actor, actor_id=actor_id, now=now)
    return found


@transaction.atomic
def give_to_bot(*, conversation_id: int, actor: str, actor_id: int, now: datetime) -> Conversation:
    """Let the bot answer what comes next; what was written before stays with the people. Raises ConversationRefused."""
    found = _open(conversation_id)
    if found.channel not in BOT_CHANNELS:
        raise ConversationRefused(_("The bot does not answer by this channel."))
    if found.debtor is None or is_silenced(found.address, channel=found.channel):
        raise ConversationRefused(_("The bot cannot answer at this number."))
    found.mode, found.mode_reason, found.assigned_to = Conversation.Mode.BOT, "", None
    state = dict(found.bot_state.get("state", {}))
    if state:
        found.bot_state = {**found.bot_state, "state": {**state, "phase": "open", "misses": 0, "wanted": None}}
    found.messages.filter(direction="IN", intent="").update(intent="person")
    found.save()
    _record("conversation.assigned", found, actor, actor_id, now, to_id=None)
    return found


@transaction.atomic
def close_conversation(*, conversation_id: int, actor: str, actor_id: int, now: datetime) -> Conversation:
    """End a conversation; a new message opens another one. Raises ConversationRefused."""
    found = _open(conversation_id)
    found.status, found.closed_at, found.unread = Conversation.Status.CLOSED, now, 0
    found.save()
    _record("conversation.closed", found, actor, actor_id, now)
    return found


@transaction.atomic
def add_note(*, conversation_id: int, text: str, actor: str, actor_id: int, now: datetime) -> ConversationMessage:
    """Write something for colleagues; it never leaves. Raises ConversationRefused."""
    if not text.strip():
        raise ConversationRefused(_("Write something first."))
    return ConversationMessage.objects.create(
        conversation=Conversation.objects.get(pk=conversation_id),
        direction=ConversationMessage.Direction.NOTE,
        author=actor,
        author_id=actor_id,
        text=text.strip(),
        at=now,
        received_at=now,
    )


def mark_read(*, conversation_id: int) -> None:
    """Say that a person has seen what was written."""
    Conversation.objects.filter(pk=conversation_id, unread__gt=0).update(unread=0)


@transaction.atomic
def assign_debtor(*, conversation_id: int, debtor_id: int, actor: str, actor_id: int, now: datetime) -> Conversation:
    """Say which debtor writes at a number that nobody knew. It proves nothing: identity is checked all the same."""
    found = _open(conversation_id)
    if found.debtor_id is not None:
        raise ConversationRefused(_("It is known whose number this is."))
    found.debtor = Debtor.objects.get(pk=debtor_id)
    found.save(update_fields=["debtor"])
    _record("conversation.assigned", found, actor, actor_id, now, to_id=found.assigned_to_id)
    return found


@transaction.atomic
def silence_conversation(
    *, conversation_id: int, wrong_person: bool, said: str = "", actor: str, actor_id: int, now: datetime
) -> Conversation:
    """Put down that the debtor wants no more messages, or is somebody else, and end the conversation."""
    found = Conversation.objects.select_for_update(of=["self"]).get(pk=conversation_id)
    wish: dict[str, Any] = {
        "kind": address_forms.point_kind(found.channel),
        "value": found.address,
        "channel": found.channel,
        "said": said,
        "source": ConsentEntry.Source.STAFF,
        "actor": actor,
        "actor_id": actor_id,
        "now": now,
    }
    if wrong_person:
        record_wrong_person(**wish)
    else:
        record_opt_out(**wish)
    act = ConsentEntry.Act.NOT_ME if wrong_person else ConsentEntry.Act.OPTED_OUT
    found.mode, found.mode_reason = Conversation.Mode.PERSON, act.lower()
    if found.status != Conversation.Status.CLOSED:
        found.status, found.closed_at, found.unread = Conversation.Status.CLOSED, now, 0
        _record("conversation.closed", found, actor, actor_id, now)
    found.save()
    return found


@transaction.atomic
def flag_unsent_replies(*, contact_ids: Sequence[int]) -> int:
    """Show people that an answer did not leave, whose debtor hears nothing otherwise; return how many conversations."""
    unsent = Contact.objects.filter(pk__in=list(contact_ids), conversation_id__isnull=False, purpose__in=_BY_HAND)
    found = Conversation.objects.filter(pk__in=unsent.values("conversation_id"))
    return found.exclude(status=Conversation.Status.CLOSED).update(
        mode=Conversation.Mode.PERSON, mode_reason="not_sent", status=Conversation.Status.OPEN, unread=F("unread") + 1
    )


def _open(conversation_id: int) -> Conversation:
    found = Conversation.objects.select_for_update(of=["self"]).select_related("assigned_to").get(pk=conversation_id)
    if found.status == Conversation.Status.CLOSED:
        raise ConversationRefused(_("The conversation is closed. A new message opens another one."))
    return found


def _record(kind: str, found: Conversation, actor: str, actor_id: int, now: datetime, **more: int | None) -> None:
    payload = {"conversation_id": found.pk, "channel": found.channel, **more}
    record(kind, at=now, actor=actor, actor_id=actor_id, debtor_id=found.debtor_id, payload=payload)
