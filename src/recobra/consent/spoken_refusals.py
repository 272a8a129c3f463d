"""Refusals in plain sentences, and the words that the bot takes literally: dated data, matched before any classifier.

`keywords` decides what is entered in the ledger of consent, and asks this for refusals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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
class WordBlock:
    """Messages that mean an intent when they say nothing else, from a day on."""

    intent: Refusal
    effective_from: date
    words: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A refusal that may occur anywhere in a message, unless one of the exceptions occurs too."""

    intent: Refusal
    effective_from: date
    any: re.Pattern[str]
    unless: re.Pattern[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keywords:
    """The file of refusals. `courtesy` are words that add nothing; `doubts` are what speaks against an intent."""

    words: tuple[WordBlock, ...]
    patterns: tuple[Pattern, ...]
    courtesy: re.Pattern[str]
    doubts: Mapping[str, re.Pattern[str]]


def match_refusal(*, text: str, today: date) -> Refusal | None:
    """Return the intent of the first keyword in force that a message holds, None when it holds none."""
    keywords = _load_keywords()
    message = normalise_text(text)
    without_courtesy = " ".join(keywords.courtesy.sub(" ", message).split())
    for block in keywords.words:
        if block.effective_from > today:
            continue
        # «Vale, gracias» thanks; it agrees to nothing.
        is_thanks = block.intent in {"yes", "no"} and "gracias" in message
        if message in block.words or (without_courtesy in block.words and not is_thanks):
            return block.intent
    for pattern in keywords.patterns:
        if pattern.effective_from > today:
            continue
        if pattern.any.search(message) and not pattern.unless.search(message):
            return pattern.intent
    return None


def is_doubtful(*, text: str, intent: str) -> bool:
    """Return whether a message says something against the intent that the classifier took it for."""
    doubt = _load_keywords().doubts.get(intent)
    return doubt is not None and doubt.search(normalise_text(text)) is not None


def keywords_of(*, intent: str, today: date) -> frozenset[str]:
    """Return the keywords of an intent that are in force."""
    words: set[str] = set()
    for block in _load_keywords().words:
        if block.intent == intent and block.effective_from <= today:
            words |= block.words
    return frozenset(words)


def _build_word_block(intent: Refusal, effective_from: date, words: Iterable[str]) -> WordBlock:
    return WordBlock(intent=intent, effective_from=effective_from, words=frozenset(words))


@cache
def _load_keywords() -> Keywords:
    """Return the file of refusals, read once per process; the order of its words is that in which they are tried."""
    document = yaml_text.load(_FILE.read_text(encoding="utf-8"))
    words = [
        _build_word_block(block["intent"], block["effective_from"], block["words"]) for block in document["keywords"]
    ]
    words += [
        _build_word_block(block.get("intent", "ambiguous"), block["effective_from"], block["words"])
        for block in document["ambiguous"]
    ]
    words += [_build_word_block(intent, date.min, listed) for intent, listed in document["affirmations"].items()]
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
