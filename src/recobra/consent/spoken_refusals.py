"""Words and plain refusals that always win: dated data, deterministic, read before any classifier."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from recobra.kit.plain_text import normalise_text
from recobra_core import yaml_text

Spoken = Literal["opt_out", "wrong_person", "hardship", "yes", "no", "ambiguous"]
_FILE: Final = Path(__file__).parent / "spoken_refusals.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A refusal that may stand anywhere in a message, unless one of the exceptions stands there too."""

    intent: Spoken
    effective_from: date
    any: re.Pattern[str]
    unless: re.Pattern[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keywords:
    """The whole list: `words` gives per intent and first day the messages that are nothing else."""

    words: tuple[tuple[Spoken, date, frozenset[str]], ...]
    patterns: tuple[Pattern, ...]
    courtesy: re.Pattern[str]
    doubts: Mapping[str, re.Pattern[str]]


def match_refusal(*, text: str, today: date) -> Spoken | None:
    """Return what a message says by a keyword in force that day; None when it holds none."""
    keywords = _read()
    message = normalise_text(text)
    forms = {message, " ".join(keywords.courtesy.sub(" ", message).split())}
    for intent, since, words in keywords.words:
        # «Vale, gracias» thanks; it agrees to nothing.
        heard = {message} if intent in {"yes", "no"} and "gracias" in message else forms
        if since <= today and heard & words:
            return intent
    for pattern in keywords.patterns:
        if pattern.effective_from <= today and pattern.any.search(message) and not pattern.unless.search(message):
            return pattern.intent
    return None


def is_doubtful(*, text: str, intent: str) -> bool:
    """Tell if a message says something against an intent that the classifier took it for."""
    doubt = _read().doubts.get(intent)
    return doubt is not None and doubt.search(normalise_text(text)) is not None


def keywords_of(*, intent: str, today: date) -> frozenset[str]:
    """Return the keywords of an intent that are in force."""
    return frozenset().union(*(words for of, since, words in _read().words if of == intent and since <= today))


@cache
def _read() -> Keywords:
    document = yaml_text.load(_FILE.read_text(encoding="utf-8"))
    blocks = [*document["keywords"], *({"intent": "ambiguous", **block} for block in document["ambiguous"])]
    words = [(block["intent"], block["effective_from"], frozenset(block["words"])) for block in blocks]
    words += [(name, date.min, frozenset(listed)) for name, listed in document["affirmations"].items()]
    return Keywords(
        words=tuple(words),
        patterns=tuple(_pattern(block) for block in document["patterns"]),
        courtesy=re.compile(r"\b(?:" + "|".join(sorted(document["courtesy"], key=len, reverse=True)) + r")\b"),
        doubts={intent: re.compile("|".join(against)) for intent, against in document["doubts"].items()},
    )


def _pattern(block: dict[str, Any]) -> Pattern:
    return Pattern(
        intent=block["intent"],
        effective_from=block["effective_from"],
        any=re.compile("|".join(block["any"])),
        unless=re.compile("|".join(block["unless"])),
    )
