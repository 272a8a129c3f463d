"""The bot's actions carried out: facts that others react to, opt-outs, the handover to a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from django.utils.translation import gettext as _

from recobra.consent.models import ConsentEntry
from recobra.consent.opt_out import record_opt_out, record_wrong_person
from recobra.conversations import identity_attempts
from recobra.conversations.bot.turns import Action
from recobra.conversations.bot_facts import WRONG_IDENTITY, candidate_debtor_ids
from recobra.conversations.counterparty import Counterparty
from recobra.conversations.models import Conversation, ConversationMessage
from recobra.conversations.reply import BOT
from recobra.journal.operations import record
from recobra.policy.portfolio_policies import policy_on
from recobra.portfolio import address_forms


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContext:
    """A message in its conversation, with the counterparty and the time.

    The counterparty is the debtor who probably writes; the conversation names a debtor only when that is certain.
    """

    conversation: Conversation
    message: ConversationMessage
    counterparty: Counterparty
    now: datetime


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
    _record_fact("person.asked", context, reason=reason or "asked", verified=verified)


def silence_address(
    *, conversation: Conversation, message: ConversationMessage, wrong_person: bool, now: datetime
) -> None:
    """Record an opt-out or a wrong person that a message says, and close the conversation without an answer."""
    record_refusal = record_wrong_person if wrong_person else record_opt_out
    record_refusal(
        source=ConsentEntry.Source.KEYWORD,
        channel=conversation.channel,
        said=message.text,
        at=message.at,
        kind=address_forms.point_kind(conversation.channel),
        value=conversation.address,
        now=now,
    )
    conversation.mode = Conversation.Mode.PERSON
    conversation.mode_reason = "not_me" if wrong_person else "opted_out"
    conversation.status = Conversation.Status.CLOSED
    conversation.closed_at = now


def _record_fact(kind: str, context: MessageContext, **details: object) -> None:
    """Record a fact about the conversation in the journal; `details` join its payload."""
    # While it is not certain who writes, the counterparty is a guess, and the fact names no debtor.
    is_known = context.conversation.debtor_id is not None
    record(
        kind,
        at=context.now,
        actor=BOT,
        portfolio_id=context.counterparty.portfolio.pk if is_known else None,
        debtor_id=context.counterparty.debtor.pk if is_known else None,
        payload={"conversation_id": context.conversation.pk, "message_id": context.message.pk, **details},
    )


def _accept_identity(_action: Action, context: MessageContext) -> None:
    context.conversation.debtor = context.counterparty.debtor
    context.conversation.identified_at = context.now


def _refuse_identity(_action: Action, context: MessageContext) -> None:
    """Record a wrong answer to the identity question."""
    context.message.intent = WRONG_IDENTITY
    # A wrong answer counts for every debtor whose identity a right one could have proved.
    for debtor_id in candidate_debtor_ids(context.conversation):
        is_counterparty = debtor_id == context.counterparty.debtor.pk
        identity_attempts.record_wrong_answer(
            debtor_id=debtor_id,
            portfolio_id=context.counterparty.portfolio.pk if is_counterparty else None,
            channel=context.conversation.channel,
            now=context.now,
        )


def _register_promise(action: Action, context: MessageContext) -> None:
    """Record the promise as a fact; a reaction to it makes the promise."""
    portfolio = context.counterparty.portfolio
    today = context.counterparty.today or context.now.date()
    _record_fact(
        "promise.registered",
        context,
        amount_minor=action.payload["amount_minor"],
        date=action.payload["day"],
        currency=portfolio.currency,
        grace_days=policy_on(portfolio.pk, today).promise_grace_days,
    )


def _record_claim(kind: str, action: Action, context: MessageContext) -> None:
    """Record a debtor's claim as a fact of a kind."""
    if context.conversation.debtor_id is None:
        # Nobody knows whose debt the claim is about.
        hand_over(context, kind)
    else:
        _record_fact(kind, context, verified=bool(action.payload["verified"]))


def _silence_address(action: Action, context: MessageContext) -> None:
    """Record the opt-out or the wrong person, by the kind of the action."""
    silence_address(
        conversation=context.conversation,
        message=context.message,
        wrong_person=action.kind == "WrongPerson",
        now=context.now,
    )


def _hand_over(action: Action, context: MessageContext) -> None:
    """Leave the conversation to a person; a complaint is recorded as well."""
    reason = str(action.payload["reason"])
    if reason == "complaint":
        # The answer says that it is registered: a reaction to this fact enters it in the register of incidents.
        is_known = context.conversation.debtor_id is not None
        record(
            "complaint.received",
            at=context.now,
            actor=BOT,
            portfolio_id=context.counterparty.portfolio.pk if is_known else None,
            debtor_id=context.counterparty.debtor.pk if is_known else None,
            payload={
                "country": context.counterparty.country,
                "at": min(context.message.at, context.now).isoformat(),
                "description": _("The debtor complained in a conversation."),
            },
        )
    hand_over(context, reason, verified=bool(action.payload["verified"]))


def _hand_over_plan(_action: Action, context: MessageContext) -> None:
    # The bot offers no plans until agreements exist; should one be accepted all the same, a person sees to it.
    hand_over(context, "plan", verified=True)


_HANDLERS: Final[dict[str, Callable[[Action, MessageContext], None]]] = {
    "Verified": _accept_identity,
    "IdentityRefused": _refuse_identity,
    "MakePromise": _register_promise,
    "AcceptPlan": _hand_over_plan,
    "OpenDispute": partial(_record_claim, "dispute.opened"),
    "ReportPayment": partial(_record_claim, "payment.reported"),
    "WrongPerson": _silence_address,
    "OptOut": _silence_address,
    "HandOver": _hand_over,
}
