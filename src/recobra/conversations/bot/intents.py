"""What a message may mean, and what it costs to take one meaning for another."""

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
# A bare «sí» or «1» has a meaning in its place alone, which the dialogue knows; nothing is learnt for these.
CONTEXTUAL: Final[frozenset[Intent]] = frozenset({"yes", "no", "number", "not_understood"})
LEARNT: Final[tuple[str, ...]] = (*(intent for intent in INTENTS if intent not in CONTEXTUAL), "other")
MAIN: Final[tuple[str, ...]] = LEARNT[:9]
# A miss of these goes on writing to somebody who must not be written to.
SILENCING: Final[tuple[str, ...]] = ("opt_out", "wrong_person")
# What leaves a record at once; everything else is only said, or asked to be confirmed before it is done.
ACTING: Final[frozenset[str]] = frozenset({*SILENCING, "dispute", "already_paid"})

_TALK: Final = frozenset({"greeting", "thanks", "not_understood"})
_FOR_A_PERSON: Final = frozenset({"talk_to_person", "hardship", "complaint"})


def intent_of_label(label: str) -> str:
    """Return what a label of the phrases is to be taken for: chatter that is none of our business is not understood."""
    return "not_understood" if label == "other" else label


def cost(*, meant: str, taken: str) -> int:
    """Return what it costs to take `meant` for `taken`; asking again costs 1, and 2 where somebody wants silence."""
    if taken == meant or {taken, meant} <= _FOR_A_PERSON or {taken, meant} <= _TALK:
        return 0
    if taken == "not_understood":
        return 2 if meant in SILENCING else 1
    if meant in SILENCING or taken in SILENCING:
        return 10 if meant in SILENCING and taken not in SILENCING else 8
    if taken in ACTING:
        return 4
    return 1 if taken in _TALK | _FOR_A_PERSON else 2
