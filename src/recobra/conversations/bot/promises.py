"""Promises and plans in the dialogue: asked for, confirmed, and made only within what a gestor may take."""

from __future__ import annotations

from datetime import date, timedelta

from recobra.conversations.bot.interpretation import Interpretation, Slots
from recobra.conversations.bot.turns import Action, Facts, Plan, State, Turn

YES_NO = ("yes", "no")


def propose_promise(*, state: State, slots: Slots, facts: Facts, today: date) -> Turn:
    """Take from a message the day and the amount of a promise; ask for what is missing, unclear or beyond the limits.

    Without an amount the whole overdue one is meant; the debtor confirms it in figures before it is made.
    """
    if facts.promise_open_until is not None:
        return Turn(state=state.to(phase="open"), answer="promise_open", variables={"day": facts.promise_open_until})
    latest = today + timedelta(days=facts.limits.promise_days)
    day = slots.day or (None if slots.day_unclear else state.day)
    amount = _amount(state, slots, facts)
    kept = state.to(wanted="promise", day=day, amount_minor=amount, misses=0)
    if day is None:
        return Turn(state=kept.to(phase="ask_day"), answer="ask_day", variables={"latest": latest})
    if not today <= day <= latest:
        return Turn(state=kept.to(phase="ask_day", day=None), answer="day_too_far", variables={"latest": latest})
    if amount is None or not _least(facts) <= amount <= facts.overdue_minor:
        return Turn(
            state=kept.to(phase="ask_amount", amount_minor=None),
            answer="ask_amount",
            variables={"least": _least(facts), "amount": facts.overdue_minor},
        )
    proposed: dict[str, str | int | date | bool] = {"amount_minor": amount, "day": day}
    return Turn(
        state=kept.to(phase="confirm_promise"),
        answer="confirm_promise",
        variables={"amount": amount, "day": day},
        actions=(Action(kind="ProposePromise", with_=proposed),),
        choices=YES_NO,
    )


def remember_promise(*, state: State, slots: Slots, facts: Facts) -> State:
    """Keep what a promise named while identity is asked; nothing of one whose amount has to be asked."""
    if slots.amount_unclear or slots.currency not in {None, facts.currency}:
        return state
    return state.to(day=slots.day, amount_minor=slots.amount_minor)


def _least(facts: Facts) -> int:
    """Return the least that may be promised: who owes less than the minimum promises all of it."""
    return min(facts.limits.promise_min_minor, facts.overdue_minor)


def _amount(state: State, slots: Slots, facts: Facts) -> int | None:
    if slots.amount_unclear or (slots.currency is not None and slots.currency != facts.currency):
        return None
    if slots.amount_minor is not None:
        return slots.amount_minor
    if state.phase == "ask_amount":
        return None
    return state.amount_minor if state.amount_minor is not None else facts.overdue_minor


def offer_plans(*, state: State, facts: Facts) -> Turn:
    """Show the plans that are allowed, to be chosen by number; no other can be."""
    ids = tuple(f"plan:{plan.id}" for plan in facts.allowed_plans)
    return Turn(
        state=state.to(phase="choose_plan", wanted="plan", misses=0),
        answer="offer_plans",
        choices=ids,
        actions=(Action(kind="OfferPlans", with_={"plans": " ".join(plan.id for plan in facts.allowed_plans)}),),
    )


def continue_subject(*, state: State, intent: str, understood: Interpretation, facts: Facts, today: date) -> Turn:
    """Read the answer to what was asked. What has meanwhile left the limits is asked again, never made."""
    if intent == "no":
        return _dropped(state)
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
    made = Action(kind="MakePromise", with_={"amount_minor": state.amount_minor, "day": state.day})
    return Turn(
        state=_cleared(state),
        answer="promise_made",
        actions=(made,),
        variables={"amount": state.amount_minor, "day": state.day},
    )


def _plan_of(plan_id: str | None, facts: Facts) -> Plan | None:
    return next((plan for plan in facts.allowed_plans if plan.id == plan_id), None)


def _terms(plan: Plan) -> dict[str, str | int | date]:
    return {"instalments": plan.instalments, "amount": plan.instalment_minor, "day": plan.first_day}


def _confirm_plan(state: State, plan_id: str, facts: Facts) -> Turn:
    plan = _plan_of(plan_id, facts)
    if plan is None:
        return offer_plans(state=state, facts=facts) if facts.allowed_plans else _dropped(state)
    return Turn(
        state=state.to(phase="confirm_plan", plan_id=plan.id),
        answer="confirm_plan",
        variables=_terms(plan),
        choices=YES_NO,
    )


def _accept_plan(state: State, facts: Facts) -> Turn:
    plan = _plan_of(state.plan_id, facts)
    if plan is None:
        return offer_plans(state=state, facts=facts) if facts.allowed_plans else _dropped(state)
    accepted = Action(kind="AcceptPlan", with_={"plan": plan.id})
    return Turn(state=_cleared(state), answer="plan_accepted", variables=_terms(plan), actions=(accepted,))


def _dropped(state: State) -> Turn:
    return Turn(state=_cleared(state), answer="promise_dropped")


def _cleared(state: State) -> State:
    return state.to(phase="open", wanted=None, day=None, amount_minor=None, plan_id=None, misses=0)
