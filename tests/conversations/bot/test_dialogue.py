"""Whole conversations, as a supervisor would read them: what the debtor writes, what is answered, what is done."""

from __future__ import annotations

from datetime import date

import pytest

from recobra.conversations.bot.dialogue import next_turn
from recobra.conversations.bot.interpretation import Interpretation, interpret_message
from recobra.conversations.bot.turns import State, dump_state, load_state

from .conftest import TODAY


def talk(facts, *texts, state=None):
    """Return [(answer, kinds of actions)] of a conversation, and its last turn."""
    state, turn, told = state or State(), None, []
    for text in texts:
        understood = interpret_message(text=text, today=TODAY, country=facts.country)
        turn = next_turn(state=state, understood=understood, facts=facts, today=TODAY)
        # The state is kept as JSON between messages.
        state = load_state(dump_state(turn.state))
        assert state == turn.state
        told.append((turn.answer, tuple(action.kind for action in turn.actions)))
    return told, turn


KNOWN = State(introduced=True, verified=True)

STORIES = {
    "asks for the balance, proves who it is, asks for the link": [
        ("hola", "welcome", ""),
        ("cuánto debo", "ask_id_last4", ""),
        ("4321", "balance", "Verified DiscloseBalance"),
        ("quiero pagar", "pay_link", "SendPayLink"),
        ("gracias", "thanks", ""),
    ],
    "promises a day and confirms": [
        ("el viernes te pago", "ask_id_last4", ""),
        ("termina en 4321", "confirm_promise", "Verified ProposePromise"),
        ("sí", "promise_made", "MakePromise"),
    ],
    "fails three times": [
        ("mi saldo", "ask_id_last4", ""),
        ("1111", "identity_wrong", "IdentityRefused"),
        ("2222", "identity_wrong", "IdentityRefused"),
        ("3333", "to_person", "IdentityRefused HandOver"),
        ("4321", None, ""),
        ("BAJA", None, "OptOut"),
    ],
    "is somebody else": [("quién es?", "welcome", ""), ("NO SOY", None, "WrongPerson"), ("hola", None, "")],
    "wants silence while identity is asked": [
        ("cuánto debo", "ask_id_last4", ""),
        ("STOP", None, "OptOut"),
        ("4321", None, ""),
    ],
    "disputes and reports a payment without proving anything": [
        ("no reconozco esa deuda", "noted_for_person", "OpenDispute"),
        ("ya pagué", "noted_for_person", "ReportPayment"),
    ],
    "wants a person": [("quiero hablar con un asesor", "to_person", "HandOver"), ("hola?", None, "")],
    "lost the job": [("me quedé sin trabajo", "to_person_care", "HandOver")],
    "complains": [("los voy a denunciar por acoso", "to_person_complaint", "HandOver")],
    "is not understood": [
        ("asdfghjkl", "not_understood", ""),
        ("qwertyuiop", "menu", ""),
        ("zxcvbnm", "to_person", "HandOver"),
    ],
    "chooses by number": [
        ("xyzxyz", "not_understood", ""),
        ("1", "ask_id_last4", ""),
        ("4321", "identified", "Verified"),
        ("1", "balance", "DiscloseBalance"),
    ],
}


@pytest.mark.parametrize("story", STORIES, ids=str)
def test_a_stranger(story, facts):
    told, _turn = talk(facts(), *(text for text, _answer, _actions in STORIES[story]))
    assert told == [(answer, tuple(actions.split())) for _text, answer, actions in STORIES[story]]


KNOWN_STORIES = {
    "promises part of it": [
        ("pago 500 soles el 1 de diciembre", "confirm_promise", "ProposePromise"),
        ("confirmo", "promise_made", "MakePromise"),
    ],
    "promises too late, then in time, then thinks again": [
        ("prometo pagar el 20 de diciembre", "day_too_far", ""),
        ("el 5", "confirm_promise", "ProposePromise"),
        ("no", "promise_dropped", ""),
    ],
    "promises more than is owed": [
        ("te pago 5000 soles el viernes", "ask_amount", ""),
        ("700", "confirm_promise", "ProposePromise"),
        ("1", "promise_made", "MakePromise"),
    ],
    "promises in another currency": [("pago 200 dólares el viernes", "ask_amount", "")],
    "promises the half": [("el viernes pago la mitad", "ask_amount", "")],
    "corrects the day before confirming": [
        ("pago el viernes", "confirm_promise", "ProposePromise"),
        ("mejor el sábado te pago", "confirm_promise", "ProposePromise"),
        ("si", "promise_made", "MakePromise"),
    ],
    "chooses a plan": [
        ("quiero un plan de pagos", "offer_plans", "OfferPlans"),
        ("2", "confirm_plan", ""),
        ("sí", "plan_accepted", "AcceptPlan"),
    ],
    "asks something else instead of confirming": [
        ("pago el viernes", "confirm_promise", "ProposePromise"),
        ("cuánto debo", "balance", "DiscloseBalance"),
        ("sí", "not_understood", ""),
    ],
}


