"""Evaluation of the bot on held-out phrases: a fifth of them, in whole groups, by a fixed seed."""

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
    """A held-out phrase and the predicted intent."""

    phrase: Phrase
    predicted: str
    suspected: str | None = None

    @property
    def is_correct(self) -> bool:
        return self.predicted == intent_of_label(self.phrase.intent)


def measure_bot() -> dict[str, Any]:
    """Return every figure of docs/bot.md. Trains ten times.

    Thresholds are chosen on four fifths, each quarter of them held out in turn; the model that they train is measured
    on the last fifth, which neither saw.
    """
    phrases = phrasebook.load_phrases()
    rows, held_out_rows = classifier.split_groups(phrases, parts=5)[0]
    rest, test = [phrases[n] for n in rows], [phrases[n] for n in held_out_rows]
    thresholds = choose_thresholds(on=rest)
    model = classifier.train_classifier(on=rest)
    predictions = predict_intents(model, test, thresholds)
    without_threshold = predict_intents(model, test, Thresholds(act=0, say=0))
    return {
        "phrases": len(phrases),
        "groups": len({phrase.group for phrase in phrases}),
        "held_out": len(test),
        "threshold_act": thresholds.act,
        "threshold_say": thresholds.say,
        **compute_metrics(predictions),
        "accuracy_without_threshold": _compute_accuracy(without_threshold),
        "hard_negatives": _count_hard_negatives(model, thresholds),
        "every_fifth": _cross_validate(phrases, thresholds),
    }


def _cross_validate(phrases: Sequence[Phrase], thresholds: Thresholds) -> dict[str, Any]:
    """Return the metrics with each fifth held out in turn, so that each phrase is new to the model that reads it."""
    predictions = []
    for rest, part in classifier.split_groups(phrases, parts=5):
        model = classifier.train_classifier(on=[phrases[n] for n in rest])
        predictions += predict_intents(model, [phrases[n] for n in part], thresholds)
    return {name: value for name, value in compute_metrics(predictions).items() if name != "confusion"}


def predict_intents(
    model: classifier.Classifier, phrases: Sequence[Phrase], thresholds: Thresholds
) -> list[Prediction]:
    """Return the predictions for phrases, by the same steps as in production."""
    texts = [phrase.text for phrase in phrases]
    predictions = []
    for phrase, (label, confidence) in zip(phrases, model.predict(texts), strict=True):
        taken = _predict_one(phrase.text, label, confidence, thresholds)
        suspected = possible_silence(intent=taken, label=label, confidence=confidence)
        predictions.append(Prediction(phrase=phrase, predicted=taken, suspected=suspected))
    return predictions


def _predict_one(text: str, label: str, confidence: float, thresholds: Thresholds) -> str:
    certain = match_keyword(text=text, today=AS_OF, slots=extract_slots(text=text, today=AS_OF, country="PE"))
    if certain is not None:
        return certain.intent
    return apply_threshold(text=text, label=label, confidence=confidence, thresholds=thresholds)


def choose_thresholds(*, on: Sequence[Phrase]) -> Thresholds:
    """Return the thresholds that cost least on held-out quarters; of equals the lowest."""
    labelled: list[tuple[Phrase, str, float]] = []
    for rest, part in classifier.split_groups(on, parts=4):
        model = classifier.train_classifier(on=[on[n] for n in rest])
        predicted = model.predict([on[n].text for n in part])
        labelled += [(on[n], label, confidence) for n, (label, confidence) in zip(part, predicted, strict=True)]

    def total_cost(threshold: float, *, acting: bool) -> int:
        thresholds = Thresholds(act=threshold, say=threshold)
        return sum(
            cost(meant=intent_of_label(phrase.intent), taken=_predict_one(phrase.text, label, confidence, thresholds))
            for phrase, label, confidence in labelled
            if (label in ACTING) == acting
        )

    return Thresholds(
        act=min(GRID, key=lambda threshold: total_cost(threshold, acting=True)),
        say=min(GRID, key=lambda threshold: total_cost(threshold, acting=False)),
    )


