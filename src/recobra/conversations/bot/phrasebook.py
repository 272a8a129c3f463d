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
    rows: list[_Row] = []
    for intent in LEARNT:
        rows += _read_phrases(intent)
    meanings: dict[str, str] = {}
    for row in rows:
        meaning = meanings.setdefault(row.text.casefold(), row.intent)
        if meaning != row.intent:
            raise InvalidPhrases(f"«{row.text}» is said to mean {meaning} and {row.intent}.")
    groups = _group_rows(rows)
    return tuple(
        Phrase(text=row.text, intent=row.intent, variant=row.variant, group=group)
        for row, group in zip(rows, groups, strict=True)
    )


@cache
def load_hard_negatives() -> tuple[HardNegative, ...]:
    """Return the phrases that nothing is trained on. Raises InvalidPhrases."""
    blocks = yaml_text.load((HERE / "hard_negatives.yaml").read_text(encoding="utf-8"))
    negatives: list[HardNegative] = []
    for block in blocks:
        texts = block["phrases"].splitlines()
        negatives += [HardNegative(text=text.strip(), never=block["not"]) for text in texts]
    return tuple(negatives)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A phrase before it is grouped. `line` names the line of its file, which holds several wordings of one phrase."""

    text: str
    intent: str
    variant: str
    line: str


def _read_phrases(intent: str) -> list[_Row]:
    """Return the phrases of one intent's file. Raises InvalidPhrases."""
    path = HERE / "phrases" / f"{intent}.yaml"
    document = yaml_text.load(path.read_text(encoding="utf-8"))
    if document["intent"] != intent or set(document["phrases"]) != set(VARIANTS):
        raise InvalidPhrases(f"{path.name}: the intent {intent} in the variants {', '.join(VARIANTS)} is expected.")
    rows = []
    for variant, block in document["phrases"].items():
        for number, line in enumerate(block.splitlines()):
            line_name = f"{intent} {variant} {number}"
            rows += [
                _Row(text=text.strip(), intent=intent, variant=variant, line=line_name) for text in line.split(" | ")
            ]
    return rows


def _group_rows(rows: Sequence[_Row]) -> list[int]:
    """Return the group of each row: the phrases of one line of a file, joined with near-duplicates elsewhere."""
    # Union-find: `parents` leads from each row's number to that of another row of its group, and from a root to itself.
    parents = list(range(len(rows)))
    triples = [_letter_triples(row.text) for row in rows]
    for number, row in enumerate(rows):
        for earlier_number, earlier in enumerate(rows[:number]):
            if earlier.intent != row.intent:
                continue
            common = triples[number] & triples[earlier_number]
            either = triples[number] | triples[earlier_number]
            if earlier.line == row.line or len(common) >= SIMILARITY_MIN * len(either):
                parents[_find_root(parents, number)] = _find_root(parents, earlier_number)
    return [_find_root(parents, number) for number in range(len(rows))]


def _find_root(parents: Sequence[int], number: int) -> int:
    """Return the row that stands for the group of a row."""
    while parents[number] != number:
        number = parents[number]
    return number


def _letter_triples(text: str) -> frozenset[str]:
    """Return every three letters in a row, spaces at the ends included: « si », of «si», holds « si» and «si »."""
    padded = f" {normalise_text(text) or text} "
    return frozenset(padded[start : start + 3] for start in range(len(padded) - 2))