@pytest.mark.parametrize("story", KNOWN_STORIES, ids=str)
def test_a_debtor_who_proved_who_it_is(story, facts):
    told, _turn = talk(facts(), *(text for text, _answer, _actions in KNOWN_STORIES[story]), state=KNOWN)
    assert told == [(answer, tuple(actions.split())) for _text, answer, actions in KNOWN_STORIES[story]]


def test_the_first_answer_says_that_it_is_automatic_and_for_whom(facts):
    understood = interpret_message(text="hola", today=TODAY, country="PE")
    first = next_turn(state=State(), understood=understood, facts=facts(), today=TODAY)
    second = next_turn(state=first.state, understood=understood, facts=facts(), today=TODAY)
    assert (first.introduce, second.introduce) == (True, False)


AFTER_HOURS = [
    ("cuánto debo", "balance", "DiscloseBalance"),
    ("link de pago", "pay_link", "SendPayLink"),
    ("pago el viernes", "collecting_closed", "HandOver"),
    ("quiero cuotas", "collecting_closed", "HandOver"),
    ("ya pagué", "payment_reported", "ReportPayment"),
    ("no reconozco esa deuda", "dispute_opened", "OpenDispute"),
    ("BAJA", None, "OptOut"),
    ("NO SOY", None, "WrongPerson"),
    ("un asesor", "to_person_later", "HandOver"),
]


@pytest.mark.parametrize(("text", "answer", "actions"), AFTER_HOURS)
def test_after_hours_it_informs_and_collects_nothing(text, answer, actions, facts):
    closed = facts(may_collect=False, is_office_open=False)
    told, turn = talk(closed, text, state=KNOWN)
    assert told == [(answer, tuple(actions.split()))]
    assert not {"promise", "plan", "pay_link"} & set(turn.choices)


def test_a_promise_begun_in_time_is_not_made_after_hours(facts):
    told, turn = talk(facts(), "pago el viernes", state=KNOWN)
    assert told[-1][0] == "confirm_promise"
    told, _turn = talk(facts(may_collect=False), "sí", state=turn.state)
    assert told == [("collecting_closed", ("HandOver",))]


def test_what_was_paid_meanwhile_is_not_promised(facts):
    _told, turn = talk(facts(), "pago el viernes", state=KNOWN)
    told, _turn = talk(facts(overdue_minor=10_000), "sí", state=turn.state)
    assert told == [("ask_amount", ())]


def test_a_plan_that_is_no_longer_allowed_is_not_accepted(facts):
    _told, turn = talk(facts(), "quiero un plan de pagos", "2", state=KNOWN)
    told, _turn = talk(facts(allowed_plans=facts().allowed_plans[:1]), "sí", state=turn.state)
    assert told == [("offer_plans", ("OfferPlans",))]


def test_without_an_allowed_plan_a_person_decides(facts):
    told, _turn = talk(facts(allowed_plans=()), "quiero cuotas", state=KNOWN)
    assert told == [("to_person", ("HandOver",))]


def test_where_nothing_can_be_asked_a_person_answers(facts):
    for unknown in (facts(identity=None), facts(identity_blocked=True)):
        told, _turn = talk(unknown, "cuánto debo")
        assert told == [("to_person", ("HandOver",))]


def test_right_figures_prove_nothing_once_too_many_were_wrong(facts):
    _told, turn = talk(facts(), "cuánto debo")
    told, _turn = talk(facts(identity_blocked=True), "4321", state=turn.state)
    assert told == [("to_person", ("HandOver",))]


def test_a_doubtful_wish_for_silence_is_asked_about(facts):
    doubtful = Interpretation(intent="not_understood", confidence=0.4, suspected="opt_out", by="classifier")
    asked = next_turn(state=KNOWN, understood=doubtful, facts=facts(), today=TODAY)
    assert asked.answer == "confirm_silence"
    assert talk(facts(), "sí", state=asked.state)[0] == [(None, ("OptOut",))]
    assert talk(facts(), "cuánto debo", state=asked.state)[0] == [("balance", ("DiscloseBalance",))]


def test_who_owes_nothing_is_told_so(facts):
    told, _turn = talk(facts(overdue_minor=0), "cuánto debo", "pago el viernes", "quiero pagar", state=KNOWN)
    assert told == [("nothing_due", ())] * 3


def test_an_open_promise_is_not_promised_over(facts):
    told, _turn = talk(facts(promise_open_until=date(2026, 11, 27)), "pago el jueves", state=KNOWN)
    assert told == [("promise_open", ())]
