"""What the bot's actions do: facts that others react to, wishes followed at once, a person called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from recobra.consent.models import ConsentEntry
from recobra.consent.opt_out import record_opt_out, record_wrong_person
from recobra.conversations import identity_attempts
from recobra.conversations.bot.turns import Action
from recobra.conversations.bot_facts import WRONG_IDENTITY, candidate_debtor_ids, conversation_settings
from recobra.conversations.counterparty import Counterparty
from recobra.conversations.models import Conversation, ConversationMessage
from recobra.conversations.reply import BOT
from recobra.journal.operations import record
from recobra.portfolio import address_forms


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContext:
    """A message in its conversation, who is spoken with (None: not sure yet), and when."""

    conversation: Conversation
    message: ConversationMessage
    who: Counterparty
    now: datetime


def perform_action(action: Action, scene: MessageContext) -> None:
    """Do what an action says, inside the transaction of its turn; what was only said leaves nothing else behind."""
    do = _DO.get(action.kind)
    if do is not None:
        do(action, scene)


def hand_over(scene: MessageContext, reason: str, *, verified: bool = False) -> None:
    """Leave the conversation to a person, with a task."""
    found = scene.conversation
    found.mode, found.mode_reason, found.assigned_to = Conversation.Mode.PERSON, reason or "asked", None
    _tell("person.asked", scene, reason=reason or "asked", verified=verified)


def _tell(kind: str, scene: MessageContext, **more: Any) -> None:
    known = scene.conversation.debtor_id is not None
    payload = {"conversation_id": scene.conversation.pk, "message_id": scene.message.pk, **more}
    record(
        kind,
        at=scene.now,
        actor=BOT,
        portfolio_id=scene.who.portfolio.pk if known else None,
        debtor_id=scene.who.debtor.pk if known else None,
        payload=payload,
    )


def _verified(_action: Action, scene: MessageContext) -> None:
    scene.conversation.debtor, scene.conversation.identified_at = scene.who.debtor, scene.now


def _refused(_action: Action, scene: MessageContext) -> None:
    scene.message.intent = WRONG_IDENTITY
    for debtor_id in candidate_debtor_ids(scene.conversation):
        portfolio_id = scene.who.portfolio.pk if debtor_id == scene.who.debtor.pk else None
        identity_attempts.record_wrong_answer(
            debtor_id=debtor_id, portfolio_id=portfolio_id, channel=scene.conversation.channel, now=scene.now
        )


def _promise(action: Action, scene: MessageContext) -> None:
    _tell(
        "promise.registered",
        scene,
        amount_minor=action.with_["amount_minor"],
        date=action.with_["day"],
        currency=scene.who.portfolio.currency,
        grace_days=conversation_settings(scene.who.portfolio).promise_grace_days,
    )


def _told(kind: str) -> Callable[[Action, MessageContext], None]:
    def do(action: Action, scene: MessageContext) -> None:
        if scene.conversation.debtor_id is None:  # nobody knows about whose debt
            hand_over(scene, kind)
        else:
            _tell(kind, scene, verified=bool(action.with_["verified"]))

    return do


def silence_address(
    *, conversation: Conversation, message: ConversationMessage, wrong_person: bool, now: datetime
) -> None:
    """Follow a wish for silence that was said in one's own words, and end the conversation without an answer."""
    wish: dict[str, Any] = {
        "source": ConsentEntry.Source.KEYWORD,
        "channel": conversation.channel,
        "said": message.text,
        "at": message.at,
        "kind": address_forms.point_kind(conversation.channel),
        "value": conversation.address,
        "now": now,
    }
    if wrong_person:
        record_wrong_person(**wish)
    else:
        record_opt_out(**wish)
    conversation.mode = Conversation.Mode.PERSON
    conversation.mode_reason = "not_me" if wrong_person else "opted_out"
    conversation.status, conversation.closed_at = Conversation.Status.CLOSED, now


def _silent(action: Action, scene: MessageContext) -> None:
    wrong = action.kind == "WrongPerson"
    silence_address(conversation=scene.conversation, message=scene.message, wrong_person=wrong, now=scene.now)


def _person(action: Action, scene: MessageContext) -> None:
    if action.with_["reason"] == "complaint":
        _enter_complaint(scene)
    hand_over(scene, str(action.with_["reason"]), verified=bool(action.with_["verified"]))


def _enter_complaint(scene: MessageContext) -> None:
    """Record what the debtor is told is registered: compliance enters it in its register by a reaction."""
    known = scene.conversation.debtor_id is not None
    record(
        "complaint.received",
        at=scene.now,
        actor=BOT,
        portfolio_id=scene.who.portfolio.pk if known else None,
        debtor_id=scene.who.debtor.pk if known else None,
        payload={
            "country": scene.who.country,
            "at": min(scene.message.at, scene.now).isoformat(),
            "description": _("The debtor complained in a conversation."),
        },
    )


def _person_for_plan(_action: Action, scene: MessageContext) -> None:
    """No plan is offered before agreements are kept; should one be taken all the same, a person sees to it."""
    hand_over(scene, "plan", verified=True)


_DO: Final[dict[str, Callable[[Action, MessageContext], None]]] = {
    "Verified": _verified,
    "IdentityRefused": _refused,
    "MakePromise": _promise,
    "AcceptPlan": _person_for_plan,
    "OpenDispute": _told("dispute.opened"),
    "ReportPayment": _told("payment.reported"),
    "WrongPerson": _silent,
    "OptOut": _silent,
    "HandOver": _person,
}
