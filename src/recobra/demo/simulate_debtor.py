"""Playing the debtor in a demonstration: what a provider would tell of a message in the built-in mailbox.

It goes through the same door as every provider's call: `conversations.webhooks.apply`.
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

from recobra.conversations.bot_facts import identity_digits
from recobra.conversations.models import ConversationMessage
from recobra.conversations.webhooks.apply import NotApplied, apply_events
from recobra.messaging.channels import Button
from recobra.messaging.channels.adapter import InboundEvent, ReceiptEvent
from recobra.messaging.models import Contact, Receipt
from recobra.portfolio.models import Channel, ContactPoint

TEXT_CHANNELS: Final = (Channel.WHATSAPP, Channel.SMS)
REPLY_CHANNELS: Final = (*TEXT_CHANNELS, Channel.IVR)
_RECEIPT_KINDS: Final = {
    Channel.EMAIL: (Receipt.Kind.DELIVERED, Receipt.Kind.READ, Receipt.Kind.BOUNCED),
    Channel.WHATSAPP: (Receipt.Kind.DELIVERED, Receipt.Kind.READ, Receipt.Kind.BOUNCED),
    Channel.SMS: (Receipt.Kind.DELIVERED, Receipt.Kind.BOUNCED),
    Channel.IVR: (Receipt.Kind.ANSWERED, Receipt.Kind.NOT_ANSWERED),
}
_BOUNCED, _SILENT = 2, 7  # of a hundred: never arrives, or nobody tells
_READ_PERCENT: Final = {Channel.EMAIL: 55, Channel.WHATSAPP: 75}
_CLICKED_PERCENT: Final = {Channel.EMAIL: 15}
_ANSWERED_PERCENT: Final = 60


class SimulationRefused(Exception):
    """Nothing was played; the text says why, as it is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationOptions:
    """What can be played with a message: words (`may_write`), buttons, and what may have become of it, with labels."""

    contact_id: int
    channel: str
    may_write: bool
    buttons: tuple[Button, ...]
    became: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerableMessage:
    """A message of the demonstration that somebody can answer, with the figures that prove who it is."""

    public_id: UUID
    channel: str
    figures: str


def simulation_options(public_id: str) -> SimulationOptions | None:
    """Return what can be played with a message of the mailbox; None outside demonstrations or where nothing can."""
    found = _find_contact(public_id) if settings.DEMO else None
    if found is None or found.channel not in _RECEIPT_KINDS:
        return None
    buttons = _template_buttons(found) if found.channel in REPLY_CHANNELS else ()
    became = tuple((str(kind), str(kind.label)) for kind in _RECEIPT_KINDS[Channel(found.channel)])
    return SimulationOptions(
        contact_id=found.pk,
        channel=found.channel,
        may_write=found.channel in TEXT_CHANNELS,
        buttons=buttons,
        became=became,
    )


def answer_as_debtor(*, public_id: str, text: str = "", button: str = "", key: str, now: datetime) -> int | None:
    """Let an answer to a message come in, once for each `key`; return its conversation. Raises SimulationRefused."""
    found = _demo_contact(public_id)
    pressed = next((each for each in _template_buttons(found) if each.code == button), None)
    if found.channel not in REPLY_CHANNELS or not (pressed or (text.strip() and found.channel in TEXT_CHANNELS)):
        raise SimulationRefused(_("Write something first, or press one of its buttons."))
    reference = f"sandbox-{key}"
    event = InboundEvent(
        address=found.address,
        text=pressed.title if pressed else text.strip(),
        at=now,
        event_key=reference,
        provider_reference=reference,
        button=pressed.code if pressed else "",
        context_reference=found.provider_reference,
    )
    _apply_events([event], found.channel, now)
    message = ConversationMessage.objects.filter(direction="IN", provider_reference=reference).first()
    return message.conversation_id if message else None


def simulate_receipt(*, public_id: str, became: str, now: datetime) -> None:
    """Apply the receipt that a provider would send; the same again changes nothing. Raises SimulationRefused."""
    found = _demo_contact(public_id)
    if became not in _RECEIPT_KINDS.get(Channel(found.channel), ()):
        raise SimulationRefused(_("No provider tells that of a message of this kind."))
    _apply_events([_receipt_event(found.public_id, became, now)], found.channel, now)


