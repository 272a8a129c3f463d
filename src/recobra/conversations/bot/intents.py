"""The intents of a message, and what it costs to take one for another."""

from __future__ import annotations

from typing import Final, Literal, get_args

Intent = Literal[
    "balance",
    "pay_link",
    "promise",
    "plan",
    "dispute",
    "already_paid",
    "wrong_person",
    "opt_out",
    "talk_to_person",
    "greeting",
    "thanks",
    "hardship",
    "complaint",
    "yes",
    "no",
    "number",
    "not_understood",
]
INTENTS: Final[tuple[Intent, ...]] = get_args(Intent)
# The meaning of a bare «sí» or «1» depends on the question, which the dialogue knows; the classifier learns none.
CONTEXTUAL: Final[frozenset[Intent]] = frozenset({"yes", "no", "number", "not_understood"})
LEARNT: Final[tuple[str, ...]] = (*(intent for intent in INTENTS if intent not in CONTEXTUAL), "other")
MAIN: Final[tuple[str, ...]] = LEARNT[:9]
# Missing one of these means writing on to somebody who must not be written to.
SILENCING: Final[tuple[str, ...]] = ("opt_out", "wrong_person")
# Intents that leave a record immediately; the others only get an answer, or are confirmed before they act.
ACTING: Final[frozenset[str]] = frozenset({*SILENCING, "dispute", "already_paid"})

_SMALL_TALK: Final = frozenset({"greeting", "thanks", "not_understood"})
_FOR_A_PERSON: Final = frozenset({"talk_to_person", "hardship", "complaint"})


def intent_of_label(label: str) -> str:
    """Return the intent of a label of the phrases: chatter, labelled «other», is not understood."""
    return "not_understood" if label == "other" else label


def cost(*, meant: str, taken: str) -> int:
    """Return the cost of taking `meant` for `taken`. Asking again costs 1, or 2 where an opt-out was meant."""
    if taken == meant or {taken, meant} <= _FOR_A_PERSON or {taken, meant} <= _SMALL_TALK:
        return 0
    if taken == "not_understood":
        return 2 if meant in SILENCING else 1
    # The worst is to write on to somebody who opted out; nearly as bad is to silence somebody who did not ask for it.
    if meant in SILENCING and taken not in SILENCING:
        return 10
    if meant in SILENCING or taken in SILENCING:
        return 8
    # A record in the file has to be undone by a person; a wrong answer is only a wrong answer.
    if taken in ACTING:
        return 4
    return 1 if taken in _SMALL_TALK | _FOR_A_PERSON else 2
