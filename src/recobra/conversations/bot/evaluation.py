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
GRID: Final = tuple(percent / 100 for percent in range(10, 91, 5))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Labelled:
    """A held-out phrase and the classifier's label for it, before a threshold is applied."""

    phrase: Phrase
    label: str
    confidence: float


def measure_bot() -> dict[str, Any]:
    """Return every figure of docs/bot.md. Trains ten times.

    Thresholds are chosen on four fifths, each quarter of them held out in turn; the model that they train is measured
    on the last fifth, which neither saw.
    """
    phrases = phrasebook.load_phrases()
    split = classifier.split_groups(phrases, parts=5)[0]
    rest = [phrases[number] for number in split.rest]
    test = [phrases[number] for number in split.part]
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
    for split in classifier.split_groups(phrases, parts=5):
        model = classifier.train_classifier(on=[phrases[number] for number in split.rest])
        predictions += predict_intents(model, [phrases[number] for number in split.part], thresholds)
    metrics = compute_metrics(predictions)
    del metrics["confusion"]
    return metrics


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
    """Return the intent of one text: by its keyword if it has one, else by the classifier's label and confidence."""
    certain = match_keyword(text=text, today=AS_OF, slots=extract_slots(text=text, today=AS_OF, country="PE"))
    if certain is not None:
        return certain.intent
    return apply_threshold(text=text, label=label, confidence=confidence, thresholds=thresholds)


def choose_thresholds(*, on: Sequence[Phrase]) -> Thresholds:
    """Return the thresholds that cost least on held-out quarters; of equals the lowest."""
    acting: list[_Labelled] = []
    others: list[_Labelled] = []
    for split in classifier.split_groups(on, parts=4):
        model = classifier.train_classifier(on=[on[number] for number in split.rest])
        held_out = [on[number] for number in split.part]
        predicted = model.predict([phrase.text for phrase in held_out])
        for phrase, (label, confidence) in zip(held_out, predicted, strict=True):
            labelled = _Labelled(phrase=phrase, label=label, confidence=confidence)
            (acting if label in ACTING else others).append(labelled)
    return Thresholds(
        act=min(GRID, key=lambda threshold: _total_cost(acting, threshold)),
        say=min(GRID, key=lambda threshold: _total_cost(others, threshold)),
    )


def _total_cost(labelled: Sequence[_Labelled], threshold: float) -> int:
    """Return the cost of taking phrases for what they are predicted to be at a threshold."""
    thresholds = Thresholds(act=threshold, say=threshold)
    total = 0
    for item in labelled:
        taken = _predict_one(item.phrase.text, item.label, item.confidence, thresholds)
        total += cost(meant=intent_of_label(item.phrase.intent), taken=taken)
    return total


def compute_metrics(predictions: Sequence[Prediction]) -> dict[str, Any]:
    """Return the accuracy, the errors and the tables of predictions."""
    answered = [prediction for prediction in predictions if prediction.predicted != NOT_UNDERSTOOD]
    main = [prediction for prediction in predictions if prediction.phrase.intent in MAIN]
    recall = {}
    for intent in LEARNT:
        meant = [prediction for prediction in predictions if prediction.phrase.intent == intent]
        recall[intent] = _compute_accuracy(meant)
    variants = {}
    for name in phrasebook.VARIANTS:
        of_variant = [prediction for prediction in predictions if prediction.phrase.variant == name]
        if of_variant:
            variants[name] = _variant_metrics(of_variant)
    return {
        "accuracy": _compute_accuracy(predictions),
        "accuracy_main_intents": _compute_accuracy(main),
        "accuracy_when_answered": _compute_accuracy(answered),
        "not_understood": round(1 - len(answered) / len(predictions), 4),
        "macro_f1": _macro_f1(predictions),
        "recall": recall,
        "silencing": {intent: _silencing_metrics(predictions, intent) for intent in SILENCING},
        "variants": variants,
        "confusion": confusion_matrix(predictions),
    }


def _variant_metrics(predictions: Sequence[Prediction]) -> dict[str, int | float]:
    """Return the metrics of one variant of Spanish from the predictions for its phrases."""
    answered = [prediction for prediction in predictions if prediction.predicted != NOT_UNDERSTOOD]
    return {
        "phrases": len(predictions),
        "accuracy": _compute_accuracy(predictions),
        "accuracy_when_answered": _compute_accuracy(answered),
    }


def confusion_matrix(predictions: Sequence[Prediction]) -> dict[str, dict[str, int]]:
    """Return the counts of each true intent (outer) by predicted intent (inner), without zeros."""
    counted = Counter((prediction.phrase.intent, prediction.predicted) for prediction in predictions)
    # «other», the last of the labels, is predicted as not understood.
    predictable = (*LEARNT[:-1], NOT_UNDERSTOOD)
    matrix = {}
    for meant in LEARNT:
        matrix[meant] = {taken: counted[meant, taken] for taken in predictable if counted[meant, taken]}
    return matrix


def _compute_accuracy(predictions: Sequence[Prediction]) -> float:
    """Return the share of right predictions to four places, 0 without any prediction."""
    if not predictions:
        return 0.0
    correct = sum(prediction.is_correct for prediction in predictions)
    return round(correct / len(predictions), 4)


def _macro_f1(predictions: Sequence[Prediction]) -> float:
    """Return the mean F1 of the intents to four places; each counts the same, however many phrases it has.

    F1 is 2 · right / (meant + taken), the harmonic mean of recall (right / meant) and precision (right / taken).
    """
    scores = []
    for intent in LEARNT:
        predicted = intent_of_label(intent)
        meant = sum(prediction.phrase.intent == intent for prediction in predictions)
        taken = sum(prediction.predicted == predicted for prediction in predictions)
        right = sum(
            prediction.phrase.intent == intent and prediction.predicted == predicted for prediction in predictions
        )
        scores.append(2 * right / (meant + taken) if meant + taken else 0.0)
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
    """Return for each intent the phrases that only sound like it, and how many of them were taken for it."""
    negatives = phrasebook.load_hard_negatives()
    predicted = model.predict([negative.text for negative in negatives])
    counts: dict[str, dict[str, int]] = {}
    for negative, (label, confidence) in zip(negatives, predicted, strict=True):
        count = counts.setdefault(negative.never, {"phrases": 0, "acted_on": 0})
        count["phrases"] += 1
        count["acted_on"] += _predict_one(negative.text, label, confidence, thresholds) == negative.never
    return counts
