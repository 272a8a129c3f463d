"""One step of a conversation, as a pure function, with the same rules and limits as a gestor.

No debt is named before identity is checked. Silence is granted in any state, at once and without an answer, since
nothing may leave to that number any more. What the machine cannot settle goes to a person.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

from recobra.conversations.bot import promises
from recobra.conversations.bot.identity import TRIES_MAX, matches_digest
from recobra.conversations.bot.interpretation import Interpretation
from recobra.conversations.bot.turns import Action, Facts, State, Turn

MISSES_MAX: Final = 3
MENU: Final = ("balance", "pay_link", "promise", "plan", "already_paid", "dispute", "talk_to_person", "opt_out")
MENU_CLOSED: Final = ("balance", "already_paid", "dispute", "talk_to_person", "opt_out")
MENU_UNKNOWN: Final = ("identify", "talk_to_person", "wrong_person", "opt_out")
_PERSON: Final = {"talk_to_person": "", "hardship": "care", "complaint": "complaint"}
_PRIVATE: Final = frozenset({"balance", "pay_link", "promise", "plan", "identify"})
_EXPECTING: Final = frozenset({"ask_day", "ask_amount", "confirm_promise", "choose_plan", "confirm_plan"})


def next_turn(*, state: State, understood: Interpretation, facts: Facts, today: date) -> Turn:
    """Answer one message. `today` is the debtor's local day."""
    turn = _answer(state, understood, facts, today)
    speaks_first = turn.answer is not None and not state.introduced
    seen = turn.state.to(introduced=state.introduced or speaks_first, offered=turn.choices)
    return Turn(
        state=seen,
        answer=turn.answer,
        variables=turn.variables,
        actions=turn.actions,
        choices=turn.choices,
        introduce=speaks_first,
    )


def _answer(state: State, understood: Interpretation, facts: Facts, today: date) -> Turn:
    if state.phase == "with_person" and understood.intent not in {"opt_out", "wrong_person"}:
        return Turn(state=state, answer=None)
    intent = _intent(state, understood)
    if intent in {"opt_out", "wrong_person"}:
        return _silence(state, intent)
    if state.phase == "silent":
        return Turn(state=state, answer=None)
    if intent in _PERSON:
        return hand_over(state, facts, reason=intent)
    if state.phase == "identify" and understood.slots.figures is not None:
        return _identify(state, understood.slots.figures, facts, today)
    return _by_phase(state, intent, understood, facts, today)


def _intent(state: State, understood: Interpretation) -> str:
    """Return what is meant here: a number is the choice that was offered, a «sí» to silence is a wish for it."""
    choice = understood.slots.choice
    if understood.intent == "number" and choice is not None and 1 <= choice <= len(state.offered):
        return state.offered[choice - 1]
    if state.phase == "confirm_silence" and understood.intent == "yes":
        return state.wanted or "opt_out"
    return understood.intent


def _silence(state: State, intent: str) -> Turn:
    kind = "OptOut" if intent == "opt_out" else "WrongPerson"
    return Turn(state=State(phase="silent", introduced=state.introduced), answer=None, actions=(Action(kind=kind),))  # type: ignore[arg-type]


def hand_over(state: State, facts: Facts, *, reason: str, actions: tuple[Action, ...] = ()) -> Turn:
    """Leave the conversation to a person and say when there is one."""
    tone = _PERSON.get(reason, "")
    answer = f"to_person_{tone}" if tone else ("to_person" if facts.is_office_open else "to_person_later")
    variables = {} if answer == "to_person" else {"when": facts.office_hours}
    handed = Action(kind="HandOver", with_={"reason": reason, "verified": state.verified})
    return Turn(
        state=state.to(phase="with_person", wanted=None), answer=answer, variables=variables, actions=(*actions, handed)
    )


