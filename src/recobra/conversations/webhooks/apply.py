"""Application of a provider's events: receipts, messages of debtors, news of our account and templates."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial

from django.db import transaction

from recobra.access.actors import Actor, Service, service_actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.conversations.inbound import receive_message
from recobra.conversations.models import ConversationMessage
from recobra.conversations.webhooks.senders import follow_sender, receive_identity_change, resolve_address
from recobra.conversations.webhooks.wishes import apply_wish
from recobra.messaging.channels.adapter import (
    AccountEvent,
    Event,
    IdentityChangeEvent,
    InboundEvent,
    ReceiptEvent,
    TemplateEvent,
    TemplateQualityEvent,
)
from recobra.messaging.channels.webhooks import clean_event
from recobra.messaging.models import Provider
from recobra.messaging.operations import apply_account_news, apply_template_decision, apply_template_quality
from recobra.messaging.receipts.record import record_receipts
from recobra.portfolio import address_forms


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
            address = resolve_address(event, channel=channel, provider_id=provider_id)
            inbound.append(_date_as_first_received(dataclasses.replace(event, address=address), channel))
    inbound.sort(key=lambda event: (event.at, event.event_key))
    receipts = [event for event in events if isinstance(event, ReceiptEvent)]
    debtor = service_actor(Service.DEBTOR, now=actor.now)
    follow_wish = partial(apply_wish, provider_id=provider_id, channel=channel, actor=debtor)
    store_message = partial(receive_message, provider_id=provider_id, channel=channel, actor=debtor)
    # Opt-outs first, and each step in its own transaction: nothing else that fails may undo one.
    steps: list[Callable[[], object]] = [
        *(partial(follow_sender, event=event, channel=channel, actor=actor) for event in inbound),
        *(partial(follow_wish, event=event) for event in inbound),
        partial(record_receipts, events=receipts, provider_id=provider_id, actor=actor),
        *(partial(store_message, event=event) for event in inbound),
    ]
    for event in events:
        match event:
            case TemplateEvent():
                steps.append(partial(apply_template_decision, event=event, provider_id=provider_id, actor=actor))
            case TemplateQualityEvent():
                steps.append(partial(apply_template_quality, event=event, provider_id=provider_id, actor=actor))
            case AccountEvent():
                steps.append(partial(apply_account_news, event=event, provider_id=provider_id, actor=actor))
            case IdentityChangeEvent():
                news = partial(receive_identity_change, provider_id=provider_id, channel=channel)
                steps.append(partial(news, event=event, actor=actor))
            case _:
                pass  # the others are above, or lead to nothing and are named on their call
    failures: list[Exception] = []
    for step in steps:
        try:
            with transaction.atomic():
                step()
        except Exception as error:  # noqa: BLE001 - one event that fails must not keep the others from being applied
            failures.append(error)
    if failures:
        raise NotApplied(f"{len(failures)} of {len(steps)} steps failed; the first: {failures[0]!r}") from failures[0]


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
