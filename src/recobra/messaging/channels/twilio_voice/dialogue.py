"""Dialogue of an automatic call, as pure functions of the position, the keys pressed and the facts.

The position travels in the address, which Twilio signs. Nothing of a debt is said before the debtor has proved his or
her identity, and nothing at all to an answering machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from recobra.messaging.channels import webhooks
from recobra.messaging.channels.twilio_voice.speech import Speech
from recobra.portfolio.identity import IDENTITY_FIGURES, MAX_TRIES

FIRST_STEP: Final = "greeting"
_HUMAN: Final = frozenset({"", "human", "unknown"})


class CallAction(StrEnum):
    """What the debtor decided, for the caller of `next_turn` to carry out."""

    IDENTIFIED = "IDENTIFIED"
    SEND_PAY_LINK = "SEND_PAY_LINK"
    PROMISE = "PROMISE"
    TALK = "TALK"
    NOT_ME = "NOT_ME"
    OPT_OUT = "OPT_OUT"
    UNIDENTIFIED = "UNIDENTIFIED"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What the call may say. `text` is the contact's approved text, said only after the identity is proved.

    `identity` is the debtor's national id, '' where there is none. `person_number` is where people answer now, ''
    after hours. `answered_by` is Twilio's word. `url` is the address that serves this call.
    """

    url: str
    country: str
    agency: str
    creditor: str
    name: str
    text: str
    today: date
    caller: str
    identity: str = ""
    person_number: str = ""
    max_promise_days: int = 15
    answered_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a call is, and what was pressed there; `read_position` reads it."""

    step: str = FIRST_STEP
    pressed: str = ""
    tries: int = 0
    days: int = 0
    is_silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The answer to Twilio, and what the debtor decided. `promise_date` belongs to PROMISE."""

    twiml: str
    actions: tuple[CallAction, ...] = ()
    promise_date: date | None = None


def read_position(query: Mapping[str, str], form: Mapping[str, str]) -> Position:
    """Return the position from the address's parameters and Twilio's form; anything unknown is the beginning."""
    # Of three digits at most: no step needs more.
    numbers = {name: int(text) for name, text in query.items() if text.isdecimal() and len(text) < 4}
    step = query.get("step", FIRST_STEP)
    return Position(
        step=step if step in _STEPS else FIRST_STEP,
        pressed=form.get("Digits", "").strip()[:8],
        tries=numbers.get("tries", 0),
        days=numbers.get("days", 0),
        is_silent=numbers.get("silent") == 1,
    )


def next_turn(position: Position, facts: CallFacts) -> Turn:
    """Return the next turn of a call."""
    speech = Speech(country=facts.country, url=facts.url)
    # A machine hears nothing, not even for whom the call is: others may play what it records.
    if facts.answered_by not in _HUMAN:
        speech.hang_up()
        return Turn(twiml=speech.xml())
    if position.is_silent and position.tries + 1 >= MAX_TRIES:
        return _end_call(speech, "goodbye")
    # What was pressed before is dropped: the step asks once more.
    if position.is_silent:
        position = Position(step=position.step, tries=position.tries + 1, days=position.days)
    return _STEPS[position.step](position, facts, speech)


def _answer_greeting(position: Position, facts: CallFacts, speech: Speech) -> Turn:
    """Answer the key pressed at the greeting: 1 goes on, 9 wants no more calls."""
    if position.pressed == "1":
        return _ask_identity(Position(), facts, speech)
    if position.pressed == "9":
        return _ask_stop(Position(), facts, speech)
    text = speech.phrase("greeting", agency=facts.agency, creditor=facts.creditor, name=facts.name)
    return _ask_keys(speech, text, step=FIRST_STEP, position=position)


def _ask_identity(position: Position, facts: CallFacts, speech: Speech) -> Turn:
    """Ask for the last digits of the identity document, or offer a person where none is known."""
    if len(_only_digits(facts.identity)) < IDENTITY_FIGURES:
        return _ask_keys(speech, speech.phrase("unknown_identity"), step="stranger", position=position)
    return _ask_keys(speech, speech.phrase("identity"), step="identity", position=position, digits=IDENTITY_FIGURES)


def _answer_identity(position: Position, facts: CallFacts, speech: Speech) -> Turn:
    """Compare the digits pressed with the last ones of the debtor's identity document; MAX_TRIES are allowed."""
    expected = _only_digits(facts.identity)[-IDENTITY_FIGURES:]
    if not position.pressed:
        return _ask_identity(position, facts, speech)
    if len(expected) == IDENTITY_FIGURES and webhooks.is_same_secret(position.pressed, expected):
        menu = speech.phrase("menu")
        return _ask_keys(speech, facts.text, menu, step="menu", position=Position(), actions=(CallAction.IDENTIFIED,))
    if position.tries + 1 >= MAX_TRIES:
        return _end_call(speech, "identity_failed", actions=(CallAction.UNIDENTIFIED,))
    again = Position(tries=position.tries + 1)
    return _ask_keys(speech, speech.phrase("identity_again"), step="identity", position=again, digits=IDENTITY_FIGURES)


def _answer_stranger(position: Position, facts: CallFacts, speech: Speech) -> Turn:
    """Answer the key of somebody whose identity cannot be checked: 3 asks for a person, 9 for no more calls."""
    if position.pressed == "3":
        return _connect_person(facts, speech)
    if position.pressed == "9":
        return _ask_stop(Position(), facts, speech)
    return _ask_identity(position, facts, speech)


