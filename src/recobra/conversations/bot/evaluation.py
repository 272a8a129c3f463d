"""How well the bot understands phrases that it was not trained on: whole groups, a fifth, a fixed seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from recobra.conversations.bot import classifier, phrasebook
from recobra.conversations.bot.intents import ACTING, LEARNT, MAIN, SILENCING, cost, intent_of_label
from recobra.conversations.bot.interpretation import (
    Thresholds,
    apply_threshold,
    extract_slots,
    match_keyword,
    possible_silence,
)
from recobra.conversations.bot.phrasebook import Phrase

# Any day on which every keyword is in force.
AS_OF: Final = date(2026, 11, 22)
GRID: Final = tuple(n / 100 for n in range(10, 91, 5))
NOT_UNDERSTOOD: Final = "not_understood"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One held-out phrase and what it was taken for."""

    phrase: Phrase
    taken: str
    perhaps: str | None = None

    @property
    def right(self) -> bool:
        return self.taken == intent_of_label(self.phrase.intent)


def measure_bot() -> dict[str, Any]:
    """Return every figure of docs/bot.md. Trains ten times: to choose the thresholds, and to be measured.

    Of the four fifths that may be seen, each quarter in turn chooses the thresholds for the other three; together they
    train what is measured on the last fifth, which neither saw.
    """
    phrases = phrasebook.load_phrases()
    rest, test = _cut(phrases, parts=5)
    thresholds = choose_thresholds(on=rest)
    model = classifier.train_classifier(on=rest)
    reads = predict_intents(model, test, thresholds)
    always = predict_intents(model, test, Thresholds(act=0, say=0))
    return {
        "phrases": len(phrases),
        "groups": len({phrase.group for phrase in phrases}),
        "held_out": len(test),
        "threshold_act": thresholds.act,
        "threshold_say": thresholds.say,
        **compute_metrics(reads),
        "accuracy_without_threshold": _share(always),
        "hard_negatives": _hard_negatives(model, thresholds),
        "every_fifth": _every_fifth(phrases, thresholds),
    }


def _every_fifth(phrases: Sequence[Phrase], thresholds: Thresholds) -> dict[str, Any]:
    """Return the figures with each fifth held out in turn: every phrase is read once by a model that never saw it."""
    reads = []
    for rest, part in classifier.split_groups(phrases, parts=5):
        model = classifier.train_classifier(on=[phrases[n] for n in rest])
        reads += predict_intents(model, [phrases[n] for n in part], thresholds)
    return {name: value for name, value in compute_metrics(reads).items() if name != "confusion"}


def predict_intents(
    model: classifier.Classifier, phrases: Sequence[Phrase], thresholds: Thresholds
) -> list[Prediction]:
    """Return what phrases are taken for, by the same steps as in use."""
    texts = [phrase.text for phrase in phrases]
    reads = []
    for phrase, (label, confidence) in zip(phrases, model.likeliest(texts), strict=True):
        taken = _taken(phrase.text, label, confidence, thresholds)
        perhaps = possible_silence(intent=taken, label=label, confidence=confidence)
        reads.append(Prediction(phrase=phrase, taken=taken, perhaps=perhaps))
    return reads


def _taken(text: str, label: str, confidence: float, thresholds: Thresholds) -> str:
    certain = match_keyword(text=text, today=AS_OF, slots=extract_slots(text=text, today=AS_OF, country="PE"))
    if certain is not None:
        return certain.intent
    return apply_threshold(text=text, label=label, confidence=confidence, thresholds=thresholds)


def choose_thresholds(*, on: Sequence[Phrase]) -> Thresholds:
    """Return the thresholds whose answers cost least on quarters that were not trained on; of equals the lowest."""
    labelled = [each for rest, part in classifier.split_groups(on, parts=4) for each in _labelled(on, rest, part)]

    def spent(threshold: float, *, acting: bool) -> int:
        at = Thresholds(act=threshold, say=threshold)
        return sum(
            cost(meant=intent_of_label(phrase.intent), taken=_taken(phrase.text, label, confidence, at))
            for phrase, label, confidence in labelled
            if (label in ACTING) == acting
        )

    return Thresholds(
        act=min(GRID, key=lambda threshold: spent(threshold, acting=True)),
        say=min(GRID, key=lambda threshold: spent(threshold, acting=False)),
    )