_TOLD_BY: Final = ("public_id", "channel", "debtor__external_id", "sent_at")


def simulate_receipts(*, since: datetime, now: datetime) -> int:
    """Tell what became of all that was sent since an instant, the same on every machine; return how many events.

    Nothing arrives before it was sent.
    """
    rows = _sent_contacts(since).filter(channel__in=list(_RECEIPT_KINDS)).order_by("pk")
    events = [
        _receipt_event(public_id, kind, max(now, sent_at or now))
        for public_id, channel, who, sent_at in rows.values_list(*_TOLD_BY)
        for kind in _draw_receipts(Channel(channel), zlib.crc32(f"{channel}/{who}".encode()))
    ]
    _apply_events(events, "", max((event.at for event in events), default=now))
    return len(events)


def answerable_messages(*, since: datetime) -> Iterator[AnswerableMessage]:
    """Yield what was sent since an instant to people who owe and can answer, those who have read theirs first.

    It is the same after some of them have answered. Each line is told of once.
    """
    sent = _sent_contacts(since).filter(channel__in=TEXT_CHANNELS, undelivered_at__isnull=True, template__isnull=False)
    found = sent.exclude(template__stage="PREVENTIVE").select_related("debtor")
    seen: set[str] = set()
    for each in found.order_by(
        F("read_at").asc(nulls_last=True), "-portfolio__code", "debtor__external_id", "-channel"
    ):
        figures = identity_digits(each.debtor)
        shared = ContactPoint.objects.filter(value=each.address).exclude(debtor=each.debtor_id).exists()
        if figures and not shared and each.address not in seen:
            seen.add(each.address)
            yield AnswerableMessage(public_id=each.public_id, channel=each.channel, figures=figures)


def _sent_contacts(since: datetime) -> QuerySet[Contact]:
    _require_demo()
    ours = Contact.objects.filter(conversation_id__isnull=True, provider__isnull=True)
    return ours.filter(status=Contact.Status.SENT, sent_at__gte=since)


def _draw_receipts(channel: Channel, chance: int) -> Iterator[str]:
    """Yield what becomes of a message; `chance` is any large number."""
    arrives, reads = chance % 100, chance // 100 % 100
    if channel == Channel.IVR:
        yield Receipt.Kind.ANSWERED if reads < _ANSWERED_PERCENT else Receipt.Kind.NOT_ANSWERED
    elif arrives < _BOUNCED:
        yield Receipt.Kind.BOUNCED
    elif arrives >= _SILENT:
        yield Receipt.Kind.DELIVERED
        if reads < _READ_PERCENT.get(channel, 0):
            yield Receipt.Kind.READ
        if reads < _CLICKED_PERCENT.get(channel, 0):
            yield Receipt.Kind.CLICKED


def _receipt_event(public_id: UUID, kind: str, now: datetime) -> ReceiptEvent:
    permanent = True if kind == Receipt.Kind.BOUNCED else None
    return ReceiptEvent(
        kind=kind, at=now, event_key=f"sandbox-{public_id}-{kind}", public_id=public_id, permanent=permanent
    )


def _apply_events(events: Sequence[InboundEvent | ReceiptEvent], channel: str, now: datetime) -> None:
    try:
        apply_events(events=events, provider_id=None, channel=channel or Channel.EMAIL, now=now)
    except NotApplied as failed:
        raise SimulationRefused(_("It came in and could not be worked: %(reason)s") % {"reason": failed}) from failed


def _require_demo() -> None:
    if not settings.DEMO:
        raise SimulationRefused(_("Only in a demonstration can somebody answer in the name of a debtor."))


def _demo_contact(public_id: str) -> Contact:
    _require_demo()
    found = _find_contact(public_id)
    if found is None:
        raise SimulationRefused(_("This message was not sent by the demonstration itself."))
    return found


def _find_contact(public_id: str) -> Contact | None:
    """Return the contact behind a message of the mailbox, None where it is none or left by a real provider."""
    try:
        key = UUID(public_id)
    except ValueError:
        return None
    found = Contact.objects.select_related("template").filter(public_id=key, provider__isnull=True).first()
    return found if found is not None and found.handed_over_at is not None else None


def _template_buttons(contact: Contact) -> tuple[Button, ...]:
    offered = contact.template.buttons if contact.template else []
    return tuple(Button(code=each["code"], title=each["title"]) for each in offered)
