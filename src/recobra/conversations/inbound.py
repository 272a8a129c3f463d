"""Storing of inbound messages: each once, in the conversation of its address, for the bot or a person to answer."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Final

from django.db import transaction
from procrastinate.contrib.django import app

from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.consent.models import ConsentEntry
from recobra.conversations.carried_silence import carry_to_debtor
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
from recobra.messaging.channels.adapter import IdentityChangeEvent, InboundEvent
from recobra.messaging.models import Contact
from recobra.portfolio import address_forms
from recobra.portfolio.models import Debtor
from recobra.portfolio.sql import keep_named

# Not e-mail: its sender proves nothing, and machines answer machines there. People read it.
BOT_CHANNELS: Final = frozenset({"whatsapp", "sms"})
BUTTON_PREFIX: Final = "button:"
NUMBER_CHANGED: Final = "number_changed"
QUOTE_LINE: Final = "―" * 12
TEXT_MAX: Final = 20_000
# The forms that somebody has to answer.
_ANSWERED: Final = frozenset({"message", "edit"})
UNTOLD_FORMS: Final = frozenset({"automatic", "revocation"})
"""Forms that are no news of a debtor; they are the intents of such messages too."""
_SILENCING_ACTS = (ConsentEntry.Act.OPTED_OUT, ConsentEntry.Act.NOT_ME)


@consequence
@transaction.atomic
def receive_message(*, event: InboundEvent, provider_id: int | None, channel: str, actor: Actor) -> Conversation:
    """Store a message and return its conversation, that of unknown senders where none is named.

    The actor is whoever wrote. A message that is stored already changes nothing. An opt-out in it was recorded before
    this, and is not answered. Reactions, automatic answers and messages that were taken back are shown, and nobody is
    waited for.
    """
    now = actor.now
    kind = address_forms.point_kind(channel)
    address = address_forms.normalise_address(event.address, kind=kind)
    if not address or len(address) > address_forms.ADDRESS_MAX:
        address = address_forms.sender_address(event.sender_id or event.address)
    reference = event.provider_reference or event.event_key
    forms = address_forms.list_forms(address, kind=kind)
    lock_address(address, channel=channel)
    at_address = Conversation.objects.filter(channel=channel, address__in=forms)
    known = at_address.filter(messages__direction="IN", messages__provider_reference=reference).first()
    # A provider repeats a call that it got no answer to.
    if known is not None:
        return known
    answered = find_answered_contact(event, address=address, channel=channel, provider_id=provider_id)
    # What nobody has to answer does not open a conversation again.
    going_on = at_address.exclude(status=Conversation.Status.CLOSED) if event.form in _ANSWERED else at_address
    conversation = going_on.select_for_update().order_by("-pk").first()
    if conversation is None:
        conversation = _open_conversation(event, address, channel, answered, now)
    elif conversation.debtor_id is None:
        # A file loaded since may have named the debtor of this number.
        _debtors, conversation.debtor = _find_writer(event, address, channel, answered)
    _store_message(conversation, event, reference, provider_id, now)
    _route_conversation(conversation, event, actor)
    if event.form not in UNTOLD_FORMS:
        _record_reply(conversation, event, answered, actor)
    return conversation


def _record_reply(conversation: Conversation, event: InboundEvent, answered: Contact | None, actor: Actor) -> None:
    """Record that a debtor wrote, on the contact that was answered and in the journal."""
    if answered is not None and answered.replied_at is None:
        replied_at = min(event.at, actor.now)
        Contact.objects.filter(pk=answered.pk, replied_at__isnull=True).update(replied_at=replied_at)
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


def _open_conversation(
    event: InboundEvent, address: str, channel: str, answered: Contact | None, now: datetime
) -> Conversation:
    """Open a conversation, for the bot if it answers by the channel and somebody is known at the address."""
    debtors, writer = _find_writer(event, address, channel, answered)
    # Why a person has to answer, '' where the bot can.
    mode_reason = ""
    if not address_forms.has_number(address):
        mode_reason = "no_number"
    elif not debtors:
        mode_reason = "unknown_number"
    elif channel not in BOT_CHANNELS:
        mode_reason = channel
    waits = event.form in _ANSWERED
    return Conversation.objects.create(
        channel=channel,
        address=address,
        debtor=writer,
        status=Conversation.Status.OPEN if waits else Conversation.Status.CLOSED,
        closed_at=None if waits else now,
        opened_at=now,
        last_at=now,
        mode=Conversation.Mode.PERSON if mode_reason else Conversation.Mode.BOT,
        mode_reason=mode_reason,
    )


def _find_writer(
    event: InboundEvent, address: str, channel: str, answered: Contact | None
) -> tuple[list[Debtor], Debtor | None]:
    """Return the debtors at an address, and who of them writes if that is certain."""
    debtors = debtors_at(address, channel=channel)
    writer = _identify_writer(debtors, answered, event)
    if writer is None or keep_named([writer.pk]):
        return debtors, writer
    # Anonymised in this moment: the number is nobody's any more, or another debtor's.
    debtors = debtors_at(address, channel=channel)
    writer = _identify_writer(debtors, answered, event)
    return debtors, writer if writer is not None and keep_named([writer.pk]) else None


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
    original = _find_original(conversation, event)
    intent = f"{BUTTON_PREFIX}{event.button}" if event.button else ""
    message = ConversationMessage.objects.create(
        conversation=conversation,
        direction=ConversationMessage.Direction.IN,
        text=shown_text(event)[:TEXT_MAX],
        at=at,
        received_at=now,
        provider_reference=reference,
        intent=intent if event.form in _ANSWERED else event.form,
        replaces=original,
    )
    Attachment.objects.bulk_create(
        Attachment(
            message=message, name=media.name[:200], media_type=media.media_type, provider_media_id=media.media_id
        )
        for media in event.media
    )
    if original is not None and not original.intent:
        # The bot answers the newest version alone.
        original.intent = "replaced"
        original.save(update_fields=["intent"])
    conversation.provider_id = provider_id or conversation.provider_id
    conversation.sender_id = event.sender_id or conversation.sender_id
    conversation.last_at = max(conversation.last_at, at)
    if event.form not in _ANSWERED:
        return
    conversation.status = Conversation.Status.OPEN
    conversation.unread += 1
    # Messages do not always come in the order in which they were written.
    if conversation.last_inbound_at is None or conversation.last_inbound_at < at:
        conversation.last_inbound_at = at


@consequence
@transaction.atomic
def receive_notice(
    *, event: IdentityChangeEvent, address: str, text: str, provider_id: int | None, channel: str, actor: Actor
) -> Conversation | None:
    """Show people what a provider says of a person, in the conversation with an address; None where it stands there."""
    lock_address(address, channel=channel)
    forms = address_forms.list_forms(address, kind=address_forms.point_kind(channel))
    at_address = Conversation.objects.filter(channel=channel, address__in=forms)
    if at_address.filter(messages__provider_reference=event.provider_reference).exists():
        return None
    conversation = at_address.exclude(status=Conversation.Status.CLOSED).select_for_update().first()
    if conversation is None:
        debtor = single_person(debtors_at(address, channel=channel))
        conversation = Conversation(channel=channel, address=address, debtor=debtor, opened_at=actor.now)
    conversation.status = Conversation.Status.OPEN
    conversation.mode = Conversation.Mode.PERSON
    conversation.mode_reason = NUMBER_CHANGED
    conversation.unread += 1
    conversation.last_at = actor.now
    conversation.provider_id = provider_id or conversation.provider_id
    conversation.save()
    ConversationMessage.objects.create(
        conversation=conversation,
        direction=ConversationMessage.Direction.NOTE,
        author=actor.name,
        text=text,
        intent=NUMBER_CHANGED,
        at=min(event.at, actor.now),
        received_at=actor.now,
        provider_reference=event.provider_reference,
    )
    return conversation


def shown_text(event: InboundEvent) -> str:
    """Return the words of a message as people read them: the writer's own first, what is quoted below a line."""
    quoted = f"{QUOTE_LINE}\n{event.quoted}" if event.quoted and event.text else event.quoted
    return "\n\n".join(part for part in (event.subject, event.text, quoted) if part)


