"""Application of a provider's events: receipts, messages of debtors, decisions about templates."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence
from functools import partial

from django.db import transaction
from django.db.models import Q

from recobra.access.actors import Actor, Service, service_actor
from recobra.access.permissions import consequence, requires
from recobra.access.roles import Right
from recobra.consent import keywords
from recobra.consent.ledger import Act, Address, ConsentStatement, Source, find_address
from recobra.consent.opt_out import apply_opt_out, apply_resumption, apply_wrong_person
from recobra.conversations.inbound import receive_message
from recobra.conversations.models import ConversationMessage
from recobra.journal.operations import record_fact
from recobra.messaging.channels.adapter import Event, InboundEvent, ReceiptEvent, TemplateEvent
from recobra.messaging.channels.webhooks import clean_event
from recobra.messaging.facts import TemplateDecidedByProvider
from recobra.messaging.models import Contact, Provider, Template
from recobra.messaging.receipts.record import match_waiting_receipts, record_receipts
from recobra.portfolio import address_forms
from recobra.portfolio.models import ContactPoint

__all__ = ["NotApplied", "apply_events", "apply_wish", "match_waiting_receipts"]

_log = logging.getLogger(__name__)


class NotApplied(Exception):
    """Some of a call's events could not be applied; the others were. All of them may be applied again."""


@requires(Right.SERVE)
def apply_events(*, events: Sequence[Event], provider_id: int | None, channel: str = "email", actor: Actor) -> None:
    """Apply events, each once, however often and in whatever order they come.

    `channel` is that of events without a configured provider. Raises NotApplied.
    """
    if provider_id is not None:
        provider = Provider.objects.filter(pk=provider_id).first()
        channel = provider.channel if provider else channel
    events = [clean_event(event) for event in events]
    inbound = []
    for event in events:
        if isinstance(event, InboundEvent):
            address = address_forms.normalise_address(event.address, kind=address_forms.point_kind(channel))
            inbound.append(_date_as_first_received(dataclasses.replace(event, address=address), channel))
    inbound.sort(key=lambda event: (event.at, event.event_key))
    receipts = [event for event in events if isinstance(event, ReceiptEvent)]
    templates = [event for event in events if isinstance(event, TemplateEvent)]
    now = actor.now
    debtor = service_actor(Service.DEBTOR, now=now)
    follow_wish = partial(apply_wish, provider_id=provider_id, channel=channel, actor=debtor)
    store_message = partial(receive_message, provider_id=provider_id, channel=channel, actor=debtor)
    # Opt-outs first, and each step in its own transaction: nothing else that fails may undo one.
    steps: list[Callable[[], object]] = [
        *(partial(follow_wish, event=event) for event in inbound),
        partial(record_receipts, events=receipts, provider_id=provider_id, actor=actor),
        *(partial(_apply_template_decision, event, actor) for event in templates),
        *(partial(store_message, event=event) for event in inbound),
    ]
    failures: list[Exception] = []
    for step in steps:
        try:
            with transaction.atomic():
                step()
        except Exception as error:  # noqa: BLE001 - one event that fails must not keep the others from being applied
            failures.append(error)
    if failures:
        raise NotApplied(f"{len(failures)} of {len(steps)} steps failed; the first: {failures[0]!r}") from failures[0]


@consequence
@transaction.atomic
def apply_wish(*, event: InboundEvent, provider_id: int | None, channel: str, actor: Actor) -> str:
    """Follow a message that is an opt-out, a wrong person or a resumption.

    Returns the `ConsentEntry.Act`, '' for any other message.
    """
    kind = address_forms.point_kind(channel)
    forms = address_forms.list_forms(event.address, kind=kind)
    points = ContactPoint.objects.filter(kind=kind, value__in=forms)
    names = list(points.order_by("pk").values_list("debtor__name", flat=True))
    day = min(event.at, actor.now).date()
    act = None
    if event.button:
        # A network's own opt-out (Twilio's OptOutType) comes as a button whose code is the keyword.
        act = keywords.recognise_button(event.button) or keywords.recognise_act(event.button, day=day)
    if act is None:
        act = keywords.recognise_act(event.text, day=day, names=names)
    if act is None or not event.address:
        return ""
    if channel in {"ivr", "call"}:
        source = Source.KEYPAD
    elif event.button:
        source = Source.BUTTON
    else:
        source = Source.KEYWORD
    said = event.text or event.button
    statement = ConsentStatement(source=source, channel=channel, said=said, at=event.at, actor=actor)
    address = _find_writer(event, kind, forms, provider_id)
    if act == Act.NOT_ME:
        apply_wrong_person(address, statement)
    elif act == Act.OPTED_OUT:
        apply_opt_out(address, statement)
    elif kind == address_forms.EMAIL:
        # Anybody can write a sender into an e-mail: only the signed page ends a silence there.
        return ""
    else:
        apply_resumption(address, statement)
    return str(act)


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


def _date_as_first_received(event: InboundEvent, channel: str) -> InboundEvent:
    """Return a message with the time at which it came first, if it was received before."""
    # Gateways repeat messages, some without a time: a repeated ALTA would end a silence that was asked for after it.
    received = ConversationMessage.objects.filter(
        conversation__channel=channel,
        direction=ConversationMessage.Direction.IN,
        conversation__address__in=address_forms.list_forms(event.address, kind=address_forms.point_kind(channel)),
        provider_reference=event.provider_reference or event.event_key,
    )
    first_at = received.order_by("at", "pk").values_list("at", flat=True).first()
    if first_at is None:
        return event
    return dataclasses.replace(event, at=min(event.at, first_at))


def _apply_template_decision(event: TemplateEvent, actor: Actor) -> None:
    """Store what the provider decided about a template of ours, unless a later decision is known."""
    # The provider may name a language with its country («es_PE») where the template has the language alone.
    languages = {event.language, event.language[:2]}
    templates = Template.objects.filter(provider_name=event.name, language__in=languages)
    outdated = templates.filter(Q(provider_asked_at=None) | Q(provider_asked_at__lt=event.at)).exclude(
        provider_status=event.status
    )
    if outdated.update(provider_status=event.status, provider_asked_at=event.at):
        decided = TemplateDecidedByProvider(name=event.name, language=event.language, status=event.status)
        record_fact(decided, actor=actor)
    elif not templates.exists():
        _log.warning("The provider speaks of a template that is not ours: %s.", event.name)
