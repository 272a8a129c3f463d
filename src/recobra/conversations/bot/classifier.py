"""A small classifier of messages: a calibrated linear model over words, letters and concepts. Same seed, same answers.

Its library takes seconds to load and is imported where it is used: most processes never train a classifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from recobra.conversations.bot.phrasebook import Phrase
from recobra.conversations.bot.sound import extract_concepts, phonetic_form

SEED: Final = 7
FOLDS: Final = 4


class Split(NamedTuple):
    """Row numbers of phrases: a part that is held out, and the rest. A tuple, since scikit-learn unpacks it."""

    rest: Sequence[int]
    part: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Classifier:
    """A trained classifier; `features` and `model` are those of scikit-learn."""

    features: Any
    model: Any

    def predict(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        """Return the likeliest intent of each message, with its probability."""
        if not texts:
            return []
        # One row per message, one column per intent.
        probabilities = self.model.predict_proba(self.features.transform(list(texts)))
        likeliest = probabilities.argmax(axis=1)
        return [
            (str(self.model.classes_[column]), float(row[column]))
            for column, row in zip(likeliest, probabilities, strict=True)
        ]


def train_classifier(*, on: Sequence[Phrase]) -> Classifier:
    """Train a classifier; its probabilities are calibrated on groups that the model did not see."""
    from sklearn.calibration import CalibratedClassifierCV  # noqa: PLC0415
    from sklearn.svm import LinearSVC  # noqa: PLC0415

    features = _build_features()
    seen = features.fit_transform([phrase.text for phrase in on])
    intents = [phrase.intent for phrase in on]
    # Whole groups per fold: near-duplicates on both sides would calibrate too high.
    folds = split_groups(on, parts=FOLDS)
    model = CalibratedClassifierCV(LinearSVC(C=1, random_state=SEED), method="sigmoid", cv=folds, ensemble=False)
    return Classifier(features=features, model=model.fit(seen, intents))


def split_groups(phrases: Sequence[Phrase], *, parts: int) -> list[Split]:
    """Split phrases into parts of whole groups, stratified by intent; return a split for each part."""
    from sklearn.model_selection import StratifiedGroupKFold  # noqa: PLC0415

    intents = [phrase.intent for phrase in phrases]
    splitter = StratifiedGroupKFold(n_splits=parts, shuffle=True, random_state=SEED)
    groups = [phrase.group for phrase in phrases]
    return [Split(rest=rest, part=part) for rest, part in splitter.split(intents, intents, groups)]


def _build_features() -> Any:
    """Return the untrained features (a FeatureUnion): words and letters by their sound, and concepts."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415
    from sklearn.pipeline import FeatureUnion  # noqa: PLC0415

    words = TfidfVectorizer(
        preprocessor=phonetic_form, tokenizer=str.split, token_pattern=None, ngram_range=(1, 2), sublinear_tf=True
    )
    letters = TfidfVectorizer(preprocessor=phonetic_form, analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
    named_concepts = TfidfVectorizer(analyzer=extract_concepts)
    # Concepts and phrases have one author: at full weight the model would learn the author, not the debtors.
    return FeatureUnion(
        [("words", words), ("letters", letters), ("concepts", named_concepts)], transformer_weights={"concepts": 0.3}
    )
