"""What must never happen in any conversation, whatever is written in whatever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from recobra.conversations.bot.dialogue import MISSES_MAX, next_turn
from recobra.conversations.bot.intents import INTENTS
from recobra.conversations.bot.interpretation import Interpretation, Slots
from recobra.conversations.bot.replies import load_answers, render_reply
from recobra.conversations.bot.turns import State, dump_state, load_state

from .conftest import MONDAY_FACTS, TODAY

SLOTS = st.builds(
    Slots,
    day=st.none() | st.dates(TODAY - timedelta(days=5), TODAY + timedelta(days=60)),
    day_unclear=st.booleans(),
    amount_minor=st.none() | st.sampled_from([1, 4_999, 5_000, 60_000, 123_450, 123_451, 10**12]),
    currency=st.sampled_from([None, "PEN", "USD"]),
    amount_unclear=st.booleans(),
    choice=st.none() | st.integers(0, 12),
    figures=st.sampled_from([None, None, "4321", "1111", "1985"]),
)
MESSAGES = st.builds(
    Interpretation,
    intent=st.sampled_from(INTENTS),
    confidence=st.just(1.0),
    slots=SLOTS,
    suspected=st.sampled_from([None, None, "opt_out", "wrong_person"]),
)
FACTS = st.builds(
    lambda **changes: replace(MONDAY_FACTS, **changes),
    may_collect=st.booleans(),
    is_office_open=st.booleans(),
    overdue_minor=st.sampled_from([0, 1, 3_000, 123_450]),
    allowed_plans=st.sampled_from([(), MONDAY_FACTS.allowed_plans, MONDAY_FACTS.allowed_plans[:1]]),
    identity=st.sampled_from([None, MONDAY_FACTS.identity]),
    identity_blocked=st.booleans(),
    can_pay_by_link=st.booleans(),
    promise_open_until=st.none() | st.just(TODAY),
)
MONEY = {"DiscloseBalance", "SendPayLink", "ProposePromise", "MakePromise", "OfferPlans", "AcceptPlan"}
COLLECTING = {"ProposePromise", "MakePromise", "OfferPlans", "AcceptPlan"}


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(MESSAGES, FACTS), min_size=1, max_size=12))
def test_no_conversation_ever(exchange):
    state, silent, proved = State(), False, False
    for understood, facts in exchange:
        turn = next_turn(state=state, understood=understood, facts=facts, today=TODAY)
        kinds = {action.kind for action in turn.actions}
        silence_is_kept(turn, kinds, understood, silent=silent)
        if "Verified" in kinds:
            assert understood.slots.figures == "4321"
            assert facts.identity is not None
            assert not facts.identity_blocked
        proved = proved or "Verified" in kinds
        if not proved:
            nothing_is_disclosed(turn, kinds)
        if not facts.may_collect:
            nothing_is_asked_for(turn, kinds)
        nothing_is_beyond_the_limits(turn, facts, before=state)
        every_message_is_answered(turn, facts)
        silent = silent or bool(kinds & {"OptOut", "WrongPerson"})
        state = load_state(dump_state(turn.state))


def silence_is_kept(turn, kinds, understood, *, silent):
    if silent:
        assert turn.answer is None
        assert kinds <= {"OptOut", "WrongPerson"}
    if understood.intent == "opt_out":
        assert (turn.answer, kinds) == (None, {"OptOut"})


def nothing_is_disclosed(turn, kinds):
    assert turn.answer is None or not load_answers()[turn.answer].get("discloses")
    assert not kinds & MONEY
    assert not {"amount", "least"} & set(turn.variables)
    assert not {"balance", "pay_link", "promise", "plan"} & set(turn.choices)


def nothing_is_asked_for(turn, kinds):
    assert turn.answer is None or not load_answers()[turn.answer].get("asks")
    assert not kinds & COLLECTING


def nothing_is_beyond_the_limits(turn, facts, *, before):
    for action in turn.actions:
        if action.kind in {"ProposePromise", "MakePromise"}:
            assert TODAY <= action.payload["day"] <= TODAY + timedelta(days=facts.limits.promise_days)
            assert 0 < action.payload["amount_minor"] <= facts.overdue_minor
            assert facts.promise_open_until is None
        if action.kind == "MakePromise":
            confirmed = ("confirm_promise", action.payload["day"], action.payload["amount_minor"])
            assert (before.phase, before.day, before.amount_minor) == confirmed
        if action.kind == "AcceptPlan":
            assert before.phase == "confirm_plan"
            assert action.payload["plan"] in {plan.id for plan in facts.allowed_plans}
    assert {c for c in turn.choices if c.startswith("plan:")} <= {f"plan:{p.id}" for p in facts.allowed_plans}


def every_message_is_answered(turn, facts):
    assert turn.answer is not None or turn.state.phase in {"with_person", "silent"}
    assert turn.state.misses < MISSES_MAX
    for channel in ("sms", "whatsapp"):
        words = render_reply(turn, facts=facts, channel=channel, link="https://pay.example/x")
        assert (words is None) == (turn.answer is None)
        assert words is None or "{" not in words.text
