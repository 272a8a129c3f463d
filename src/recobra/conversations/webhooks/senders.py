"""Who writes: numbers that a provider hides, its own ids of people, and numbers that change hands."""

from __future__ import annotations

from django.db import transaction

from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.conversations.carried_silence import carry_silence
from recobra.conversations.facts import NumberChanged
from recobra.conversations.inbound import receive_notice
from recobra.conversations.models import Conversation
from recobra.journal.operations import record_fact
from recobra.messaging.channels.adapter import IdentityChangeEvent, InboundEvent
from recobra.messaging.models import Contact
from recobra.portfolio import address_forms
from recobra.portfolio.sql import mark_unusable


def resolve_address(event: InboundEvent, *, channel: str, provider_id: int | None) -> str:
    """Return the address that a message comes from, in the stored form.

    Of somebody whose number the provider hides it is the one to which went what is answered, else the one that this
    person showed before, else one that stands for the provider's id. '' where nothing is known of who writes.
    """
    kind = address_forms.point_kind(channel)
    address = address_forms.normalise_address(event.address, kind=kind)
    is_known = 0 < len(address) <= address_forms.ADDRESS_MAX
    # A name in the place of a number is no number, whatever figures are in it.
    if is_known and not (kind == address_forms.PHONE and address_forms.has_letters(event.address)):
        return address
    if event.context_reference:
        # Only who got a message can answer it.
        answered = Contact.objects.filter(
            provider_reference=event.context_reference, provider=provider_id, channel=channel
        ).exclude(address="")
        written_to = answered.values_list("address", flat=True).first()
        if written_to:
            return str(address_forms.normalise_address(written_to, kind=kind))
    if event.sender_id:
        shown = Conversation.objects.filter(channel=channel, sender_id=event.sender_id)
        numbers = shown.exclude(address__startswith=address_forms.SENDER).exclude(address="")
        known = numbers.order_by("-last_at", "-pk").values_list("address", flat=True).first()
        return known or address_forms.sender_address(event.sender_id)
    return address_forms.sender_address(event.address) if event.address.strip() else ""


@consequence
@transaction.atomic
def follow_sender(*, event: InboundEvent, channel: str, actor: Actor) -> None:
    """Let a silence that somebody asked for without a number hold for the number that is shown now."""
    if not event.sender_id or not address_forms.has_number(event.address):
        return
    carry_silence(address_forms.sender_address(event.sender_id), event.address, channel=channel, actor=actor)


@consequence
@transaction.atomic
def receive_identity_change(*, event: IdentityChangeEvent, provider_id: int | None, channel: str, actor: Actor) -> None:
    """Follow a person who has another number or id: silences go along, and a person is told, who decides the rest.

    The provider says that it is the same person; to write to the new number is nevertheless for people to decide.
    """
    kind = address_forms.point_kind(channel)
    old = address_forms.normalise_address(event.address, kind=kind)
    new = address_forms.normalise_address(event.new_address, kind=kind)
    new_ids = [address_forms.sender_address(event.new_sender_id)] if event.new_sender_id else []
    targets = [address for address in (new, *new_ids) if address]
    sources = [old] if old else []
    if event.sender_id:
        sources.append(address_forms.sender_address(event.sender_id))
    for source in sources:
        for target in targets:
            carry_silence(source, target, channel=channel, actor=actor)
    if event.sender_id and event.new_sender_id:
        Conversation.objects.filter(channel=channel, sender_id=event.sender_id).update(sender_id=event.new_sender_id)
    place = old or (sources[0] if sources else "")
    if not place:
        return
    if old and new and old != new:
        mark_unusable(kind=kind, forms=address_forms.list_forms(old, kind=kind), channel=channel)
    text = f"{old} → {new}" if old and new else ""
    notice = receive_notice(
        event=event, address=place, text=text, provider_id=provider_id, channel=channel, actor=actor
    )
    if notice is not None:
        changed = NumberChanged(conversation_id=notice.pk, channel=channel)
        record_fact(changed, actor=actor, debtor_id=notice.debtor_id)