def _labelled(phrases: Sequence[Phrase], rest: Sequence[int], part: Sequence[int]) -> list[tuple[Phrase, str, float]]:
    model = classifier.train_classifier(on=[phrases[n] for n in rest])
    seen = model.likeliest([phrases[n].text for n in part])
    return [(phrases[n], label, confidence) for n, (label, confidence) in zip(part, seen, strict=True)]


def compute_metrics(reads: Sequence[Prediction]) -> dict[str, Any]:
    """Return accuracy, errors and tables of what was read."""
    answered = [prediction for prediction in reads if prediction.taken != NOT_UNDERSTOOD]
    main = [prediction for prediction in reads if prediction.phrase.intent in MAIN]
    return {
        "accuracy": _share(reads),
        "accuracy_main_intents": _share(main),
        "accuracy_when_answered": _share(answered),
        "not_understood": round(1 - len(answered) / len(reads), 4),
        "macro_f1": _macro_f1(reads),
        "recall": {intent: _share([r for r in reads if r.phrase.intent == intent]) for intent in LEARNT},
        "silencing": {intent: _silencing(reads, intent) for intent in SILENCING},
        "variants": {
            name: {"phrases": len(of), "accuracy": _share(of), "accuracy_when_answered": _share(_answered(of))}
            for name in phrasebook.VARIANTS
            if (of := [prediction for prediction in reads if prediction.phrase.variant == name])
        },
        "confusion": confusion_matrix(reads),
    }


def confusion_matrix(reads: Sequence[Prediction]) -> dict[str, dict[str, int]]:
    """Return how often each intent (outer) was taken for each (inner)."""
    counted = Counter((prediction.phrase.intent, prediction.taken) for prediction in reads)
    return {
        meant: {seen: counted[meant, seen] for seen in (*LEARNT[:-1], NOT_UNDERSTOOD) if counted[meant, seen]}
        for meant in LEARNT
    }


def _cut(phrases: Sequence[Phrase], *, parts: int) -> tuple[list[Phrase], list[Phrase]]:
    rest, part = classifier.split_groups(phrases, parts=parts)[0]
    return [phrases[n] for n in rest], [phrases[n] for n in part]


def _answered(reads: Sequence[Prediction]) -> list[Prediction]:
    return [prediction for prediction in reads if prediction.taken != NOT_UNDERSTOOD]


def _share(reads: Sequence[Prediction]) -> float:
    return round(sum(prediction.right for prediction in reads) / len(reads), 4) if reads else 0.0


def _macro_f1(reads: Sequence[Prediction]) -> float:
    counted = Counter((prediction.phrase.intent, prediction.taken) for prediction in reads)
    scores = []
    for intent in LEARNT:
        meant = sum(n for (of, _as), n in counted.items() if of == intent)
        seen = sum(n for (_of, taken), n in counted.items() if taken == intent_of_label(intent))
        scores.append(2 * counted[intent, intent_of_label(intent)] / (meant + seen) if meant + seen else 0.0)
    return round(sum(scores) / len(scores), 4)


def _silencing(reads: Sequence[Prediction], intent: str) -> dict[str, Any]:
    """Return how well a wish for silence is heard.

    `silenced_or_asked` counts what is acted on or asked about by name, and one wish for silence taken for the other;
    `acted_on_otherwise` what was taken for something else altogether.
    """
    meant = [prediction for prediction in reads if prediction.phrase.intent == intent]
    missed = [r for r in meant if r.taken not in SILENCING]
    by_name = sum(prediction.perhaps is not None for prediction in missed)
    return {
        "phrases": len(meant),
        "recall": _share(meant),
        "silenced_or_asked": round(1 - (len(missed) - by_name) / len(meant), 4) if meant else 0.0,
        "asked_by_name": by_name,
        "asked_again": sum(prediction.taken == NOT_UNDERSTOOD for prediction in missed) - by_name,
        "acted_on_otherwise": sum(prediction.taken != NOT_UNDERSTOOD for prediction in missed),
        "taken_wrongly": sum(prediction.taken == intent and not prediction.right for prediction in reads),
    }


def _hard_negatives(model: classifier.Classifier, thresholds: Thresholds) -> dict[str, dict[str, int]]:
    negatives = phrasebook.load_hard_negatives()
    counts: dict[str, dict[str, int]] = {}
    for negative, (label, confidence) in zip(negatives, model.likeliest([n.text for n in negatives]), strict=True):
        of = counts.setdefault(negative.never, {"phrases": 0, "acted_on": 0})
        of["phrases"] += 1
        of["acted_on"] += _taken(negative.text, label, confidence, thresholds) == negative.never
    return counts
