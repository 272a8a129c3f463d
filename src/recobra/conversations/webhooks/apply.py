"""What a provider tells us: what became of messages, what debtors answer, what it decided about templates."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Q

from recobra.consent import keywords
from recobra.consent.ledger import Act, Address, ConsentStatement, Source, find_address
from recobra.consent.opt_out import apply_opt_out, apply_resumption, apply_wrong_person
from recobra.conversations.inbound import receive_message
from recobra.conversations.models import ConversationMessage
from recobra.journal.operations import record
from recobra.messaging.channels.adapter import Event, InboundEvent, ReceiptEvent, TemplateEvent
from recobra.messaging.models import Contact, Provider, Template
from recobra.messaging.receipts.record import match_waiting_receipts, record_receipts
from recobra.portfolio import address_forms
from recobra.portfolio.models import ContactPoint

__all__ = ["NotApplied", "apply_events", "apply_wish", "match_waiting_receipts"]

_log = logging.getLogger(__name__)


class NotApplied(Exception):
    """Some of a call's events could not be worked; the others were. All of them may be applied again."""


def apply_events(*, events: Sequence[Event], provider_id: int | None, now: datetime, channel: str = "email") -> None:
    """Let events count, each once however often and in whatever order they come.

    Wishes come first and stand for themselves: nothing else that fails may undo them. `channel` is that of events
    without a configured provider. Raises NotApplied.
    """
    provider = Provider.objects.filter(pk=provider_id).first() if provider_id is not None else None
    channel = provider.channel if provider else channel
    inbound = [_as_first_told(_as_kept(e, channel), channel) for e in events if isinstance(e, InboundEvent)]
    inbound.sort(key=lambda event: (event.at, event.event_key))
    receipts = [e for e in events if isinstance(e, ReceiptEvent)]
    work: list[Callable[[], object]] = [
        *(partial(apply_wish, event=e, provider_id=provider_id, channel=channel, now=now) for e in inbound),
        partial(record_receipts, events=receipts, provider_id=provider_id, now=now),
        *(partial(_template, e, now) for e in events if isinstance(e, TemplateEvent)),
        *(partial(receive_message, event=e, provider_id=provider_id, channel=channel, now=now) for e in inbound),
    ]
    _do_all(work)


def _do_all(work: Sequence[Callable[[], object]]) -> None:
    failures: list[Exception] = []
    for step in work:
        try:
            with transaction.atomic():
                step()
        except Exception as error:  # noqa: BLE001 - one event that cannot be worked keeps no other from it
            failures.append(error)
    if failures:
        raise NotApplied(f"{len(failures)} of {len(work)} steps failed; the first: {failures[0]!r}") from failures[0]


@transaction.atomic
def apply_wish(*, event: InboundEvent, provider_id: int | None, channel: str, now: datetime) -> str:
    """Follow the wish that a message is; return which one (`ConsentEntry.Act`), '' where it is none."""
    kind = address_forms.point_kind(channel)
    forms = address_forms.list_forms(event.address, kind=kind)
    names = _names(kind, forms)
    day = min(event.at, now).date()
    # A network's own opt-out (Twilio's OptOutType) comes as a button whose code is the keyword.
    act = (
        keywords.recognise_button(event.button) or keywords.recognise_act(event.button, day=day)
        if event.button
        else None
    )
    act = act or keywords.recognise_act(event.text, day=day, names=names)
    if act is None or not event.address:
        return ""
    said = ConsentStatement(
        source=_source(event, channel), channel=channel, said=event.text or event.button, at=event.at, now=now
    )
    line = _about(event, kind, forms, provider_id)
    if act == Act.NOT_ME:
        apply_wrong_person(line, said)
    elif act == Act.OPTED_OUT:
        apply_opt_out(line, said)
    elif kind == address_forms.EMAIL:
        return ""  # anybody can write a sender into an e-mail: only the signed page ends that silence
    else:
        apply_resumption(line, said)
    return str(act)


def _source(event: InboundEvent, channel: str) -> str:
    if channel in {"ivr", "call"}:
        return Source.KEYPAD
    return Source.BUTTON if event.button else Source.KEYWORD


def _names(kind: str, forms: Sequence[str]) -> list[str]:
    found = ContactPoint.objects.filter(kind=kind, value__in=forms)
    return list(found.order_by("pk").values_list("debtor__name", flat=True))


def _about(event: InboundEvent, kind: str, forms: Sequence[str], provider_id: int | None) -> Address:
    """Return the line that wrote, with the contact that was answered where that one went to it."""
    line = find_address(kind=kind, value=event.address)
    if not event.context_reference:
        return line
    went = Q(address__in=forms) | Q(point__kind=kind, point__value__in=forms)
    found = Contact.objects.filter(went, provider_reference=event.context_reference, provider=provider_id).first()
    return dataclasses.replace(line, debtor_id=found.debtor_id, contact_id=found.pk) if found else line


def _as_kept(event: InboundEvent, channel: str) -> InboundEvent:
    return dataclasses.replace(
        event, address=address_forms.normalise_address(event.address, kind=address_forms.point_kind(channel))
    )


def _as_first_told(event: InboundEvent, channel: str) -> InboundEvent:
    """Return a message dated as when it came first: told again later without a time of its own, it is not said again.

    An ALTA that its gateway repeats would end the silence that was asked for after it.
    """
    same = ConversationMessage.objects.filter(
        conversation__channel=channel,
        direction=ConversationMessage.Direction.IN,
        conversation__address__in=address_forms.list_forms(event.address, kind=address_forms.point_kind(channel)),
        provider_reference=event.provider_reference or event.event_key,
    )
    first = same.order_by("at", "pk").values_list("at", flat=True).first()
    return event if first is None else dataclasses.replace(event, at=min(event.at, first))


def _template(event: TemplateEvent, now: datetime) -> None:
    """Note what the provider decided about a template of ours; what it said before that changes nothing."""
    fits = Template.objects.filter(provider_name=event.name, language__in={event.language, event.language[:2]})
    known = fits.filter(Q(provider_asked_at=None) | Q(provider_asked_at__lt=event.at)).exclude(
        provider_status=event.status
    )
    if known.update(provider_status=event.status, provider_asked_at=event.at):
        record(
            "template.decided_by_provider",
            at=now,
            actor="provider",
            payload={"name": event.name, "language": event.language, "status": event.status},
        )
    elif not fits.exists():
        _log.warning("The provider speaks of a template that is not ours: %s.", event.name)
