"""Simulated debtors of a demonstration: receipts of and replies to the messages of the built-in mailbox.

They go through the same door as a provider's call: `conversations.webhooks.apply`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from recobra.access.actors import Actor, Service, service_actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.conversations.bot_facts import identity_digits
from recobra.conversations.models import ConversationMessage
from recobra.conversations.webhooks.apply import NotApplied, apply_events
from recobra.messaging.channels import Button
from recobra.messaging.channels.adapter import InboundEvent, ReceiptEvent
from recobra.messaging.models import Contact, Receipt
from recobra.portfolio.models import Channel, ContactPoint
from recobra.portfolio.scope import check_portfolio

TEXT_CHANNELS: Final = (Channel.WHATSAPP, Channel.SMS)
REPLY_CHANNELS: Final = (*TEXT_CHANNELS, Channel.IVR)
_RECEIPT_KINDS: Final = {
    Channel.EMAIL: (Receipt.Kind.DELIVERED, Receipt.Kind.READ, Receipt.Kind.BOUNCED),
    Channel.WHATSAPP: (Receipt.Kind.DELIVERED, Receipt.Kind.READ, Receipt.Kind.BOUNCED),
    Channel.SMS: (Receipt.Kind.DELIVERED, Receipt.Kind.BOUNCED),
    Channel.IVR: (Receipt.Kind.ANSWERED, Receipt.Kind.NOT_ANSWERED),
}
# Of a hundred messages the first 2 bounce, those up to 7 bring no receipt at all, and the others arrive.
_BOUNCED_PERCENT: Final = 2
_SILENT_PERCENT: Final = 7
_READ_PERCENT: Final = {Channel.EMAIL: 55, Channel.WHATSAPP: 75}
_CLICKED_PERCENT: Final = {Channel.EMAIL: 15}
_ANSWERED_PERCENT: Final = 60


class SimulationRefused(Exception):
    """Nothing was simulated; the text says why, as it is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationOptions:
    """Actions that can be simulated for a message: a text (`may_write`), buttons, and receipts with their labels."""

    contact_id: int
    channel: str
    may_write: bool
    buttons: tuple[Button, ...]
    receipts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerableMessage:
    """A message that a simulated debtor can answer, with the digits that prove the debtor's identity."""

    public_id: UUID
    channel: str
    figures: str


def simulation_options(public_id: str) -> SimulationOptions | None:
    """Return what can be simulated for a message of the mailbox; None where nothing can, or outside a demonstration."""
    contact = _find_contact(public_id) if settings.DEMO else None
    if contact is None or contact.channel not in _RECEIPT_KINDS:
        return None
    buttons = _template_buttons(contact) if contact.channel in REPLY_CHANNELS else ()
    receipts = tuple((str(kind), str(kind.label)) for kind in _RECEIPT_KINDS[Channel(contact.channel)])
    return SimulationOptions(
        contact_id=contact.pk,
        channel=contact.channel,
        may_write=contact.channel in TEXT_CHANNELS,
        buttons=buttons,
        receipts=receipts,
    )


@requires(Right.ANSWER_MESSAGES)
def answer_as_debtor(*, public_id: str, text: str = "", button: str = "", key: str, actor: Actor) -> int | None:
    """Let a reply to a message come in, once for each `key`; return its conversation. Raises SimulationRefused."""
    contact = _demo_contact(public_id, actor)
    pressed_button = next((offered for offered in _template_buttons(contact) if offered.code == button), None)
    can_answer = contact.channel in REPLY_CHANNELS
    has_text = bool(text.strip()) and contact.channel in TEXT_CHANNELS
    if not can_answer or not (pressed_button or has_text):
        raise SimulationRefused(_("Write something first, or press one of its buttons."))
    reference = f"sandbox-{key}"
    event = InboundEvent(
        address=contact.address,
        text=pressed_button.title if pressed_button else text.strip(),
        at=actor.now,
        event_key=reference,
        provider_reference=reference,
        button=pressed_button.code if pressed_button else "",
        context_reference=contact.provider_reference,
    )
    _apply_events([event], contact.channel, actor.now)
    message = ConversationMessage.objects.filter(direction="IN", provider_reference=reference).first()
    return message.conversation_id if message else None


@requires(Right.ANSWER_MESSAGES)
def simulate_receipt(*, public_id: str, kind: str, actor: Actor) -> None:
    """Apply the receipt that a provider would send; the same again changes nothing. Raises SimulationRefused."""
    contact = _demo_contact(public_id, actor)
    if kind not in _RECEIPT_KINDS.get(Channel(contact.channel), ()):
        raise SimulationRefused(_("No provider tells that of a message of this kind."))
    _apply_events([_receipt_event(contact.public_id, kind, actor.now)], contact.channel, actor.now)


