"""Wishes in the messages that come in: opt-outs, wrong persons, resumptions, each on record before anything else."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import Final

from django.db import transaction
from django.db.models import Q

from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.consent import keywords
from recobra.consent.ledger import Act, Address, ConsentStatement, Source, find_address
from recobra.consent.opt_out import apply_opt_out, apply_resumption, apply_wrong_person
from recobra.messaging.channels.adapter import InboundEvent
from recobra.messaging.models import Contact
from recobra.portfolio import address_forms
from recobra.portfolio.models import ContactPoint

_REFUSALS: Final[dict[str, Callable[[Address, ConsentStatement], int]]] = {
    Act.NOT_ME: apply_wrong_person,
    Act.OPTED_OUT: apply_opt_out,
}
_PARAGRAPHS: Final = re.compile(r"\n\s*\n")
# Lines of a paragraph that runs on are longer: there a line may begin and end within a sentence.
_SHORT_LINE: Final = 40
_PARTS_MAX: Final = 100
_NO_WISH: Final = frozenset({"automatic", "revocation"})


@consequence
@transaction.atomic
def apply_wish(*, event: InboundEvent, provider_id: int | None, channel: str, actor: Actor) -> str:
    """Follow a message that is an opt-out, a wrong person or a resumption.

    Returns the `ConsentEntry.Act`, '' for any other message.
    """
    # A program's answer wishes nothing, and nobody takes an opt-out back by deleting the message.
    if event.form in _NO_WISH:
        return ""
    kind = address_forms.point_kind(channel)
    forms = address_forms.list_forms(event.address, kind=kind)
    points = ContactPoint.objects.filter(kind=kind, value__in=forms)
    names = list(points.order_by("pk").values_list("debtor__name", flat=True))
    day = min(event.at, actor.now).date()
    act = None
    if event.button:
        # A network's own opt-out (Twilio's OptOutType) comes as a button whose code is the keyword.
        act = keywords.recognise_button(event.button) or keywords.recognise_act(event.button, day=day)
    for text in _read_parts(event, kind):
        act = act or keywords.recognise_act(text, day=day, names=names)
    if act is None or not event.address:
        return ""
    if channel in {"ivr", "call"}:
        source = Source.KEYPAD
    elif event.button:
        source = Source.BUTTON
    else:
        source = Source.KEYWORD
    said = event.text or event.subject or event.button
    statement = ConsentStatement(source=source, channel=channel, said=said, at=event.at, actor=actor)
    address = _find_writer(event, kind, forms, provider_id)
    if act in _REFUSALS:
        for each in (address, *_addresses_of_answered(event, address)):
            _REFUSALS[act](each, statement)
    elif kind == address_forms.EMAIL:
        # Anybody can write a sender into an e-mail: only the signed page ends a silence there.
        return ""
    else:
        apply_resumption(address, statement)
    return str(act)


def _read_parts(event: InboundEvent, kind: str) -> list[str]:
    """Return the texts of a message each of which may be a wish by itself.

    Letters have a salutation, a signature and notes on confidentiality around the one word that counts.
    """
    if kind != address_forms.EMAIL:
        return [event.text] if event.text else []
    parts = [event.text, event.subject]
    for paragraph in _PARAGRAPHS.split(event.text):
        lines = [line for line in paragraph.splitlines() if line.strip()]
        parts.append(paragraph)
        if all(len(line) <= _SHORT_LINE for line in lines):
            parts.extend(lines)
    return [part for part in dict.fromkeys(parts) if part.strip()][:_PARTS_MAX]


def _find_writer(event: InboundEvent, kind: str, forms: Sequence[str], provider_id: int | None) -> Address:
    """Return the address that wrote, with the contact that it answers where that one went to it."""
    address = find_address(kind=kind, value=event.address)
    if not event.context_reference:
        return address
    went_there = Q(address__in=forms) | Q(point__kind=kind, point__value__in=forms)
    contact = Contact.objects.filter(
        went_there, provider_reference=event.context_reference, provider=provider_id
    ).first()
    if contact is None:
        return address
    return dataclasses.replace(address, debtor_id=contact.debtor_id, contact_id=contact.pk)


def _addresses_of_answered(event: InboundEvent, writer: Address) -> list[Address]:
    """Return the address of the contact that an e-mail answers, where that went elsewhere than the answer comes from.

    A mailbox that is forwarded is answered from the other one, and what must stop is what goes to the first.
    """
    if event.answers_id is None:
        return []
    contact = Contact.objects.filter(public_id=event.answers_id).first()
    if contact is None:
        return []
    answered = find_address(public_id=contact.public_id)
    return [] if set(answered.forms) & set(writer.forms) else [answered]