def _answer_menu(position: Position, facts: CallFacts, speech: Speech) -> Turn:
    """Answer the key pressed in the menu: 1 payment link, 2 promise, 3 a person, 9 no more calls."""
    match position.pressed:
        case "1":
            return _end_call(speech, "link_sent", actions=(CallAction.SEND_PAY_LINK,))
        case "2":
            return _ask_days("promise", Position(), facts, speech)
        case "3":
            return _connect_person(facts, speech)
        case "9":
            return _ask_stop(Position(), facts, speech)
    return _ask_keys(speech, speech.phrase("menu"), step="menu", position=position)


def _ask_days(phrase: str, position: Position, facts: CallFacts, speech: Speech) -> Turn:
    """Ask in how many days the debtor will pay; `phrase` names the wording, for the first or a later try."""
    text = speech.phrase(phrase, most=facts.max_promise_days)
    return _ask_keys(speech, text, step="promise", position=position, digits=None)


def _answer_promise(position: Position, facts: CallFacts, speech: Speech) -> Turn:
    """Take the number of days until the debtor will pay, from 1 to the most that is allowed."""
    if not position.pressed:
        return _ask_days("promise", position, facts, speech)
    days = int(position.pressed) if position.pressed.isdecimal() else 0
    if 1 <= days <= facts.max_promise_days:
        return _ask_confirmation(Position(days=days), facts, speech)
    if position.tries + 1 >= MAX_TRIES:
        return _end_call(speech, "call_back", actions=(CallAction.TALK,))
    return _ask_days("promise_again", Position(tries=position.tries + 1), facts, speech)


def _ask_confirmation(position: Position, facts: CallFacts, speech: Speech) -> Turn:
    """Read out the day of a promise and ask whether it is right."""
    text = speech.phrase("confirm", date=speech.format_day(facts.today + timedelta(days=position.days)))
    return _ask_keys(speech, text, step="confirm", position=position)


def _answer_confirmation(position: Position, facts: CallFacts, speech: Speech) -> Turn:
    """Answer the key that confirms the day of a promise: 1 promises, 2 asks for another day."""
    if not 1 <= position.days <= facts.max_promise_days or position.pressed == "2":
        return _ask_days("promise", Position(), facts, speech)
    if position.pressed != "1":
        return _ask_confirmation(position, facts, speech)
    day = facts.today + timedelta(days=position.days)
    return _end_call(speech, "promised", actions=(CallAction.PROMISE,), promise_date=day, date=speech.format_day(day))


def _connect_person(facts: CallFacts, speech: Speech) -> Turn:
    """Put the debtor through to a person, or after hours promise a call back."""
    if not facts.person_number:
        return _end_call(speech, "call_back", actions=(CallAction.TALK,))
    speech.say(speech.phrase("connecting"))
    speech.dial(facts.person_number, facts.caller)
    return Turn(twiml=speech.xml(), actions=(CallAction.TALK,))


def _ask_stop(position: Position, facts: CallFacts, speech: Speech) -> Turn:
    """Ask for the reason why no more calls are wanted."""
    return _ask_keys(speech, speech.phrase("stop", name=facts.name), step="stop", position=position)


def _answer_stop(position: Position, facts: CallFacts, speech: Speech) -> Turn:
    """Take the reason of a debtor who wants no more calls: 1 is the wrong person, all else a wish."""
    # A debtor who reaches this step wants no more calls. The keys only give the reason, and silence counts as well.
    if position.pressed == "1":
        return _end_call(speech, "not_me", actions=(CallAction.NOT_ME,), name=facts.name)
    if position.pressed or position.tries:
        return _end_call(speech, "opted_out", actions=(CallAction.OPT_OUT,))
    return _ask_stop(position, facts, speech)


def _ask_keys(
    speech: Speech,
    *texts: str,
    step: str,
    position: Position,
    digits: int | None = 1,
    actions: tuple[CallAction, ...] = (),
) -> Turn:
    """Return the turn that says texts and waits for keys, which the `step` of the next turn answers.

    `digits` is how many keys are waited for; None waits for # after any number of them.
    """
    extra = {"days": position.days} if position.days else {}
    speech.ask(*texts, step=step, digits=digits, tries=position.tries, **extra)
    return Turn(twiml=speech.xml(), actions=actions)


def _end_call(
    speech: Speech,
    phrase: str,
    *,
    actions: tuple[CallAction, ...] = (),
    promise_date: date | None = None,
    **values: str,
) -> Turn:
    """Return the last turn: a phrase with its `values`, and the end of the call."""
    speech.say(speech.phrase(phrase, **values))
    speech.hang_up()
    return Turn(twiml=speech.xml(), actions=actions, promise_date=promise_date)


def _only_digits(text: str) -> str:
    return "".join(character for character in text if character.isdecimal())


_STEPS: Final[Mapping[str, Callable[[Position, CallFacts, Speech], Turn]]] = {
    FIRST_STEP: _answer_greeting,
    "identity": _answer_identity,
    "stranger": _answer_stranger,
    "menu": _answer_menu,
    "promise": _answer_promise,
    "confirm": _answer_confirmation,
    "stop": _answer_stop,
}
