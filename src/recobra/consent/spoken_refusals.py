"""Keywords and plain refusals that always win: dated data, deterministic, matched before any classifier."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final, Literal

from recobra.kit.plain_text import normalise_text
from recobra_core import yaml_text

Refusal = Literal["opt_out", "wrong_person", "hardship", "yes", "no", "ambiguous"]
_FILE: Final = Path(__file__).parent / "spoken_refusals.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A refusal that may occur anywhere in a message, unless one of the exceptions occurs too."""

    intent: Refusal
    effective_from: date
    any: re.Pattern[str]
    unless: re.Pattern[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keywords:
    """The keyword file. `words` lists, by intent and first day, the messages that say nothing else."""

    words: tuple[tuple[Refusal, date, frozenset[str]], ...]
    patterns: tuple[Pattern, ...]
    courtesy: re.Pattern[str]
    doubts: Mapping[str, re.Pattern[str]]


def match_refusal(*, text: str, today: date) -> Refusal | None:
    """Return the intent of the first keyword in force that a message holds, None when it holds none."""
    keywords = _load_keywords()
    message = normalise_text(text)
    without_courtesy = " ".join(keywords.courtesy.sub(" ", message).split())
    for intent, since, words in keywords.words:
        forms = {message, without_courtesy}
        if intent in {"yes", "no"} and "gracias" in message:
            # «Vale, gracias» thanks; it agrees to nothing.
            forms = {message}
        if since <= today and forms & words:
            return intent
    for pattern in keywords.patterns:
        if pattern.effective_from <= today and pattern.any.search(message) and not pattern.unless.search(message):
            return pattern.intent
    return None


def is_doubtful(*, text: str, intent: str) -> bool:
    """Return whether a message says something against the intent that the classifier took it for."""
    doubt = _load_keywords().doubts.get(intent)
    return doubt is not None and doubt.search(normalise_text(text)) is not None


def keywords_of(*, intent: str, today: date) -> frozenset[str]:
    """Return the keywords of an intent that are in force."""
    blocks = _load_keywords().words
    return frozenset().union(*(words for name, since, words in blocks if name == intent and since <= today))


@cache
def _load_keywords() -> Keywords:
    document = yaml_text.load(_FILE.read_text(encoding="utf-8"))
    blocks = [*document["keywords"], *({"intent": "ambiguous", **block} for block in document["ambiguous"])]
    words = [(block["intent"], block["effective_from"], frozenset(block["words"])) for block in blocks]
    words += [(intent, date.min, frozenset(listed)) for intent, listed in document["affirmations"].items()]
    patterns = (
        Pattern(
            intent=block["intent"],
            effective_from=block["effective_from"],
            any=re.compile("|".join(block["any"])),
            unless=re.compile("|".join(block["unless"])),
        )
        for block in document["patterns"]
    )
    # Longest first: «muchas gracias» must go whole, not only its «gracias».
    courtesy = sorted(document["courtesy"], key=len, reverse=True)
    return Keywords(
        words=tuple(words),
        patterns=tuple(patterns),
        courtesy=re.compile(r"\b(?:" + "|".join(courtesy) + r")\b"),
        doubts={intent: re.compile("|".join(against)) for intent, against in document["doubts"].items()},
    )
