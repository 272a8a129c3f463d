"""A small classifier of messages: words, letters and concepts, a linear model, calibrated. Same seed, same answers.

Its library takes seconds to load, so that it is imported where it is used: most processes never train a classifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from recobra.conversations.bot.phrasebook import Phrase
from recobra.conversations.bot.sound import extract_concepts, phonetic_form

SEED: Final = 7
FOLDS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Classifier:
    """A trained classifier."""

    features: Any
    model: Any

    def likeliest(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        """Return for each message the likeliest intent and its probability."""
        if not texts:
            return []
        chances = self.model.predict_proba(self.features.transform(list(texts)))
        best = chances.argmax(axis=1)
        return [(str(self.model.classes_[n]), float(row[n])) for n, row in zip(best, chances, strict=True)]


def train_classifier(*, on: Sequence[Phrase]) -> Classifier:
    """Train on phrases; the probabilities are calibrated on groups that the model did not see."""
    from sklearn.calibration import CalibratedClassifierCV  # noqa: PLC0415
    from sklearn.svm import LinearSVC  # noqa: PLC0415

    features = _features()
    seen = features.fit_transform([phrase.text for phrase in on])
    intents = [phrase.intent for phrase in on]
    folds = split_groups(on, parts=FOLDS)
    model = CalibratedClassifierCV(LinearSVC(C=1, random_state=SEED), method="sigmoid", cv=folds, ensemble=False)
    return Classifier(features=features, model=model.fit(seen, intents))


def split_groups(phrases: Sequence[Phrase], *, parts: int) -> list[tuple[Any, Any]]:
    """Cut phrases into parts that hold whole groups and every intent alike; return (rest, part) for each, as rows."""
    from sklearn.model_selection import StratifiedGroupKFold  # noqa: PLC0415

    intents = [phrase.intent for phrase in phrases]
    cut = StratifiedGroupKFold(n_splits=parts, shuffle=True, random_state=SEED)
    return list(cut.split(intents, intents, [phrase.group for phrase in phrases]))


def _features() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415
    from sklearn.pipeline import FeatureUnion  # noqa: PLC0415

    words = TfidfVectorizer(
        preprocessor=phonetic_form, tokenizer=str.split, token_pattern=None, ngram_range=(1, 2), sublinear_tf=True
    )
    letters = TfidfVectorizer(preprocessor=phonetic_form, analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
    named = TfidfVectorizer(analyzer=extract_concepts)
    # The concepts were written by whoever wrote the phrases: they help, and must not drown what is really said.
    return FeatureUnion(
        [("words", words), ("letters", letters), ("concepts", named)], transformer_weights={"concepts": 0.3}
    )
