"""Automatic calls in progress: what a call says next, and what follows from the keys that were pressed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Final
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pyarrow as pa
from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor, Service, service_actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.agreements.operations import PromiseRefused, register_promise
from recobra.consent.ledger import Source
from recobra.consent.opt_out import record_opt_out, record_wrong_person
from recobra.consent.queries import is_silenced
from recobra.conversations import identity_attempts
from recobra.conversations.bot_facts import is_office_open
from recobra.conversations.facts import IdentityRefused, PersonAsked
from recobra.conversations.webhooks.receive import UnknownProvider, refuse_forged
from recobra.journal.operations import record_fact
from recobra.kit.encrypted_field import UnreadableText
from recobra.kit.zones import local_date
from recobra.messaging.channels import ADAPTERS
from recobra.messaging.channels.adapter import Config, ReceiptEvent, WebhookRequest
from recobra.messaging.channels.twilio_voice import dialogue, links
from recobra.messaging.channels.twilio_voice.dialogue import CallAction, CallFacts, Position, Turn
from recobra.messaging.channels.webhooks import clean_text, parse_form
from recobra.messaging.models import Contact, Provider
from recobra.messaging.outbox.plan import PLANNED, PLANNED_OPTIONAL, plan_contacts
from recobra.messaging.providers import routing
from recobra.messaging.receipts.record import record_receipts
from recobra.policy.portfolio_policies import policy_on
from recobra.portfolio.identity import MAX_TRIES
from recobra.portfolio.models import Channel

HANGUP_TWIML: Final = '<?xml version="1.0" encoding="UTF-8"?><Response><Hangup/></Response>'
# Steps at which wrong answers still count.
_BEFORE_IDENTITY: Final = frozenset({dialogue.FIRST_STEP, "identity", "stranger"})
_WITHDRAWN: Final = (Contact.Status.CANCELLED, Contact.Status.BLOCKED)


@requires(Right.SERVE)
def next_call_turn(*, provider_code: str, token: str, call: WebhookRequest, actor: Actor) -> str:
    """Return the TwiML of a call's next turn, and carry out what the debtor chose in this one, each choice once.

    A call that was cancelled, or whose number is silenced, is hung up. Raises UnknownProvider, ForgedCall.
    """
    public_id = links.contact_of_call(token)
    provider = Provider.objects.filter(code=provider_code, kind="twilio_voice").first()
    calls = Contact.objects.select_related("debtor__creditor", "point", "portfolio").filter(channel=Channel.IVR)
    contact = calls.filter(public_id=public_id).first() if public_id else None
    if provider is None or contact is None:
        raise UnknownProvider(provider_code)
    config = routing.build_config(provider)
    refuse_forged(provider, ADAPTERS[provider.kind], call, config, actor=actor)
    # Twilio sends the keys in the form; our own address carries where the call stands.
    form = {name: clean_text(value) for name, value in parse_form(call)}
    query = dict(parse_qsl(urlsplit(call.url).query))
    position = dialogue.read_position(query, form)
    if contact.status in _WITHDRAWN:
        return HANGUP_TWIML
    # Perhaps only since the call was planned.
    point = contact.point
    if position.step == dialogue.FIRST_STEP and point is not None and is_silenced(kind=point.kind, value=point.value):
        return HANGUP_TWIML
    url = links.voice_url(contact.public_id, provider.code)
    facts = _collect_facts(contact, config, url, form, actor.now)
    turn_key = f"{form.get('CallSid', '')}:{position.tries}"
    turn = _take_turn(position, facts, contact, turn_key, actor.now)
    _perform_actions(contact, provider, turn, actor.now)
    return turn.twiml


@transaction.atomic
def _take_turn(position: Position, facts: CallFacts, contact: Contact, turn_key: str, now: datetime) -> Turn:
    """Return the call's next turn; wrong answers given elsewhere count as if they had been given in this call.

    Twilio repeats a request that took too long: the same `turn_key` is the same try.
    """
    if position.step not in _BEFORE_IDENTITY:
        return dialogue.next_turn(position, facts)
    identity_attempts.lock_attempts([contact.debtor_id])
    wrong = identity_attempts.recent_wrong_answers(contact.debtor_id, now=now)
    of_this_turn = [attempt for attempt in wrong if attempt.contact_id == contact.pk and attempt.turn == turn_key]
    earlier = [attempt for attempt in wrong if attempt not in of_this_turn]
    is_repeated = bool(of_this_turn)
    if len(earlier) >= MAX_TRIES:
        # Nothing is compared any more: only a person can tell who it is.
        facts = replace(facts, identity="")
    if position.step == "identity":
        position = replace(position, tries=max(position.tries, len(earlier)))
    turn = dialogue.next_turn(position, facts)
    is_compared = position.step == "identity" and bool(facts.identity)
    is_answer = bool(position.pressed) and not position.is_silent
    is_wrong = is_compared and is_answer and CallAction.IDENTIFIED not in turn.actions
    if is_wrong and not is_repeated:
        identity_attempts.record_wrong_answer(
            IdentityRefused(channel=Channel.IVR.value, turn=turn_key),
            debtor_id=contact.debtor_id,
            portfolio_id=contact.portfolio_id,
            contact_id=contact.pk,
            actor=service_actor(Service.DEBTOR, now=now),
        )
    return turn


def _collect_facts(contact: Contact, config: Config, url: str, form: Mapping[str, str], now: datetime) -> CallFacts:
    """Return the facts that a call speaks by; `url` is where Twilio reports the keys, `form` what it sent now."""
    debtor = contact.debtor
    policy = policy_on(contact.portfolio_id, _local_day(contact, now))
    creditor = debtor.creditor
    has_people = is_office_open(contact.portfolio, policy, now)
    return CallFacts(
        url=url,
        country=debtor.country,
        agency=creditor.agency_name.strip() or creditor.name,
        creditor=creditor.name,
        name=debtor.name.split()[0] if debtor.name.strip() else "",
        text="" if isinstance(contact.body, UnreadableText) else contact.body,
        today=_local_day(contact, now),
        caller=config.settings.get("from_number", ""),
        identity=debtor.national_id,
        person_number=config.settings.get("person_number", "") if has_people else "",
        max_promise_days=policy.promise_days,
        answered_by=form.get("AnsweredBy", ""),
    )


def _local_day(contact: Contact, now: datetime) -> date:
    """Return the day where the debtor lives, that of UTC where the zone is not known."""
    return contact.local_date or local_date(contact.zones, now) or now.date()


def _perform_actions(contact: Contact, provider: Provider, turn: Turn, now: datetime) -> None:
    """Carry out the actions of a turn, each once in the life of the call."""
    for action in turn.actions:
        receipt = ReceiptEvent(
            kind="ANSWERED",
            at=now,
            event_key=f"keypad:{contact.public_id}:{action}",
            public_id=contact.public_id,
            detail={"act": str(action)},
        )
        with transaction.atomic():
            # Twilio repeats a request that took too long. A receipt is recorded once, and the action goes with it.
            if record_receipts(
                events=[receipt], provider_id=provider.pk, actor=service_actor(Service.PROVIDER, now=now)
            ):
                _perform_action(action, contact, turn.promise_date, now)


def _perform_action(action: CallAction, contact: Contact, promise_date: date | None, now: datetime) -> None:
    """Carry out one action: what the debtor chose on the keypad is recorded with the keys that were pressed."""
    public_id = UUID(str(contact.public_id))
    if action is CallAction.NOT_ME:
        record_wrong_person(
            public_id=public_id,
            source=Source.KEYPAD,
            channel=Channel.IVR,
            said="9, 1",
            actor=service_actor(Service.DEBTOR, now=now),
        )
    elif action is CallAction.OPT_OUT:
        record_opt_out(
            public_id=public_id,
            source=Source.KEYPAD,
            channel=Channel.IVR,
            said="9",
            actor=service_actor(Service.DEBTOR, now=now),
        )
    elif action is CallAction.SEND_PAY_LINK:
        _plan_payment_sms(contact, now)
    elif action is CallAction.PROMISE and promise_date is not None:
        _register_promise(contact, promise_date, now)
    elif action in {CallAction.TALK, CallAction.UNIDENTIFIED}:
        _ask_for_person(contact, "asked" if action is CallAction.TALK else "unidentified", now)


def _register_promise(contact: Contact, promised_on: date, now: datetime) -> None:
    """Register the promise of all that is overdue; what cannot be promised any more is left to a person."""
    try:
        register_promise(
            portfolio_id=contact.portfolio_id,
            debtor_id=contact.debtor_id,
            promised_on=promised_on,
            today=_local_day(contact, now),
            channel=Channel.IVR.value,
            contact_id=contact.pk,
            actor=service_actor(Service.DEBTOR, now=now),
        )
    except PromiseRefused:
        # The call has just said that it is noted: the debt was paid meanwhile, or the policy has changed.
        _ask_for_person(contact, "promise", now)


def _ask_for_person(contact: Contact, reason: str, now: datetime) -> None:
    """Leave the debtor of a call to a person."""
    record_fact(
        PersonAsked(reason=reason, channel=Channel.IVR.value),
        actor=service_actor(Service.DEBTOR, now=now),
        portfolio_id=contact.portfolio_id,
        debtor_id=contact.debtor_id,
        contact_id=contact.pk,
    )


def _plan_payment_sms(contact: Contact, now: datetime) -> None:
    """Plan the SMS with payment instructions that was asked for on the keypad. The gate judges it like any other."""
    creditor = contact.debtor.creditor
    values = {"creditor": creditor.name, "how": creditor.payment_instructions}
    row = {
        "debtor_id": contact.debtor_id,
        "portfolio_id": contact.portfolio_id,
        "point_id": contact.point_id,
        "channel": Channel.SMS,
        "template_code": "",
        "step_key": "",
        "status": "DUE",
        "author": "keypad",
        "planned_for": _local_day(contact, now),
        "due_at": now,
        "zones": contact.zones,
        "priority": 0,
        "purpose": Contact.Purpose.REPLY,
        "replies_to_at": now,
        "body": _("%(creditor)s: how to pay. %(how)s") % values,
    }
    optional = [column for column in PLANNED_OPTIONAL if column.name in row]
    schema = pa.schema([*PLANNED, *optional])
    plan_contacts(contacts=pa.Table.from_pylist([row], schema=schema), actor=service_actor(Service.DEBTOR, now=now))
