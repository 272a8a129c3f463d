"""Storing of inbound messages: each once, in the conversation of its address, for the bot or a person to answer."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial
from typing import Final

from django.db import transaction
from procrastinate.contrib.django import app

from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.consent.models import ConsentEntry
from recobra.conversations.counterparty import (
    debtors_at,
    find_answered_contact,
    is_address_silenced,
    lock_address,
    single_person,
)
from recobra.conversations.facts import ConversationReceived
from recobra.conversations.models import Attachment, Conversation, ConversationMessage
from recobra.journal.operations import record_fact
from recobra.messaging.channels.adapter import InboundEvent
from recobra.messaging.models import Contact
from recobra.portfolio import address_forms
from recobra.portfolio.models import Debtor

# Not e-mail: its sender proves nothing, and machines answer machines there. People read it.
BOT_CHANNELS: Final = frozenset({"whatsapp", "sms"})
BUTTON_PREFIX: Final = "button:"
TEXT_MAX: Final = 20_000
_SILENCING_ACTS = (ConsentEntry.Act.OPTED_OUT, ConsentEntry.Act.NOT_ME)
_log = logging.getLogger(__name__)


@consequence
@transaction.atomic
def receive_message(*, event: InboundEvent, provider_id: int | None, channel: str, actor: Actor) -> Conversation | None:
    """Store a message and return its conversation; None where no sender is named, since nobody can be answered.

    The actor is whoever wrote. A message that is stored already changes nothing. An opt-out in it was recorded before
    this, and is not answered.
    """
    now = actor.now
    kind = address_forms.point_kind(channel)
    address = address_forms.normalise_address(event.address, kind=kind)
    if not address:
        _log.warning("A message by %s names no sender and is not kept.", channel)
        return None
    reference = event.provider_reference or event.event_key
    forms = address_forms.list_forms(address, kind=kind)
    lock_address(address, channel=channel)
    at_address = Conversation.objects.filter(channel=channel, address__in=forms)
    known = at_address.filter(messages__direction="IN", messages__provider_reference=reference).first()
    # A provider repeats a call that it got no answer to.
    if known is not None:
        return known
    answered = find_answered_contact(event, address=address, channel=channel, provider_id=provider_id)
    conversation = at_address.exclude(status=Conversation.Status.CLOSED).select_for_update().first()
    if conversation is None:
        conversation = _open_conversation(event, address, channel, answered, now)
    elif conversation.debtor_id is None:
        # A file loaded since may have named the debtor of this number.
        conversation.debtor = _identify_writer(debtors_at(address, channel=channel), answered, event)
    _store_message(conversation, event, reference, provider_id, now)
    _route_conversation(conversation, event, now)
    if answered is not None and answered.replied_at is None:
        Contact.objects.filter(pk=answered.pk, replied_at__isnull=True).update(replied_at=min(event.at, now))
    # Whoever answers at the number may not be the debtor who was written to there.
    own_contact = answered
    if answered is not None and answered.debtor_id != conversation.debtor_id:
        own_contact = None
    record_fact(
        ConversationReceived(conversation_id=conversation.pk, channel=conversation.channel),
        actor=actor,
        debtor_id=conversation.debtor_id,
        portfolio_id=own_contact.portfolio_id if own_contact else None,
        contact_id=own_contact.pk if own_contact else None,
    )
    return conversation


def _open_conversation(
    event: InboundEvent, address: str, channel: str, answered: Contact | None, now: datetime
) -> Conversation:
    """Open a conversation, for the bot if it answers by the channel and somebody is known at the address."""
    debtors = debtors_at(address, channel=channel)
    # Why a person has to answer, '' where the bot can.
    mode_reason = ""
    if not debtors:
        mode_reason = "unknown_number"
    elif channel not in BOT_CHANNELS:
        mode_reason = channel
    return Conversation.objects.create(
        channel=channel,
        address=address,
        debtor=_identify_writer(debtors, answered, event),
        opened_at=now,
        last_at=now,
        mode=Conversation.Mode.PERSON if mode_reason else Conversation.Mode.BOT,
        mode_reason=mode_reason,
    )


def _identify_writer(debtors: list[Debtor], answered: Contact | None, event: InboundEvent) -> Debtor | None:
    """Return who writes if that is certain: the debtor whose contact the message names, or the only person there."""
    debtor_ids = {debtor.pk for debtor in debtors}
    if answered is not None and event.context_reference and answered.debtor_id in debtor_ids:
        return answered.debtor
    return single_person(debtors)


def _store_message(
    conversation: Conversation, event: InboundEvent, reference: str, provider_id: int | None, now: datetime
) -> None:
    """Store a message with its attachments, and mark its conversation as open and unread (the caller saves it)."""
    # A provider's clock may be ahead of ours.
    at = min(event.at, now)
    message = ConversationMessage.objects.create(
        conversation=conversation,
        direction=ConversationMessage.Direction.IN,
        text=event.text[:TEXT_MAX],
        at=at,
        received_at=now,
        provider_reference=reference,
        intent=f"{BUTTON_PREFIX}{event.button}" if event.button else "",
    )
    Attachment.objects.bulk_create(
        Attachment(
            message=message, name=media.name[:200], media_type=media.media_type, provider_media_id=media.media_id
        )
        for media in event.media
    )
    conversation.status = Conversation.Status.OPEN
    conversation.unread += 1
    conversation.provider_id = provider_id or conversation.provider_id
    # Messages do not always come in the order in which they were written.
    if conversation.last_inbound_at is None or conversation.last_inbound_at < at:
        conversation.last_inbound_at = at
    conversation.last_at = max(conversation.last_at, at)


def _route_conversation(conversation: Conversation, event: InboundEvent, now: datetime) -> None:
    """Close the conversation with an opt-out; leave other messages of a silenced address to a person; call the bot."""
    if is_address_silenced(conversation.address, channel=conversation.channel):
        kind = address_forms.point_kind(conversation.channel)
        forms = address_forms.list_forms(conversation.address, kind=kind)
        # The entry that this very message made, if it made one.
        entry = ConsentEntry.objects.filter(
            kind=kind, value__in=forms, act__in=_SILENCING_ACTS, at=min(event.at, now)
        ).first()
        conversation.mode = Conversation.Mode.PERSON
        conversation.mode_reason = entry.act.lower() if entry else "silent"
        if entry is not None:
            conversation.status = Conversation.Status.CLOSED
            conversation.closed_at = now
            conversation.messages.filter(direction="IN", received_at=now).update(intent=conversation.mode_reason)
    conversation.save()
    if conversation.channel in BOT_CHANNELS:
        # After the commit, or the job would not find the message; robust, since a job each minute catches up.
        transaction.on_commit(partial(_call_bot, conversation.pk), robust=True)


def _call_bot(conversation_id: int) -> None:
    app.configure_task("contact.answer").defer(conversation_id=conversation_id)