def _by_phase(state: State, intent: str, understood: Interpretation, facts: Facts, today: date) -> Turn:
    if state.phase in _EXPECTING and not facts.may_collect and _continues(state, intent, understood):
        return _closed(state, facts, intent=state.wanted or "promise")
    if state.phase in _EXPECTING and _continues(state, intent, understood):
        return promises.continue_subject(state=state, intent=intent, understood=understood, facts=facts, today=today)
    if intent in _PRIVATE and not state.verified:
        return _ask_identity(state, intent, understood, facts)
    if intent in _ANSWERS:
        afresh = state.to(misses=0, day=None, amount_minor=None, plan_id=None)
        return _ANSWERS[intent](afresh, understood, facts, today)
    return _missed(state, understood, facts)


def _continues(state: State, intent: str, understood: Interpretation) -> bool:
    """Tell if a message goes on with what was asked; anything else that was understood changes the subject."""
    slots = understood.slots
    if state.phase == "ask_day":
        return slots.day is not None or slots.day_unclear or intent in {"promise", "no"}
    if state.phase == "ask_amount":
        return slots.amount_minor is not None or slots.amount_unclear or intent in {"promise", "no"}
    if state.phase == "choose_plan":
        return intent.startswith("plan:") or intent == "no"
    return intent in {"yes", "no"} or (state.phase == "confirm_promise" and intent == "promise")


def _ask_identity(state: State, intent: str, understood: Interpretation, facts: Facts) -> Turn:
    if facts.identity is None or facts.identity_blocked:
        return hand_over(state, facts, reason="identity")
    wanted = None if intent == "identify" else intent
    asking = state.to(phase="identify", wanted=wanted, misses=0, day=None, amount_minor=None)
    if intent == "promise":
        asking = promises.remember_promise(state=asking, slots=understood.slots, facts=facts)
    return Turn(state=asking, answer=f"ask_{facts.identity_asked}")


def _identify(state: State, figures: str, facts: Facts, today: date) -> Turn:
    if facts.identity is None or facts.identity_blocked:
        return hand_over(state, facts, reason="identity")
    if matches_digest(figures, expected=facts.identity, salt=facts.salt):
        known = state.to(phase="open", verified=True, tries=0, misses=0, wanted=None)
        after = _ANSWERS[state.wanted or "identify"](known, Interpretation(intent="yes", confidence=1.0), facts, today)
        verified = Action(kind="Verified", with_={"by": facts.identity_asked})
        return Turn(
            state=after.state,
            answer=after.answer,
            variables=after.variables,
            choices=after.choices,
            actions=(verified, *after.actions),
        )
    tries = state.tries + 1
    refused = Action(kind="IdentityRefused", with_={"tries": tries})
    if tries >= TRIES_MAX:
        return hand_over(state.to(tries=tries), facts, reason="identity", actions=(refused,))
    return Turn(
        state=state.to(tries=tries), answer="identity_wrong", variables={"left": TRIES_MAX - tries}, actions=(refused,)
    )


def _missed(state: State, understood: Interpretation, facts: Facts) -> Turn:
    if understood.perhaps is not None and state.phase != "confirm_silence":
        return Turn(state=state.to(phase="confirm_silence", wanted=understood.perhaps), answer="confirm_silence")
    misses = state.misses + 1
    if misses >= MISSES_MAX:
        return hand_over(state, facts, reason="not_understood")
    phase = "open" if state.phase == "confirm_silence" else state.phase
    answer = "not_understood" if misses == 1 else "menu"
    return Turn(state=state.to(phase=phase, misses=misses), answer=answer, choices=offered_choices(state, facts))


def offered_choices(state: State, facts: Facts) -> tuple[str, ...]:
    """Return what may be chosen: nothing names a debt before identity, nothing collects while that is barred."""
    if not state.verified:
        return MENU_UNKNOWN
    offered = MENU if facts.may_collect else MENU_CLOSED
    return tuple(each for each in offered if each != "plan" or facts.allowed_plans)


def _closed(state: State, facts: Facts, *, intent: str) -> Turn:
    handed = Action(kind="HandOver", with_={"reason": intent, "verified": state.verified})
    return Turn(
        state=state.to(phase="with_person", wanted=None),
        answer="collecting_closed",
        variables={"when": facts.office_hours},
        actions=(handed,),
    )