@requires(Right.SERVE)
def simulate_receipts(*, since: datetime, actor: Actor) -> int:
    """Apply receipts of all messages sent since an instant, the same on every machine; return how many."""
    contacts = _sent_contacts(since).filter(channel__in=list(_RECEIPT_KINDS)).order_by("pk")
    rows = contacts.values_list("public_id", "channel", "debtor__external_id", "sent_at")
    events: list[ReceiptEvent] = []
    for public_id, channel, debtor_number, sent_at in rows:
        # Nothing arrives before it was sent.
        arrived_at = actor.now if sent_at is None else max(actor.now, sent_at)
        # Drawn by the debtor's number, so that a repeated demonstration has the same outcome.
        chance = zlib.crc32(f"{channel}/{debtor_number}".encode())
        kinds = _draw_receipts(Channel(channel), chance)
        events += [_receipt_event(public_id, kind, arrived_at) for kind in kinds]
    applied_at = max((event.at for event in events), default=actor.now)
    _apply_events(events, "", applied_at)
    return len(events)


def answerable_messages(*, since: datetime) -> Iterator[AnswerableMessage]:
    """Yield messages sent since an instant to debtors who owe and can answer, one for each address; read ones first.

    The order is the same after some of them have answered.
    """
    sent = _sent_contacts(since).filter(channel__in=TEXT_CHANNELS, undelivered_at__isnull=True, template__isnull=False)
    claims = sent.exclude(template__stage="PREVENTIVE").select_related("debtor")
    claims = claims.order_by(F("read_at").asc(nulls_last=True), "-portfolio__code", "debtor__external_id", "-channel")
    addresses: set[str] = set()
    for contact in claims:
        figures = identity_digits(contact.debtor)
        if not figures or contact.address in addresses:
            continue
        # From a shared number nobody could tell which debtor answers.
        if ContactPoint.objects.filter(value=contact.address).exclude(debtor=contact.debtor_id).exists():
            continue
        addresses.add(contact.address)
        yield AnswerableMessage(public_id=contact.public_id, channel=contact.channel, figures=figures)


def _sent_contacts(since: datetime) -> QuerySet[Contact]:
    """Return the contacts that the demonstration itself sent, without replies in a conversation."""
    _require_demo()
    demo_contacts = Contact.objects.filter(conversation_id__isnull=True, provider__isnull=True)
    return demo_contacts.filter(status=Contact.Status.SENT, sent_at__gte=since)


def _draw_receipts(channel: Channel, chance: int) -> Iterator[str]:
    """Yield the receipts of a message; `chance` is any large number, drawn once for the message.

    Its last two digits decide whether the message arrives, the two before them what the debtor does then.
    """
    delivery_draw = chance % 100
    reaction_draw = chance // 100 % 100
    if channel == Channel.IVR:
        yield Receipt.Kind.ANSWERED if reaction_draw < _ANSWERED_PERCENT else Receipt.Kind.NOT_ANSWERED
    elif delivery_draw < _BOUNCED_PERCENT:
        yield Receipt.Kind.BOUNCED
    elif delivery_draw >= _SILENT_PERCENT:
        yield Receipt.Kind.DELIVERED
        if reaction_draw < _READ_PERCENT.get(channel, 0):
            yield Receipt.Kind.READ
        if reaction_draw < _CLICKED_PERCENT.get(channel, 0):
            yield Receipt.Kind.CLICKED


def _receipt_event(public_id: UUID, kind: str, at: datetime) -> ReceiptEvent:
    """Return a receipt as a provider reports it; the same message and kind have the same key, so they count once."""
    permanent = True if kind == Receipt.Kind.BOUNCED else None
    return ReceiptEvent(
        kind=kind, at=at, event_key=f"sandbox-{public_id}-{kind}", public_id=public_id, permanent=permanent
    )


def _apply_events(events: Sequence[InboundEvent | ReceiptEvent], channel: str, now: datetime) -> None:
    """Apply events as if a provider had reported them. Raises SimulationRefused. `channel` may be '' for receipts."""
    try:
        apply_events(
            events=events,
            provider_id=None,
            channel=channel or Channel.EMAIL,
            actor=service_actor(Service.PROVIDER, now=now),
        )
    except NotApplied as error:
        raise SimulationRefused(_("It came in and could not be worked: %(reason)s") % {"reason": error}) from error


def _require_demo() -> None:
    """Raise SimulationRefused outside of a demonstration."""
    if not settings.DEMO:
        raise SimulationRefused(_("Only in a demonstration can somebody answer in the name of a debtor."))


def _demo_contact(public_id: str, actor: Actor) -> Contact:
    """Return the contact behind a message of the mailbox. Raises SimulationRefused, OutOfScope."""
    _require_demo()
    contact = _find_contact(public_id)
    if contact is None:
        raise SimulationRefused(_("This message was not sent by the demonstration itself."))
    check_portfolio(actor, contact.portfolio_id)
    return contact


def _find_contact(public_id: str) -> Contact | None:
    """Return the contact behind a message of the mailbox, None where it is none or left by a real provider."""
    try:
        key = UUID(public_id)
    except ValueError:
        return None
    mailbox_contacts = Contact.objects.filter(provider__isnull=True, handed_over_at__isnull=False)
    return mailbox_contacts.select_related("template").filter(public_id=key).first()


def _template_buttons(contact: Contact) -> tuple[Button, ...]:
    """Return the buttons under a message, none for one without a template."""
    buttons = contact.template.buttons if contact.template else []
    return tuple(Button(code=button["code"], title=button["title"]) for button in buttons)