def compute_metrics(predictions: Sequence[Prediction]) -> dict[str, Any]:
    """Return the accuracy, the errors and the tables of predictions."""
    answered = [prediction for prediction in predictions if prediction.predicted != NOT_UNDERSTOOD]
    main = [prediction for prediction in predictions if prediction.phrase.intent in MAIN]
    return {
        "accuracy": _compute_accuracy(predictions),
        "accuracy_main_intents": _compute_accuracy(main),
        "accuracy_when_answered": _compute_accuracy(answered),
        "not_understood": round(1 - len(answered) / len(predictions), 4),
        "macro_f1": _macro_f1(predictions),
        "recall": {
            intent: _compute_accuracy([r for r in predictions if r.phrase.intent == intent]) for intent in LEARNT
        },
        "silencing": {intent: _silencing_metrics(predictions, intent) for intent in SILENCING},
        "variants": {
            name: {
                "phrases": len(of_variant),
                "accuracy": _compute_accuracy(of_variant),
                "accuracy_when_answered": _compute_accuracy(
                    [row for row in of_variant if row.predicted != NOT_UNDERSTOOD]
                ),
            }
            for name in phrasebook.VARIANTS
            if (of_variant := [prediction for prediction in predictions if prediction.phrase.variant == name])
        },
        "confusion": confusion_matrix(predictions),
    }


def confusion_matrix(predictions: Sequence[Prediction]) -> dict[str, dict[str, int]]:
    """Return the counts of each true intent (outer) by predicted intent (inner)."""
    counted = Counter((prediction.phrase.intent, prediction.predicted) for prediction in predictions)
    return {
        meant: {seen: counted[meant, seen] for seen in (*LEARNT[:-1], NOT_UNDERSTOOD) if counted[meant, seen]}
        for meant in LEARNT
    }


def _compute_accuracy(predictions: Sequence[Prediction]) -> float:
    return round(sum(prediction.is_correct for prediction in predictions) / len(predictions), 4) if predictions else 0.0


def _macro_f1(predictions: Sequence[Prediction]) -> float:
    counted = Counter((prediction.phrase.intent, prediction.predicted) for prediction in predictions)
    scores = []
    for intent in LEARNT:
        meant = sum(n for (true_intent, _taken), n in counted.items() if true_intent == intent)
        seen = sum(n for (_true_intent, taken), n in counted.items() if taken == intent_of_label(intent))
        scores.append(2 * counted[intent, intent_of_label(intent)] / (meant + seen) if meant + seen else 0.0)
    return round(sum(scores) / len(scores), 4)


def _silencing_metrics(predictions: Sequence[Prediction], intent: str) -> dict[str, Any]:
    """Return how well an opt-out or a wrong person is recognised.

    `silenced_or_asked` is the share that is acted on or asked about by name, also where one of the two is taken for
    the other; `acted_on_otherwise` counts what was taken for something else altogether.
    """
    meant = [prediction for prediction in predictions if prediction.phrase.intent == intent]
    missed = [prediction for prediction in meant if prediction.predicted not in SILENCING]
    by_name = sum(prediction.suspected is not None for prediction in missed)
    return {
        "phrases": len(meant),
        "recall": _compute_accuracy(meant),
        "silenced_or_asked": round(1 - (len(missed) - by_name) / len(meant), 4) if meant else 0.0,
        "asked_by_name": by_name,
        "asked_again": sum(prediction.predicted == NOT_UNDERSTOOD for prediction in missed) - by_name,
        "acted_on_otherwise": sum(prediction.predicted != NOT_UNDERSTOOD for prediction in missed),
        "taken_wrongly": sum(
            prediction.predicted == intent and not prediction.is_correct for prediction in predictions
        ),
    }


def _count_hard_negatives(model: classifier.Classifier, thresholds: Thresholds) -> dict[str, dict[str, int]]:
    negatives = phrasebook.load_hard_negatives()
    counts: dict[str, dict[str, int]] = {}
    for negative, (label, confidence) in zip(negatives, model.predict([n.text for n in negatives]), strict=True):
        count = counts.setdefault(negative.never, {"phrases": 0, "acted_on": 0})
        count["phrases"] += 1
        count["acted_on"] += _predict_one(negative.text, label, confidence, thresholds) == negative.never
    return counts
