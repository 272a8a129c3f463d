"""Promises and plans in the dialogue, confirmed before they are made, within the limits of a gestor."""

from __future__ import annotations

from datetime import date, timedelta

from recobra.conversations.bot.interpretation import Interpretation, Slots
from recobra.conversations.bot.turns import Action, Facts, State, Turn

YES_NO = ("yes", "no")


def propose_promise(*, state: State, slots: Slots, facts: Facts, today: date) -> Turn:
    """Propose the promise that a message names; ask for what is missing, unclear or beyond the limits.

    Without an amount all that is overdue is meant; the debtor confirms it in figures before the promise is made.
    """
    # One promise at a time: a second one would move the day of the first.
    if facts.promise_open_until is not None:
        return Turn(
            state=state.replace(phase="open"), answer="promise_open", variables={"day": facts.promise_open_until}
        )
    latest = today + timedelta(days=facts.limits.promise_days)
    # A day named earlier holds until a message names another one, or an unclear one.
    day = slots.day
    if day is None and not slots.day_unclear:
        day = state.day
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
    """Return the amount that is promised: the one named now, else earlier, else all that is overdue; None to ask."""
    # An amount in another currency is asked for again, not converted.
    if slots.amount_unclear or (slots.currency is not None and slots.currency != facts.currency):
        return None
    if slots.amount_minor is not None:
        return slots.amount_minor
    if state.phase == "ask_amount":
        # The question got no amount: that must not count as a promise of everything.
        return None
    if state.amount_minor is not None:
        return state.amount_minor
    return facts.overdue_minor


def offer_plans(*, state: State, facts: Facts) -> Turn:
    """Offer the allowed plans, to be chosen by number."""
    plan_ids = [plan.id for plan in facts.allowed_plans]
    return Turn(
        state=state.replace(phase="choose_plan", wanted="plan", misses=0),
        answer="offer_plans",
        choices=tuple(f"plan:{plan_id}" for plan_id in plan_ids),
        actions=(Action(kind="OfferPlans", payload={"plans": " ".join(plan_ids)}),),
    )


def continue_subject(*, state: State, intent: str, understood: Interpretation, facts: Facts, today: date) -> Turn:
    """Continue with the answer to a question. What has left the limits meanwhile is asked again, never made."""
    if intent == "no":
        return _drop_subject(state)
    if state.phase in {"choose_plan", "confirm_plan"}:
        return _continue_plan(state, intent, facts)
    # Proposed again under the facts of now: a payment or a day that passed may have changed what can be promised.
    proposal = propose_promise(state=state, slots=understood.slots, facts=facts, today=today)
    if state.phase != "confirm_promise" or intent != "yes" or proposal.answer != "confirm_promise":
        return proposal
    day = proposal.state.day
    amount_minor = proposal.state.amount_minor
    # A proposal that only waits for «sí» has both.
    assert day is not None
    assert amount_minor is not None
    return Turn(
        state=_clear_subject(proposal.state),
        answer="promise_made",
        actions=(Action(kind="MakePromise", payload={"amount_minor": amount_minor, "day": day}),),
        variables={"amount": amount_minor, "day": day},
    )


def _continue_plan(state: State, intent: str, facts: Facts) -> Turn:
    """Ask to confirm the plan that was chosen, or accept the one that was confirmed."""
    is_choice = state.phase == "choose_plan"
    plan_id = intent.removeprefix("plan:") if is_choice else state.plan_id
    plan = next((plan for plan in facts.allowed_plans if plan.id == plan_id), None)
    if plan is None:
        return offer_plans(state=state, facts=facts) if facts.allowed_plans else _drop_subject(state)
    terms: dict[str, str | int | date] = {
        "instalments": plan.instalments,
        "amount": plan.instalment_minor,
        "day": plan.first_day,
    }
    if is_choice:
        confirming = state.replace(phase="confirm_plan", plan_id=plan.id)
        return Turn(state=confirming, answer="confirm_plan", variables=terms, choices=YES_NO)
    accepted = Action(kind="AcceptPlan", payload={"plan": plan.id})
    return Turn(state=_clear_subject(state), answer="plan_accepted", variables=terms, actions=(accepted,))


def _drop_subject(state: State) -> Turn:
    # One answer for promises and plans.
    return Turn(state=_clear_subject(state), answer="promise_dropped")


def _clear_subject(state: State) -> State:
    """Return the state without the promise or plan that was spoken of."""
    return state.replace(phase="open", wanted=None, day=None, amount_minor=None, plan_id=None, misses=0)
