"""The dialogue: one turn of a conversation as a pure function, with the same rules and limits as a gestor.

No debt is named before identity is checked. Silence is granted in any state, at once and without an answer, since
nothing may leave to that number any more. What the machine cannot settle goes to a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Final

from recobra.conversations.bot import promises
from recobra.conversations.bot.identity import matches_digest
from recobra.conversations.bot.intents import SILENCING
from recobra.conversations.bot.interpretation import Interpretation
from recobra.conversations.bot.turns import Action, Facts, Kind, State, Turn
from recobra.portfolio.identity import MAX_TRIES

MISSES_MAX: Final = 3
MENU: Final = ("balance", "pay_link", "promise", "plan", "already_paid", "dispute", "talk_to_person", "opt_out")
MENU_CLOSED: Final = ("balance", "already_paid", "dispute", "talk_to_person", "opt_out")
MENU_UNKNOWN: Final = ("identify", "talk_to_person", "wrong_person", "opt_out")
_PERSON_TONES: Final = {"talk_to_person": "", "hardship": "care", "complaint": "complaint"}
_NEEDS_IDENTITY: Final = frozenset({"balance", "pay_link", "promise", "plan", "identify"})
_AWAITING_ANSWER: Final = frozenset({"ask_day", "ask_amount", "confirm_promise", "choose_plan", "confirm_plan"})


def next_turn(*, state: State, understood: Interpretation, facts: Facts, today: date) -> Turn:
    """Return the answer to one message; `today` is the debtor's local day."""
    turn = _choose_turn(state, understood, facts, today)
    speaks_first = turn.answer is not None and not state.introduced
    after = turn.state.replace(introduced=state.introduced or speaks_first, offered=turn.choices)
    return replace(turn, state=after, introduce=speaks_first)


def _choose_turn(state: State, understood: Interpretation, facts: Facts, today: date) -> Turn:
    """Return the turn by the rules that hold in every phase, opt-outs first; else the turn of the phase."""
    # While a person has the conversation the bot hears nothing but opt-outs.
    if state.phase == "with_person" and understood.intent not in SILENCING:
        return Turn(state=state, answer=None)
    intent = _resolve_intent(state, understood)
    if intent in SILENCING:
        silenced = State(phase="silent", introduced=state.introduced)
        # No answer, not even a confirmation: nothing may leave to the address any more.
        action = Action(kind="OptOut" if intent == "opt_out" else "WrongPerson")
        return Turn(state=silenced, answer=None, actions=(action,))
    if state.phase == "silent":
        return Turn(state=state, answer=None)
    if intent in _PERSON_TONES:
        return hand_over(state, facts, reason=intent)
    if state.phase == "identify" and understood.slots.figures is not None:
        return _check_identity(state, understood.slots.figures, facts, today)
    return _turn_by_phase(state, intent, understood, facts, today)


def _resolve_intent(state: State, understood: Interpretation) -> str:
    """Return the intent in its context: a number is the choice offered, a «sí» confirms the opt-out asked about."""
    choice = understood.slots.choice
    if understood.intent == "number" and choice is not None and 1 <= choice <= len(state.offered):
        return state.offered[choice - 1]
    if state.phase == "confirm_silence" and understood.intent == "yes":
        return state.wanted or "opt_out"
    return understood.intent


def hand_over(state: State, facts: Facts, *, reason: str, actions: tuple[Action, ...] = ()) -> Turn:
    """Leave the conversation to a person, and say when one answers.

    `reason` is the intent or the difficulty that a person is needed for; `actions` come before the handover.
    """
    tone = _PERSON_TONES.get(reason, "")
    if tone:
        answer = f"to_person_{tone}"
    elif facts.is_office_open:
        answer = "to_person"
    else:
        answer = "to_person_later"
    # Only that somebody answers now needs no hours.
    variables = {} if answer == "to_person" else {"when": facts.office_hours}
    handover = Action(kind="HandOver", payload={"reason": reason, "verified": state.verified})
    return Turn(
        state=state.replace(phase="with_person", wanted=None),
        answer=answer,
        variables=variables,
        actions=(*actions, handover),
    )


