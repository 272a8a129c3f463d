"""What an automatic call says next: a pure function of where the call is, what was pressed, and the facts.

Where the call is travels in the address, which Twilio signs. Nothing of a debt is said before the debtor has shown
who he or she is, and nothing at all to an answering machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from recobra.messaging.channels import webhooks
from recobra.messaging.channels.twilio_voice.speech import Speech

FIRST: Final = "greeting"
MOST_TRIES: Final = 3
_SHOWN_DIGITS: Final = 4
_PEOPLE: Final = frozenset({"", "human", "unknown"})


class CallAction(StrEnum):
    """What the debtor decided, to be carried out by whoever serves the call."""

    IDENTIFIED = "IDENTIFIED"
    SEND_PAY_LINK = "SEND_PAY_LINK"
    PROMISE = "PROMISE"
    TALK = "TALK"
    NOT_ME = "NOT_ME"
    OPT_OUT = "OPT_OUT"
    UNIDENTIFIED = "UNIDENTIFIED"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What the call may know. `text` is the contact's approved words, said only after identity.

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
    most_promise_days: int = 15
    answered_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a call is: read from the address with `position`."""

    step: str = FIRST
    pressed: str = ""
    tries: int = 0
    days: int = 0
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What to answer Twilio, and what the debtor decided. `promise_date` belongs to PROMISE."""

    twiml: str
    acts: tuple[CallAction, ...] = ()
    promise_date: date | None = None


def read_position(query: Mapping[str, str], form: Mapping[str, str]) -> Position:
    """Read where a call is from the address's parameters and Twilio's form; anything odd is the beginning."""
    number = {name: int(text) for name, text in query.items() if text.isdecimal() and len(text) < 4}
    step = query.get("step", FIRST)
    return Position(
        step=step if step in _STEPS else FIRST,
        pressed=form.get("Digits", "").strip()[:8],
        tries=number.get("tries", 0),
        days=number.get("days", 0),
        silent=number.get("silent") == 1,
    )


def next_turn(at: Position, facts: CallFacts) -> Turn:
    """Return what comes next."""
    speech = Speech(country=facts.country, url=facts.url)
    if facts.answered_by not in _PEOPLE:
        speech.hang_up()
        return Turn(twiml=speech.xml())
    if at.silent and at.tries + 1 >= MOST_TRIES:
        return _end(speech, "goodbye")
    if at.silent:
        at = Position(step=at.step, tries=at.tries + 1, days=at.days)
    return _STEPS[at.step](at, facts, speech)


def _greeting(at: Position, facts: CallFacts, speech: Speech) -> Turn:
    if at.pressed == "1":
        return _ask_identity(Position(), facts, speech)
    if at.pressed == "9":
        return _ask_stop(Position(), facts, speech)
    said = speech.phrase("greeting", agency=facts.agency, creditor=facts.creditor, name=facts.name)
    return _ask(speech, said, step=FIRST, at=at)


def _ask_identity(at: Position, facts: CallFacts, speech: Speech) -> Turn:
    if len(_digits(facts.identity)) < _SHOWN_DIGITS:
        return _ask(speech, speech.phrase("unknown_identity"), step="stranger", at=at)
    return _ask(speech, speech.phrase("identity"), step="identity", at=at, digits=_SHOWN_DIGITS)


def _identity(at: Position, facts: CallFacts, speech: Speech) -> Turn:
    expected = _digits(facts.identity)[-_SHOWN_DIGITS:]
    if not at.pressed:
        return _ask_identity(at, facts, speech)
    if len(expected) == _SHOWN_DIGITS and webhooks.same(at.pressed, expected):
        said = (facts.text, speech.phrase("menu"))
        return _ask(speech, *said, step="menu", at=Position(), acts=(CallAction.IDENTIFIED,))
    if at.tries + 1 >= MOST_TRIES:
        return _end(speech, "identity_failed", acts=(CallAction.UNIDENTIFIED,))
    again = Position(tries=at.tries + 1)
    return _ask(speech, speech.phrase("identity_again"), step="identity", at=again, digits=_SHOWN_DIGITS)


def _stranger(at: Position, facts: CallFacts, speech: Speech) -> Turn:
    if at.pressed == "3":
        return _talk(facts, speech)
    if at.pressed == "9":
        return _ask_stop(Position(), facts, speech)
    return _ask_identity(at, facts, speech)


def _menu(at: Position, facts: CallFacts, speech: Speech) -> Turn:
    match at.pressed:
        case "1":
            return _end(speech, "link_sent", acts=(CallAction.SEND_PAY_LINK,))
        case "2":
            return _ask_days("promise", Position(), facts, speech)
        case "3":
            return _talk(facts, speech)
        case "9":
            return _ask_stop(Position(), facts, speech)
    return _ask(speech, speech.phrase("menu"), step="menu", at=at)


def _ask_days(phrase: str, at: Position, facts: CallFacts, speech: Speech) -> Turn:
    said = speech.phrase(phrase, most=facts.most_promise_days)
    return _ask(speech, said, step="promise", at=at, digits=None)


def _promise(at: Position, facts: CallFacts, speech: Speech) -> Turn:
    if not at.pressed:
        return _ask_days("promise", at, facts, speech)
    days = int(at.pressed) if at.pressed.isdecimal() else 0
    if 1 <= days <= facts.most_promise_days:
        return _ask_confirmation(Position(days=days), facts, speech)
    if at.tries + 1 >= MOST_TRIES:
        return _end(speech, "call_back", acts=(CallAction.TALK,))
    return _ask_days("promise_again", Position(tries=at.tries + 1), facts, speech)


def _ask_confirmation(at: Position, facts: CallFacts, speech: Speech) -> Turn:
    said = speech.phrase("confirm", date=speech.day(facts.today + timedelta(days=at.days)))
    return _ask(speech, said, step="confirm", at=at)


def _confirm(at: Position, facts: CallFacts, speech: Speech) -> Turn:
    if not 1 <= at.days <= facts.most_promise_days or at.pressed == "2":
        return _ask_days("promise", Position(), facts, speech)
    if at.pressed != "1":
        return _ask_confirmation(at, facts, speech)
    day = facts.today + timedelta(days=at.days)
    return _end(speech, "promised", acts=(CallAction.PROMISE,), promise_date=day, date=speech.day(day))


def _talk(facts: CallFacts, speech: Speech) -> Turn:
    if not facts.person_number:
        return _end(speech, "call_back", acts=(CallAction.TALK,))
    speech.say(speech.phrase("connecting"))
    speech.dial(facts.person_number, facts.caller)
    return Turn(twiml=speech.xml(), acts=(CallAction.TALK,))


def _ask_stop(at: Position, facts: CallFacts, speech: Speech) -> Turn:
    return _ask(speech, speech.phrase("stop", name=facts.name), step="stop", at=at)


def _stop(at: Position, facts: CallFacts, speech: Speech) -> Turn:
    """Whoever came here wants silence: what is pressed only tells which of the two it is."""
    if at.pressed == "1":
        return _end(speech, "not_me", acts=(CallAction.NOT_ME,), name=facts.name)
    if at.pressed:
        return _end(speech, "opted_out", acts=(CallAction.OPT_OUT,))
    if at.tries:
        return _end(speech, "opted_out", acts=(CallAction.OPT_OUT,))
    return _ask_stop(at, facts, speech)


def _ask(
    speech: Speech, *texts: str, step: str, at: Position, digits: int | None = 1, acts: tuple[CallAction, ...] = ()
) -> Turn:
    carried = {"days": at.days} if at.days else {}
    speech.ask(*texts, step=step, digits=digits, tries=at.tries, **carried)
    return Turn(twiml=speech.xml(), acts=acts)


def _end(
    speech: Speech, phrase: str, *, acts: tuple[CallAction, ...] = (), promise_date: date | None = None, **values: str
) -> Turn:
    speech.say(speech.phrase(phrase, **values))
    speech.hang_up()
    return Turn(twiml=speech.xml(), acts=acts, promise_date=promise_date)


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdecimal())


_STEPS: Final[Mapping[str, Callable[[Position, CallFacts, Speech], Turn]]] = {
    FIRST: _greeting,
    "identity": _identity,
    "stranger": _stranger,
    "menu": _menu,
    "promise": _promise,
    "confirm": _confirm,
    "stop": _stop,
}