def _find_original(conversation: Conversation, event: InboundEvent) -> ConversationMessage | None:
    """Return the message that was edited or taken back, None where it never came or this is none of that."""
    if not event.replaces or event.form == "reaction":
        return None
    written = ConversationMessage.objects.filter(
        conversation__channel=conversation.channel,
        conversation__address=conversation.address,
        direction=ConversationMessage.Direction.IN,
        provider_reference=event.replaces,
    )
    return written.order_by("-pk").first()


def _route_conversation(conversation: Conversation, event: InboundEvent, actor: Actor) -> None:
    """Close the conversation with an opt-out; leave other messages of a silenced address to a person; call the bot."""
    if is_address_silenced(conversation.address, channel=conversation.channel):
        _leave_silenced(conversation, event, actor)
    conversation.save()
    if conversation.channel in BOT_CHANNELS:
        # After the commit, or the job would not find the message; robust, since a job each minute catches up.
        transaction.on_commit(partial(_call_bot, conversation.pk), robust=True)


def _leave_silenced(conversation: Conversation, event: InboundEvent, actor: Actor) -> None:
    """Close a conversation with the opt-out that a message is; leave any other message there to a person."""
    now = actor.now
    kind = address_forms.point_kind(conversation.channel)
    forms = address_forms.list_forms(conversation.address, kind=kind)
    # The entry that this very message made, if it made one.
    made = ConsentEntry.objects.filter(kind=kind, value__in=forms, act__in=_SILENCING_ACTS, at=min(event.at, now))
    entry = made.first()
    if entry is None and event.form not in _ANSWERED:
        return
    conversation.mode = Conversation.Mode.PERSON
    conversation.mode_reason = entry.act.lower() if entry else "silent"
    if entry is None:
        return
    conversation.messages.filter(direction="IN", received_at=now).update(intent=entry.act.lower())
    is_opt_out = entry.act == ConsentEntry.Act.OPTED_OUT
    if address_forms.has_number(conversation.address) or (is_opt_out and carry_to_debtor(conversation, actor=actor)):
        conversation.status = Conversation.Status.CLOSED
        conversation.closed_at = now
    else:
        # The wish holds only here until a person says whose it is.
        conversation.status = Conversation.Status.OPEN
        conversation.mode_reason = "no_number_silent"


def _call_bot(conversation_id: int) -> None:
    app.configure_task("contact.answer").defer(conversation_id=conversation_id)