def _welcome(state: State, _understood: Interpretation, facts: Facts, _today: date) -> Turn:
    answer = "identified" if state.verified else "welcome"
    return Turn(state=state.to(phase="open"), answer=answer, choices=offered_choices(state, facts))


def _thanks(state: State, _understood: Interpretation, _facts: Facts, _today: date) -> Turn:
    return Turn(state=state, answer="thanks")


def _balance(state: State, _understood: Interpretation, facts: Facts, _today: date) -> Turn:
    if facts.overdue_minor <= 0:
        return Turn(state=state.to(phase="open"), answer="nothing_due", variables={"creditor": facts.creditor})
    return Turn(
        state=state.to(phase="open"),
        answer="balance",
        choices=offered_choices(state, facts),
        variables={"creditor": facts.creditor, "amount": facts.overdue_minor},
        actions=(Action(kind="DiscloseBalance", with_={"amount_minor": facts.overdue_minor}),),
    )


def _pay_link(state: State, understood: Interpretation, facts: Facts, today: date) -> Turn:
    if facts.overdue_minor <= 0:
        return _balance(state, understood, facts, today)
    if not facts.can_pay_by_link and facts.how_to_pay:
        told: dict[str, str | int | date] = {"amount": facts.overdue_minor, "how": facts.how_to_pay}
        return Turn(state=state.to(phase="open"), answer="how_to_pay", variables=told)
    if not facts.can_pay_by_link:
        left = hand_over(state, facts, reason="pay_link")
        return Turn(state=left.state, answer="no_link", variables={"when": facts.office_hours}, actions=left.actions)
    return Turn(
        state=state.to(phase="open"),
        answer="pay_link",
        variables={"amount": facts.overdue_minor},
        actions=(Action(kind="SendPayLink", with_={"amount_minor": facts.overdue_minor}),),
    )


def _promise(state: State, understood: Interpretation, facts: Facts, today: date) -> Turn:
    if not facts.may_collect:
        return _closed(state, facts, intent="promise")
    if facts.overdue_minor <= 0:
        return _balance(state, understood, facts, today)
    return promises.propose_promise(state=state, slots=understood.slots, facts=facts, today=today)


def _plan(state: State, understood: Interpretation, facts: Facts, today: date) -> Turn:
    if not facts.may_collect:
        return _closed(state, facts, intent="plan")
    if facts.overdue_minor <= 0:
        return _balance(state, understood, facts, today)
    if not facts.allowed_plans:
        return hand_over(state, facts, reason="plan")
    return promises.offer_plans(state=state, facts=facts)


def _dispute(state: State, _understood: Interpretation, facts: Facts, _today: date) -> Turn:
    return _told(state, facts, kind="OpenDispute", answer="dispute_opened")


def _already_paid(state: State, _understood: Interpretation, facts: Facts, _today: date) -> Turn:
    return _told(state, facts, kind="ReportPayment", answer="payment_reported")


def _told(state: State, facts: Facts, *, kind: str, answer: str) -> Turn:
    """Record what the debtor tells at once, whoever writes; only who is known is answered in its own terms."""
    action = Action(kind=kind, with_={"verified": state.verified})  # type: ignore[arg-type]
    if state.verified:
        variables = {"creditor": facts.creditor} if answer == "dispute_opened" else {}
        return Turn(state=state.to(phase="open"), answer=answer, variables=variables, actions=(action,))
    return Turn(
        state=state.to(phase="open"),
        answer="noted_for_person",
        variables={"when": facts.office_hours},
        actions=(action,),
    )


_Answer = Callable[[State, Interpretation, Facts, date], Turn]
_ANSWERS: Final[dict[str, _Answer]] = {
    "greeting": _welcome,
    "thanks": _thanks,
    "identify": _welcome,
    "balance": _balance,
    "pay_link": _pay_link,
    "promise": _promise,
    "plan": _plan,
    "dispute": _dispute,
    "already_paid": _already_paid,
}
