"""An automatic call while it lasts: what it says next, and what is done because of the keys that were pressed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Final
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

import pyarrow as pa
from django.db import transaction
from django.utils.translation import gettext as _

from recobra.consent.ledger import DEBTOR, Source
from recobra.consent.models import Silence
from recobra.consent.opt_out import record_opt_out, record_wrong_person
from recobra.conversations import identity_attempts
from recobra.conversations.bot.identity import TRIES_MAX
from recobra.conversations.bot_facts import conversation_settings
from recobra.conversations.webhooks.receive import UnknownProvider, refuse_forged
from recobra.journal.operations import record
from recobra.messaging.channels import ADAPTERS
from recobra.messaging.channels.adapter import Config, ReceiptEvent, WebhookRequest
from recobra.messaging.channels.twilio_voice import dialogue, links
from recobra.messaging.channels.twilio_voice.dialogue import CallAction, CallFacts, Position, Turn
from recobra.messaging.models import Contact, Provider
from recobra.messaging.outbox.plan import PLANNED, PLANNED_OPTIONAL, plan_contacts
from recobra.messaging.providers import routing
from recobra.messaging.receipts.record import record_receipts
from recobra.portfolio import address_forms
from recobra.portfolio.models import Channel

HANGUP_TWIML: Final = '<?xml version="1.0" encoding="UTF-8"?><Response><Hangup/></Response>'
_BEFORE_IDENTITY: Final = frozenset({dialogue.FIRST, "identity", "stranger"})
_WITHDRAWN: Final = (Contact.Status.CANCELLED, Contact.Status.BLOCKED)


def next_call_turn(*, provider_code: str, token: str, call: WebhookRequest, now: datetime) -> str:
    """Return the TwiML of a call's next turn, and do what the debtor decided in this one, each thing once.

    A call that was taken back, or whose number asked for silence, hears nothing. Raises UnknownProvider, ForgedCall.
    """
    public_id = links.contact_of_call(token)
    provider = Provider.objects.filter(code=provider_code, kind="twilio_voice").first()
    calls = Contact.objects.select_related("debtor__creditor", "point", "portfolio").filter(channel=Channel.IVR)
    contact = calls.filter(public_id=public_id).first() if public_id else None
    if provider is None or contact is None:
        raise UnknownProvider(provider_code)
    config = routing.build_config(provider)
    refuse_forged(provider, ADAPTERS[provider.kind], call, config, now)
    form = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    at = dialogue.read_position(dict(parse_qsl(urlsplit(call.url).query)), form)
    if contact.status in _WITHDRAWN or (at.step == dialogue.FIRST and _silent(contact)):
        return HANGUP_TWIML
    facts = _facts(contact, config, links.voice_url(contact.public_id, provider.code), form, now)
    said = _judged(at, facts, contact, f"{form.get('CallSid', '')}:{at.tries}", now)
    _do(contact, provider, said, now)
    return said.twiml


@transaction.atomic
def _judged(at: Position, facts: CallFacts, contact: Contact, turn: str, now: datetime) -> Turn:
    """Return the call's next turn. Wrong answers given elsewhere count as if they had been given in this call.

    Twilio repeats a request that took too long: the same `turn` is the same try.
    """
    if at.step not in _BEFORE_IDENTITY:
        return dialogue.next_turn(at, facts)
    identity_attempts.lock_attempts([contact.debtor_id])
    wrong = identity_attempts.recent_wrong_answers(contact.debtor_id, now=now)
    before = [each for each in wrong if (each.contact_id, each.payload.get("turn")) != (contact.pk, turn)]
    if len(before) >= TRIES_MAX:
        facts = replace(facts, identity="")  # nothing is compared, and only a person can tell
    if at.step == "identity":
        at = replace(at, tries=max(at.tries, len(before)))
    said = dialogue.next_turn(at, facts)
    answered = at.step == "identity" and at.pressed and not at.silent and facts.identity
    if answered and CallAction.IDENTIFIED not in said.acts and len(before) == len(wrong):
        identity_attempts.record_wrong_answer(
            debtor_id=contact.debtor_id,
            portfolio_id=contact.portfolio_id,
            contact_id=contact.pk,
            channel=Channel.IVR,
            turn=turn,
            now=now,
        )
    return said


def _silent(contact: Contact) -> bool:
    return (
        contact.point is not None
        and Silence.objects.filter(
            kind=contact.point.kind, value__in=address_forms.list_forms(contact.point.value, kind=contact.point.kind)
        ).exists()
    )


def _facts(contact: Contact, config: Config, url: str, form: Mapping[str, str], now: datetime) -> CallFacts:
    debtor, manners = contact.debtor, conversation_settings(contact.portfolio)
    creditor, local = debtor.creditor, _local(contact, now)
    people_now = local.weekday() < 5 and manners.people_from <= local.time() < manners.people_to
    return CallFacts(
        url=url,
        country=debtor.country,
        agency=creditor.agency_name.strip() or creditor.name,
        creditor=creditor.name,
        name=debtor.name.split()[0] if debtor.name.strip() else "",
        text=contact.body,
        today=_today(contact, now),
        caller=config.settings.get("from_number", ""),
        identity=debtor.national_id,
        person_number=config.settings.get("person_number", "") if people_now else "",
        most_promise_days=manners.promise_days,
        answered_by=form.get("AnsweredBy", ""),
    )


def _today(contact: Contact, now: datetime) -> date:
    return contact.local_date or _local(contact, now).date()


def _local(contact: Contact, now: datetime) -> datetime:
    return now.astimezone(ZoneInfo(contact.zones.partition("|")[0]))


def _do(contact: Contact, provider: Provider, said: Turn, now: datetime) -> None:
    for act in said.acts:
        pressed = ReceiptEvent(
            kind="ANSWERED",
            at=now,
            event_key=f"keypad:{contact.public_id}:{act}",
            public_id=contact.public_id,
            detail={"act": str(act)},
        )
        with transaction.atomic():
            # Twilio repeats a request that took too long: the receipt is what makes an act happen once.
            if record_receipts(events=[pressed], provider_id=provider.pk, now=now):
                _carry_out(act, contact, said.promise_date, now)


def _carry_out(act: CallAction, contact: Contact, promise_date: date | None, now: datetime) -> None:
    key = UUID(str(contact.public_id))
    if act is CallAction.NOT_ME:
        record_wrong_person(public_id=key, source=Source.KEYPAD, channel=Channel.IVR, said="9, 1", now=now)
    elif act is CallAction.OPT_OUT:
        record_opt_out(public_id=key, source=Source.KEYPAD, channel=Channel.IVR, said="9", now=now)
    elif act is CallAction.SEND_PAY_LINK:
        _send_how_to_pay(contact, now)
    elif act is CallAction.PROMISE and promise_date is not None:
        grace = conversation_settings(contact.portfolio).promise_grace_days
        _tell("promise.registered", contact, now, date=promise_date.isoformat(), grace_days=grace)
    elif act in {CallAction.TALK, CallAction.UNIDENTIFIED}:
        _tell("person.asked", contact, now, reason="asked" if act is CallAction.TALK else "unidentified")


def _tell(kind: str, contact: Contact, now: datetime, **payload: object) -> None:
    record(
        kind,
        at=now,
        actor=DEBTOR,
        portfolio_id=contact.portfolio_id,
        debtor_id=contact.debtor_id,
        contact_id=contact.pk,
        payload={"channel": Channel.IVR, **payload},
    )


def _send_how_to_pay(contact: Contact, now: datetime) -> None:
    """Plan the SMS that was asked for on the keypad: an answer to the debtor, judged like any other before it goes."""
    creditor = contact.debtor.creditor
    how = {"creditor": creditor.name, "how": creditor.payment_instructions}
    row = {
        "debtor_id": contact.debtor_id,
        "portfolio_id": contact.portfolio_id,
        "point_id": contact.point_id,
        "channel": Channel.SMS,
        "template_code": "",
        "step_key": "",
        "status": "DUE",
        "author": "keypad",
        "planned_for": _today(contact, now),
        "due_at": now,
        "zones": contact.zones,
        "priority": 0,
        "purpose": Contact.Purpose.REPLY,
        "replies_to_at": now,
        "body": _("%(creditor)s: how to pay. %(how)s") % how,
    }
    wanted = pa.schema([*PLANNED, *(field for field in PLANNED_OPTIONAL if field.name in row)])
    plan_contacts(contacts=pa.Table.from_pylist([row], schema=wanted), now=now)
