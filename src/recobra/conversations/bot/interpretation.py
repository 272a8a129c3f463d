"""Interpretation of one message: keywords first, which always win; then the classifier, unless it is in doubt."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Final, Literal, cast

from recobra.consent import spoken_refusals as keywords
from recobra.conversations.bot import classifier, phrasebook
from recobra.conversations.bot.amounts import read_amount
from recobra.conversations.bot.days import read_day
from recobra.conversations.bot.intents import ACTING, SILENCING, Intent, intent_of_label
from recobra.kit.plain_text import MAX_LENGTH, normalise_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The least probability of an accepted intent: `act` for those that leave a record, `say` for the others."""

    act: float
    say: float

    def for_intent(self, intent: str) -> float:
        """Return the threshold of an intent."""
        return self.act if intent in ACTING else self.say


# What `recobra bot measure` chooses on its validation part (docs/bot.md): below it, asking again is cheaper.
THRESHOLDS: Final = Thresholds(act=0.75, say=0.45)
# From this probability on, an uncertain opt-out or wrong person is asked about by name.
_SUSPECTED_MIN: Final = 0.2
# A message of single letters is read as an answer up to this length.
_LETTERS_MAX: Final = 10
_NUMBER_ALONE: Final = re.compile(r"(?:opcion |la |el |numero |n )?(\d{1,2})(?: por favor| porfa)?")
_NO_WORD: Final = re.compile(r"[\d ]+")
_FIGURES: Final = re.compile(r"(?<!\d)\d{4}(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """The day, the amount and the figures that a message names. `…_unclear`: one was named and must be asked for.

    `choice` is a bare number, `figures` the only group of four digits (a document's end, a year). `amount_minor` is
    in minor units of `currency`.
    """

    day: date | None = None
    day_unclear: bool = False
    amount_minor: int | None = None
    currency: str | None = None
    amount_unclear: bool = False
    choice: int | None = None
    figures: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpretation:
    """The meaning of a message, and `by` which reader it was found; the message itself is not kept.

    `suspected` is the opt-out or wrong person that a message not understood may be, which is to be asked about.
    """

    intent: Intent
    confidence: float
    slots: Slots = Slots()
    by: Literal["keyword", "classifier", "model", "button"] = "keyword"
    suspected: Intent | None = None


def interpret_message(*, text: str, today: date, country: str) -> Interpretation:
    """Interpret a message in Spanish as of the debtor's local day; `country` is ISO 3166, two letters.

    Longer messages are read up to their first thousand characters.
    """
    text = text[:MAX_LENGTH]
    slots = extract_slots(text=text, today=today, country=country)
    # Keywords first: an opt-out by its word must not depend on a probability.
    certain = match_keyword(text=text, today=today, slots=slots)
    if certain is not None:
        return certain
    ((label, confidence),) = default_classifier().predict([text])
    intent = apply_threshold(text=text, label=label, confidence=confidence, thresholds=THRESHOLDS)
    suspected = possible_silence(intent=intent, label=label, confidence=confidence)
    return Interpretation(intent=intent, confidence=confidence, slots=slots, by="classifier", suspected=suspected)


def match_keyword(*, text: str, today: date, slots: Slots) -> Interpretation | None:
    """Return what a message says beyond doubt, by a keyword or a bare number; None where it must be classified."""
    refusal = keywords.match_refusal(text=text, today=today)
    if refusal is None and (slots.choice is not None or _NO_WORD.fullmatch(normalise_text(text))):
        return Interpretation(intent="number", confidence=1.0, slots=slots)
    if refusal is None:
        return None
    if refusal == "ambiguous":
        return Interpretation(intent="not_understood", confidence=0.0, slots=slots)
    return Interpretation(intent=refusal, confidence=1.0, slots=slots)


def apply_threshold(*, text: str, label: str, confidence: float, thresholds: Thresholds) -> Intent:
    """Return the intent of the classifier's label; `not_understood` below the threshold and where in doubt."""
    words = normalise_text(text).split()
    # «aaaa…» is no complaint: a key that was held down says nothing, while a single letter may be an answer.
    is_wordless = not words or (len(text) > _LETTERS_MAX and all(len(word) == 1 and word.isalpha() for word in words))
    if is_wordless or confidence < thresholds.for_intent(label) or keywords.is_doubtful(text=text, intent=label):
        return "not_understood"
    return cast("Intent", intent_of_label(label))


def possible_silence(*, intent: str, label: str, confidence: float) -> Intent | None:
    """Return the opt-out or wrong person that a message not understood may be, None for others."""
    is_suspected = intent == "not_understood" and label in SILENCING and confidence >= _SUSPECTED_MIN
    return cast("Intent", label) if is_suspected else None


def extract_slots(*, text: str, today: date, country: str) -> Slots:
    """Return the day, the amount and the figures that a message names."""
    day = read_day(text=text, today=today, country=country)
    amount = read_amount(text=text, country=country)
    alone = _NUMBER_ALONE.fullmatch(normalise_text(text))
    figures = _FIGURES.findall(text)
    return Slots(
        day=day.day,
        day_unclear=day.unclear,
        amount_minor=amount.amount_minor,
        currency=amount.currency,
        amount_unclear=amount.unclear,
        choice=int(alone[1]) if alone else None,
        figures=figures[0] if len(figures) == 1 else None,
    )


@cache
def default_classifier() -> classifier.Classifier:
    """Return the classifier trained on all phrases, once per process."""
    return classifier.train_classifier(on=phrasebook.load_phrases())
