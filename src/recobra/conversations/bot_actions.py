"""The bot's actions carried out: facts that others react to, opt-outs, the handover to a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils.translation import gettext as _

from recobra.access.actors import Actor, Service, service_actor
from recobra.access.permissions import consequence
from recobra.agreements.operations import register_promise
from recobra.consent.models import ConsentEntry
from recobra.consent.opt_out import record_opt_out, record_wrong_person
from recobra.conversations import identity_attempts
from recobra.conversations.bot.turns import Action
from recobra.conversations.bot_facts import WRONG_IDENTITY, candidate_debtor_ids
from recobra.conversations.carried_silence import carry_to_debtor
from recobra.conversations.counterparty import Counterparty
from recobra.conversations.facts import (
    ComplaintReceived,
    DisputeOpened,
    IdentityRefused,
    PaymentReported,
    PersonAsked,
)
from recobra.conversations.models import Conversation, ConversationMessage, Dispute
from recobra.journal.facts import Fact
from recobra.journal.operations import record_fact
from recobra.portfolio import address_forms


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContext:
    """A message in its conversation, with the counterparty and the bot that answers now.

    The counterparty is the debtor who probably writes; the conversation names a debtor only when that is certain.
    """

    conversation: Conversation
    message: ConversationMessage
    counterparty: Counterparty
    actor: Actor


def perform_action(action: Action, context: MessageContext) -> None:
    """Carry out an action inside the transaction of its turn."""
    # An action that is only a sentence of the answer, such as an offer, has no handler.
    handler = _HANDLERS.get(action.kind)
    if handler is not None:
        handler(action, context)


def hand_over(context: MessageContext, reason: str, *, verified: bool = False) -> None:
    """Leave the conversation to a person, with a task; `verified` says whether the debtor proved to be the debtor."""
    conversation = context.conversation
    conversation.mode = Conversation.Mode.PERSON
    conversation.mode_reason = reason or "asked"
    conversation.assigned_to = None
    asked = PersonAsked(
        reason=reason or "asked", verified=verified, conversation_id=conversation.pk, message_id=context.message.pk
    )
    _record_fact(asked, context)


@consequence
def silence_address(
    *, conversation: Conversation, message: ConversationMessage, wrong_person: bool, actor: Actor
) -> None:
    """Record an opt-out or a wrong person that a message says, and close the conversation without an answer.

    That of somebody without a number stays open, until a person says whose numbers it holds for, unless one has.
    """
    conversation.mode = Conversation.Mode.PERSON
    if conversation.address == address_forms.SENDER:
        # Nobody is named, so nobody can be silenced: a person looks who it may be.
        conversation.mode_reason = "no_number"
        return
    record_refusal = record_wrong_person if wrong_person else record_opt_out
    record_refusal(
        source=ConsentEntry.Source.KEYWORD,
        channel=conversation.channel,
        said=message.text,
        at=message.at,
        kind=address_forms.point_kind(conversation.channel),
        value=conversation.address,
        actor=service_actor(Service.DEBTOR, now=actor.now),
    )
    has_number = address_forms.has_number(conversation.address)
    if not has_number and (wrong_person or not carry_to_debtor(conversation, actor=actor)):
        conversation.mode_reason = "no_number_silent"
        return
    conversation.mode_reason = "not_me" if wrong_person else "opted_out"
    conversation.status = Conversation.Status.CLOSED
    conversation.closed_at = actor.now


def _record_fact(fact: Fact, context: MessageContext) -> None:
    """Record a fact about the conversation in the journal."""
    # While it is not certain who writes, the counterparty is a guess, and the fact names no debtor.
    is_known = context.conversation.debtor_id is not None
    record_fact(
        fact,
        actor=context.actor,
        portfolio_id=context.counterparty.portfolio.pk if is_known else None,
        debtor_id=context.counterparty.debtor.pk if is_known else None,
    )


def _accept_identity(_action: Action, context: MessageContext) -> None:
    context.conversation.debtor = context.counterparty.debtor
    context.conversation.identified_at = context.actor.now


def _refuse_identity(_action: Action, context: MessageContext) -> None:
    """Record a wrong answer to the identity question."""
    context.message.intent = WRONG_IDENTITY
    # A wrong answer counts for every debtor whose identity a right one could have proved.
    for debtor_id in candidate_debtor_ids(context.conversation):
        is_counterparty = debtor_id == context.counterparty.debtor.pk
        identity_attempts.record_wrong_answer(
            IdentityRefused(channel=context.conversation.channel),
            debtor_id=debtor_id,
            portfolio_id=context.counterparty.portfolio.pk if is_counterparty else None,
            actor=service_actor(Service.DEBTOR, now=context.actor.now),
        )


def _register_promise(action: Action, context: MessageContext) -> None:
    """Register the promise. Raises PromiseRefused for one that the dialogue should not have taken."""
    counterparty = context.counterparty
    promised_on = action.payload["day"]
    amount_minor = action.payload["amount_minor"]
    assert isinstance(promised_on, date)
    assert isinstance(amount_minor, int)
    register_promise(
        portfolio_id=counterparty.portfolio.pk,
        debtor_id=counterparty.debtor.pk,
        promised_on=promised_on,
        amount_minor=amount_minor,
        today=counterparty.today or context.actor.now.date(),
        channel=context.conversation.channel,
        conversation_id=context.conversation.pk,
        message_id=context.message.pk,
        actor=context.actor,
    )


def _open_dispute(action: Action, context: MessageContext) -> None:
    """Open a dispute; where nobody knows whose debt it is about, a person sees to it."""
    conversation = context.conversation
    if conversation.debtor_id is None:
        hand_over(context, DisputeOpened.kind)
        return
    verified = bool(action.payload["verified"])
    Dispute.objects.create(
        debtor_id=conversation.debtor_id,
        conversation=conversation,
        message=context.message,
        is_verified=verified,
        opened_at=context.actor.now,
    )
    opened = DisputeOpened(conversation_id=conversation.pk, message_id=context.message.pk, verified=verified)
    _record_fact(opened, context)


def _report_payment(action: Action, context: MessageContext) -> None:
    """Record that the debtor tells of a payment; where nobody knows whose, a person sees to it."""
    conversation = context.conversation
    if conversation.debtor_id is None:
        hand_over(context, PaymentReported.kind)
        return
    verified = bool(action.payload["verified"])
    reported = PaymentReported(conversation_id=conversation.pk, message_id=context.message.pk, verified=verified)
    _record_fact(reported, context)


def _silence_address(action: Action, context: MessageContext) -> None:
    """Record the opt-out or the wrong person, by the kind of the action."""
    silence_address(
        conversation=context.conversation,
        message=context.message,
        wrong_person=action.kind == "WrongPerson",
        actor=context.actor,
    )


def _hand_over(action: Action, context: MessageContext) -> None:
    """Leave the conversation to a person; a complaint is recorded as well."""
    reason = str(action.payload["reason"])
    if reason == "complaint":
        # The answer says that it is registered: a reaction to this fact enters it in the register of incidents.
        complaint = ComplaintReceived(
            country=context.counterparty.country,
            at=min(context.message.at, context.actor.now),
            description=_("The debtor complained in a conversation."),
        )
        _record_fact(complaint, context)
    hand_over(context, reason, verified=bool(action.payload["verified"]))


def _hand_over_plan(_action: Action, context: MessageContext) -> None:
    # The bot offers no plans until agreements exist; should one be accepted all the same, a person sees to it.
    hand_over(context, "plan", verified=True)


_HANDLERS: Final[dict[str, Callable[[Action, MessageContext], None]]] = {
    "Verified": _accept_identity,
    "IdentityRefused": _refuse_identity,
    "MakePromise": _register_promise,
    "AcceptPlan": _hand_over_plan,
    "OpenDispute": _open_dispute,
    "ReportPayment": _report_payment,
    "WrongPerson": _silence_address,
    "OptOut": _silence_address,
    "HandOver": _hand_over,
}
