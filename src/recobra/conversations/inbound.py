"""What debtors write: kept once, under the conversation of its line, for the bot or a person to answer."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial
from typing import Final

from django.db import connection, transaction
from procrastinate.contrib.django import app

from recobra.consent.models import ConsentEntry
from recobra.conversations.counterparty import debtors_at, find_answered_contact, is_silenced, single_person
from recobra.conversations.models import Attachment, Conversation, ConversationMessage
from recobra.journal.operations import record
from recobra.messaging.channels.adapter import InboundEvent
from recobra.messaging.models import Contact
from recobra.portfolio import address_forms
from recobra.portfolio.models import Debtor

# An e-mail's sender proves nothing and machines answer machines there: people read it.
BOT_CHANNELS: Final = frozenset({"whatsapp", "sms"})
BUTTON_PREFIX: Final = "button:"
TEXT_MAX: Final = 20_000
_WISHES = (ConsentEntry.Act.OPTED_OUT, ConsentEntry.Act.NOT_ME)
_log = logging.getLogger(__name__)


@transaction.atomic
def receive_message(
    *, event: InboundEvent, provider_id: int | None, channel: str, now: datetime
) -> Conversation | None:
    """Keep a message and return its conversation; None where nobody can be answered because no sender is named.

    The same message again changes nothing. A wish for silence was followed before: nothing is answered to it.
    """
    kind = address_forms.point_kind(channel)
    address = address_forms.normalise_address(event.address, kind=kind)
    if not address:
        _log.warning("A message by %s names no sender and is not kept.", channel)
        return None
    reference = event.provider_reference or event.event_key
    forms = address_forms.list_forms(address, kind=kind)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 5))", [f"{channel} {min(forms)}"])
    of_line = Conversation.objects.filter(channel=channel, address__in=forms)
    known = of_line.filter(messages__direction="IN", messages__provider_reference=reference).first()
    if known is not None:
        return known
    answered = find_answered_contact(event, address=address, channel=channel, provider_id=provider_id)
    open_one = of_line.exclude(status=Conversation.Status.CLOSED).select_for_update().first()
    found = open_one or _begin(event, address, channel, answered, now)
    if found.debtor_id is None:  # a load since may have told whose it is
        found.debtor = _whose(debtors_at(address, channel=channel), answered, event)
    _keep(found, event, reference, provider_id, now)
    _settle(found, event, now)
    _tell(found, answered, event, now)
    return found


def _begin(event: InboundEvent, address: str, channel: str, answered: Contact | None, now: datetime) -> Conversation:
    known = debtors_at(address, channel=channel)
    debtor = _whose(known, answered, event)
    by_bot = channel in BOT_CHANNELS and bool(known)
    return Conversation.objects.create(
        channel=channel,
        address=address,
        debtor=debtor,
        opened_at=now,
        last_at=now,
        mode=Conversation.Mode.BOT if by_bot else Conversation.Mode.PERSON,
        mode_reason="" if by_bot else ("unknown_number" if not known else channel),
    )


def _whose(known: list[Debtor], answered: Contact | None, event: InboundEvent) -> Debtor | None:
    """Return who writes where that is sure: the only person of the line, or who was written to and answers that."""
    if answered is not None and event.context_reference and answered.debtor_id in {each.pk for each in known}:
        return answered.debtor
    return single_person(known)


def _keep(found: Conversation, event: InboundEvent, reference: str, provider_id: int | None, now: datetime) -> None:
    at = min(event.at, now)
    message = ConversationMessage.objects.create(
        conversation=found,
        direction=ConversationMessage.Direction.IN,
        text=event.text[:TEXT_MAX],
        at=at,
        received_at=now,
        provider_reference=reference,
        intent=f"{BUTTON_PREFIX}{event.button}" if event.button else "",
    )
    Attachment.objects.bulk_create(
        Attachment(message=message, name=each.name[:200], media_type=each.media_type, provider_media_id=each.media_id)
        for each in event.media
    )
    found.status, found.unread = Conversation.Status.OPEN, found.unread + 1
    found.provider_id = provider_id or found.provider_id
    found.last_inbound_at = max(filter(None, (found.last_inbound_at, at)))
    found.last_at = max(found.last_at, at)


def _settle(found: Conversation, event: InboundEvent, now: datetime) -> None:
    """Close what ends with a wish for silence; what comes from a silent line goes to a person."""
    if is_silenced(found.address, channel=found.channel):
        kind = address_forms.point_kind(found.channel)
        forms = address_forms.list_forms(found.address, kind=kind)
        said = ConsentEntry.objects.filter(kind=kind, value__in=forms, act__in=_WISHES, at=min(event.at, now)).first()
        found.mode, found.mode_reason = Conversation.Mode.PERSON, said.act.lower() if said else "silent"
        if said is not None:
            found.status, found.closed_at = Conversation.Status.CLOSED, now
        if said is not None:
            found.messages.filter(direction="IN", received_at=now).update(intent=found.mode_reason)
    found.save()
    if found.channel in BOT_CHANNELS:
        transaction.on_commit(partial(_ask_bot, found.pk), robust=True)


def _ask_bot(conversation_id: int) -> None:
    app.configure_task("contact.answer").defer(conversation_id=conversation_id)


def _tell(found: Conversation, answered: Contact | None, event: InboundEvent, now: datetime) -> None:
    if answered is not None and answered.replied_at is None:
        Contact.objects.filter(pk=answered.pk, replied_at__isnull=True).update(replied_at=min(event.at, now))
    about = answered if answered is not None and answered.debtor_id == found.debtor_id else None
    record(
        "conversation.received",
        at=now,
        actor="debtor",
        debtor_id=found.debtor_id,
        portfolio_id=about.portfolio_id if about else None,
        contact_id=about.pk if about else None,
        payload={"conversation_id": found.pk, "channel": found.channel},
    )