def _turn_by_phase(state: State, intent: str, understood: Interpretation, facts: Facts, today: date) -> Turn:
    """Return the turn that goes on with the subject, or begins the one of `intent`; asks again for any other."""
    if state.phase in _AWAITING_ANSWER and _continues_subject(state, intent, understood):
        if not facts.may_collect:
            return _refuse_collecting(state, facts, intent=state.wanted or "promise")
        return promises.continue_subject(state=state, intent=intent, understood=understood, facts=facts, today=today)
    if intent in _NEEDS_IDENTITY and not state.verified:
        return _ask_identity(state, intent, understood, facts)
    if intent in _TURNS_BY_INTENT:
        # A new subject: what an earlier one named must not be taken for its day or amount.
        fresh = state.replace(misses=0, day=None, amount_minor=None, plan_id=None)
        return _TURNS_BY_INTENT[intent](fresh, understood, facts, today)
    return _ask_again(state, understood, facts)


def _continues_subject(state: State, intent: str, understood: Interpretation) -> bool:
    """Return whether a message answers what was asked; any other intent changes the subject."""
    slots = understood.slots
    if state.phase == "ask_day":
        return slots.day is not None or slots.day_unclear or intent in {"promise", "no"}
    if state.phase == "ask_amount":
        return slots.amount_minor is not None or slots.amount_unclear or intent in {"promise", "no"}
    if state.phase == "choose_plan":
        return intent.startswith("plan:") or intent == "no"
    return intent in {"yes", "no"} or (state.phase == "confirm_promise" and intent == "promise")


def _ask_identity(state: State, intent: str, understood: Interpretation, facts: Facts) -> Turn:
    """Ask for the debtor's figures, and remember the intent that waits for them."""
    if facts.identity is None or facts.identity_blocked:
        return hand_over(state, facts, reason="identity")
    wanted = None if intent == "identify" else intent
    asking = state.replace(phase="identify", wanted=wanted, misses=0, day=None, amount_minor=None)
    if intent == "promise":
        asking = promises.remember_promise(state=asking, slots=understood.slots, facts=facts)
    return Turn(state=asking, answer=f"ask_{facts.identity_asked}")


def _check_identity(state: State, figures: str, facts: Facts, today: date) -> Turn:
    """Check the figures that were typed; the last wrong try hands the conversation over."""
    if facts.identity is None or facts.identity_blocked:
        return hand_over(state, facts, reason="identity")
    if matches_digest(figures, expected=facts.identity, salt=facts.salt):
        known = state.replace(phase="open", verified=True, tries=0, misses=0, wanted=None)
        # What was asked for before the question of identity is answered now.
        confirmation = Interpretation(intent="yes", confidence=1.0)
        turn = _TURNS_BY_INTENT[state.wanted or "identify"](known, confirmation, facts, today)
        verified = Action(kind="Verified", payload={"by": facts.identity_asked})
        return replace(turn, actions=(verified, *turn.actions))
    # The count is the debtor's, over all places that ask; the caller sets it in the state before each turn.
    tries = state.tries + 1
    refused = Action(kind="IdentityRefused", payload={"tries": tries})
    if tries >= MAX_TRIES:
        return hand_over(state.replace(tries=tries), facts, reason="identity", actions=(refused,))
    return Turn(
        state=state.replace(tries=tries),
        answer="identity_wrong",
        variables={"left": MAX_TRIES - tries},
        actions=(refused,),
    )


def _ask_again(state: State, understood: Interpretation, facts: Facts) -> Turn:
    """Say that a message was not understood, then offer the menu, then hand the conversation over."""
    # A suspected opt-out is asked about once, by name, before anything is asked again.
    if understood.suspected is not None and state.phase != "confirm_silence":
        return Turn(state=state.replace(phase="confirm_silence", wanted=understood.suspected), answer="confirm_silence")
    misses = state.misses + 1
    if misses >= MISSES_MAX:
        return hand_over(state, facts, reason="not_understood")
    phase = "open" if state.phase == "confirm_silence" else state.phase
    answer = "not_understood" if misses == 1 else "menu"
    return Turn(state=state.replace(phase=phase, misses=misses), answer=answer, choices=offered_choices(state, facts))


def offered_choices(state: State, facts: Facts) -> tuple[str, ...]:
    """Return the choices: none names a debt before identity is proved, none collects while that is barred."""
    if not state.verified:
        return MENU_UNKNOWN
    offered = MENU if facts.may_collect else MENU_CLOSED
    return tuple(choice for choice in offered if choice != "plan" or facts.allowed_plans)


def _refuse_collecting(state: State, facts: Facts, *, intent: str) -> Turn:
    """Leave a promise or a plan to a person, since nothing may be collected at this hour or from this debtor."""
    handover = Action(kind="HandOver", payload={"reason": intent, "verified": state.verified})
    return Turn(
        state=state.replace(phase="with_person", wanted=None),
        answer="collecting_closed",
        variables={"when": facts.office_hours},
        actions=(handover,),
    )


