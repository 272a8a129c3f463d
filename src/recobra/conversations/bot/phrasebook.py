"""The phrases that the bot learns from, in groups of near-duplicates that must not be split between folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from recobra.conversations.bot.intents import LEARNT
from recobra.kit.plain_text import normalise_text
from recobra_core import yaml_text

HERE: Final = Path(__file__).parent
VARIANTS: Final = ("general", "misspelt", "voseo", "PE", "MX", "CO", "CL", "AR")
# Share of common letter triples from which two phrases of one intent count as near-duplicates.
SIMILARITY_MIN: Final = 0.6


class InvalidPhrases(ValueError):
    """A file of phrases cannot be used. The text names the file and the phrase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A phrase with its intent, its variant, and the group of its near-duplicates."""

    text: str
    intent: str
    variant: str
    group: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HardNegative:
    """A phrase that sounds like an intent and must never be acted on as such."""

    text: str
    never: str


@cache
def load_phrases() -> tuple[Phrase, ...]:
    """Return every phrase, in the order of the files. Raises InvalidPhrases."""
    rows = [row for intent in LEARNT for row in _read_phrases(intent)]
    meanings: dict[str, str] = {}
    for text, intent, _variant, _line in rows:
        if meanings.setdefault(text.casefold(), intent) != intent:
            raise InvalidPhrases(f"«{text}» is said to mean {meanings[text.casefold()]} and {intent}.")
    groups = _group_rows(rows)
    return tuple(
        Phrase(text=text, intent=intent, variant=variant, group=groups[n])
        for n, (text, intent, variant, _line) in enumerate(rows)
    )


@cache
def load_hard_negatives() -> tuple[HardNegative, ...]:
    """Return the phrases that nothing is trained on. Raises InvalidPhrases."""
    blocks = yaml_text.load((HERE / "hard_negatives.yaml").read_text(encoding="utf-8"))
    return tuple(
        HardNegative(text=text.strip(), never=block["not"])
        for block in blocks
        for text in block["phrases"].splitlines()
    )


_Row = tuple[str, str, str, str]


def _read_phrases(intent: str) -> list[_Row]:
    """Return (text, intent, variant, line) of one file."""
    path = HERE / "phrases" / f"{intent}.yaml"
    document = yaml_text.load(path.read_text(encoding="utf-8"))
    if document["intent"] != intent or set(document["phrases"]) != set(VARIANTS):
        raise InvalidPhrases(f"{path.name}: the intent {intent} in the variants {', '.join(VARIANTS)} is expected.")
    return [
        (text.strip(), intent, variant, f"{intent} {variant} {number}")
        for variant, block in document["phrases"].items()
        for number, line in enumerate(block.splitlines())
        for text in line.split(" | ")
    ]


def _group_rows(rows: Sequence[_Row]) -> list[int]:
    """Return the group of each row: the phrases of one line of a file, joined with near-duplicates elsewhere."""
    # Union-find: `root` points from each row towards the first row of its group.
    root = list(range(len(rows)))

    def find(n: int) -> int:
        while root[n] != n:
            n = root[n]
        return n

    triples = [_letter_triples(text) for text, *_rest in rows]
    for n, (_text, intent, _variant, line) in enumerate(rows):
        for m in range(n):
            if rows[m][1] != intent:
                continue
            common, either = triples[n] & triples[m], triples[n] | triples[m]
            if rows[m][3] == line or len(common) >= SIMILARITY_MIN * len(either):
                root[find(n)] = find(m)
    return [find(n) for n in range(len(rows))]


def _letter_triples(text: str) -> frozenset[str]:
    padded = f" {normalise_text(text) or text} "
    return frozenset(padded[n : n + 3] for n in range(len(padded) - 2))
