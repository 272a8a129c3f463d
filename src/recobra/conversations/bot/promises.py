"""Promises and plans in the dialogue, confirmed before they are made, within the limits of a gestor."""

from __future__ import annotations

from datetime import date, timedelta

from recobra.conversations.bot.interpretation import Interpretation, Slots
from recobra.conversations.bot.turns import Action, Facts, Plan, State, Turn

YES_NO = ("yes", "no")


def propose_promise(*, state: State, slots: Slots, facts: Facts, today: date) -> Turn:
    """Propose the promise that a message names; ask for what is missing, unclear or beyond the limits.

    Without an amount all that is overdue is meant; the debtor confirms it in figures before the promise is made.
    """
    if facts.promise_open_until is not None:
        return Turn(
            state=state.replace(phase="open"), answer="promise_open", variables={"day": facts.promise_open_until}
        )
    latest = today + timedelta(days=facts.limits.promise_days)
    day = slots.day or (None if slots.day_unclear else state.day)
    amount = _choose_amount(state, slots, facts)
    proposed_state = state.replace(wanted="promise", day=day, amount_minor=amount, misses=0)
    if day is None:
        return Turn(state=proposed_state.replace(phase="ask_day"), answer="ask_day", variables={"latest": latest})
    if not today <= day <= latest:
        return Turn(
            state=proposed_state.replace(phase="ask_day", day=None), answer="day_too_far", variables={"latest": latest}
        )
    if amount is None or not _minimum_amount(facts) <= amount <= facts.overdue_minor:
        return Turn(
            state=proposed_state.replace(phase="ask_amount", amount_minor=None),
            answer="ask_amount",
            variables={"least": _minimum_amount(facts), "amount": facts.overdue_minor},
        )
    proposed: dict[str, str | int | date | bool] = {"amount_minor": amount, "day": day}
    return Turn(
        state=proposed_state.replace(phase="confirm_promise"),
        answer="confirm_promise",
        variables={"amount": amount, "day": day},
        actions=(Action(kind="ProposePromise", payload=proposed),),
        choices=YES_NO,
    )


def remember_promise(*, state: State, slots: Slots, facts: Facts) -> State:
    """Return the state with what a promise named, to be used once identity is proved."""
    # A day without its unclear amount would later be taken for a promise of everything.
    if slots.amount_unclear or slots.currency not in {None, facts.currency}:
        return state
    return state.replace(day=slots.day, amount_minor=slots.amount_minor)


def _minimum_amount(facts: Facts) -> int:
    """Return the least that may be promised: the minimum, or all that is overdue if that is less."""
    return min(facts.limits.promise_min_minor, facts.overdue_minor)


def _choose_amount(state: State, slots: Slots, facts: Facts) -> int | None:
    if slots.amount_unclear or (slots.currency is not None and slots.currency != facts.currency):
        return None
    if slots.amount_minor is not None:
        return slots.amount_minor
    if state.phase == "ask_amount":
        return None
    return state.amount_minor if state.amount_minor is not None else facts.overdue_minor


def offer_plans(*, state: State, facts: Facts) -> Turn:
    """Offer the allowed plans, to be chosen by number."""
    ids = tuple(f"plan:{plan.id}" for plan in facts.allowed_plans)
    return Turn(
        state=state.replace(phase="choose_plan", wanted="plan", misses=0),
        answer="offer_plans",
        choices=ids,
        actions=(Action(kind="OfferPlans", payload={"plans": " ".join(plan.id for plan in facts.allowed_plans)}),),
    )


def continue_subject(*, state: State, intent: str, understood: Interpretation, facts: Facts, today: date) -> Turn:
    """Continue with the answer to a question. What has left the limits meanwhile is asked again, never made."""
    if intent == "no":
        return _drop_subject(state)
    if state.phase == "choose_plan":
        return _confirm_plan(state, intent.removeprefix("plan:"), facts)
    if state.phase == "confirm_plan":
        return _accept_plan(state, facts)
    again = propose_promise(state=state, slots=understood.slots, facts=facts, today=today)
    if state.phase == "confirm_promise" and intent == "yes" and again.answer == "confirm_promise":
        return _make_promise(again.state)
    return again


def _make_promise(state: State) -> Turn:
    assert state.day is not None
    assert state.amount_minor is not None
    made = Action(kind="MakePromise", payload={"amount_minor": state.amount_minor, "day": state.day})
    return Turn(
        state=_clear_subject(state),
        answer="promise_made",
        actions=(made,),
        variables={"amount": state.amount_minor, "day": state.day},
    )


def _find_plan(plan_id: str | None, facts: Facts) -> Plan | None:
    return next((plan for plan in facts.allowed_plans if plan.id == plan_id), None)


def _plan_terms(plan: Plan) -> dict[str, str | int | date]:
    return {"instalments": plan.instalments, "amount": plan.instalment_minor, "day": plan.first_day}


def _confirm_plan(state: State, plan_id: str, facts: Facts) -> Turn:
    plan = _find_plan(plan_id, facts)
    if plan is None:
        return offer_plans(state=state, facts=facts) if facts.allowed_plans else _drop_subject(state)
    return Turn(
        state=state.replace(phase="confirm_plan", plan_id=plan.id),
        answer="confirm_plan",
        variables=_plan_terms(plan),
        choices=YES_NO,
    )


def _accept_plan(state: State, facts: Facts) -> Turn:
    plan = _find_plan(state.plan_id, facts)
    if plan is None:
        return offer_plans(state=state, facts=facts) if facts.allowed_plans else _drop_subject(state)
    accepted = Action(kind="AcceptPlan", payload={"plan": plan.id})
    return Turn(state=_clear_subject(state), answer="plan_accepted", variables=_plan_terms(plan), actions=(accepted,))


def _drop_subject(state: State) -> Turn:
    return Turn(state=_clear_subject(state), answer="promise_dropped")


def _clear_subject(state: State) -> State:
    return state.replace(phase="open", wanted=None, day=None, amount_minor=None, plan_id=None, misses=0)