# The handlers of intents have one signature (`_TurnOfIntent`), whether they need all of it or not.


def _greet_debtor(state: State, _understood: Interpretation, facts: Facts, _today: date) -> Turn:
    """Greet, or say that identity is proved, and offer what can be done."""
    answer = "identified" if state.verified else "welcome"
    return Turn(state=state.replace(phase="open"), answer=answer, choices=offered_choices(state, facts))


def _answer_thanks(state: State, _understood: Interpretation, _facts: Facts, _today: date) -> Turn:
    return Turn(state=state, answer="thanks")


def _answer_balance(state: State, _understood: Interpretation, facts: Facts, _today: date) -> Turn:
    """Say what is overdue, or that nothing is."""
    if facts.overdue_minor <= 0:
        return Turn(state=state.replace(phase="open"), answer="nothing_due", variables={"creditor": facts.creditor})
    return Turn(
        state=state.replace(phase="open"),
        answer="balance",
        choices=offered_choices(state, facts),
        variables={"creditor": facts.creditor, "amount": facts.overdue_minor},
        actions=(Action(kind="DiscloseBalance", payload={"amount_minor": facts.overdue_minor}),),
    )


def _answer_pay_link(state: State, understood: Interpretation, facts: Facts, today: date) -> Turn:
    """Send the pay link, else say how to pay; a person sees to it where the creditor has neither."""
    if facts.overdue_minor <= 0:
        return _answer_balance(state, understood, facts, today)
    if not facts.can_pay_by_link and facts.how_to_pay:
        variables: dict[str, str | int | date] = {"amount": facts.overdue_minor, "how": facts.how_to_pay}
        return Turn(state=state.replace(phase="open"), answer="how_to_pay", variables=variables)
    if not facts.can_pay_by_link:
        turn = hand_over(state, facts, reason="pay_link")
        return replace(turn, answer="no_link", variables={"when": facts.office_hours})
    return Turn(
        state=state.replace(phase="open"),
        answer="pay_link",
        variables={"amount": facts.overdue_minor},
        actions=(Action(kind="SendPayLink", payload={"amount_minor": facts.overdue_minor}),),
    )


def _answer_promise(state: State, understood: Interpretation, facts: Facts, today: date) -> Turn:
    """Propose the promise, where something is overdue and may be collected."""
    if not facts.may_collect:
        return _refuse_collecting(state, facts, intent="promise")
    if facts.overdue_minor <= 0:
        return _answer_balance(state, understood, facts, today)
    return promises.propose_promise(state=state, slots=understood.slots, facts=facts, today=today)


def _answer_plan(state: State, understood: Interpretation, facts: Facts, today: date) -> Turn:
    """Offer the plans, where something is overdue and may be collected; without any plan a person sees to it."""
    if not facts.may_collect:
        return _refuse_collecting(state, facts, intent="plan")
    if facts.overdue_minor <= 0:
        return _answer_balance(state, understood, facts, today)
    if not facts.allowed_plans:
        return hand_over(state, facts, reason="plan")
    return promises.offer_plans(state=state, facts=facts)


def _record_claim(
    kind: Kind, answer: str, state: State, _understood: Interpretation, facts: Facts, _today: date
) -> Turn:
    """Record a debtor's claim as an action of a kind, and acknowledge it by an answer."""
    # Recorded at once, whoever writes; only a verified debtor is answered about the debt.
    action = Action(kind=kind, payload={"verified": state.verified})
    open_state = state.replace(phase="open")
    if not state.verified:
        variables = {"when": facts.office_hours}
        return Turn(state=open_state, answer="noted_for_person", variables=variables, actions=(action,))
    variables = {"creditor": facts.creditor} if answer == "dispute_opened" else {}
    return Turn(state=open_state, answer=answer, variables=variables, actions=(action,))


_TurnOfIntent = Callable[[State, Interpretation, Facts, date], Turn]
_TURNS_BY_INTENT: Final[dict[str, _TurnOfIntent]] = {
    "greeting": _greet_debtor,
    "thanks": _answer_thanks,
    "identify": _greet_debtor,
    "balance": _answer_balance,
    "pay_link": _answer_pay_link,
    "promise": _answer_promise,
    "plan": _answer_plan,
    "dispute": partial(_record_claim, "OpenDispute", "dispute_opened"),
    "already_paid": partial(_record_claim, "ReportPayment", "payment_reported"),
}
