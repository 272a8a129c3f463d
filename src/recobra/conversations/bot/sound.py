"""Phonetic form of Spanish, in which «kiero pagar» and «quiero pagar» are one, and «ya pague» and «lla page»."""

from __future__ import annotations

import re
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Final

from recobra.kit.plain_text import normalise_text
from recobra_core import yaml_text

_LETTERS: Final = (
    ("ch", "#"),
    ("qu", "k"),
    ("gue", "ge"),
    ("gui", "gi"),
    ("ce", "se"),
    ("ci", "si"),
    ("ll", "y"),
    ("h", ""),
    ("z", "s"),
    ("c", "k"),
    ("q", "k"),
    ("v", "b"),
    ("w", "u"),
    ("x", "ks"),
    ("#", "ch"),
)
_DOUBLED: Final = re.compile(r"([a-zñ])\1")


def phonetic_form(text: str) -> str:
    """Return the normalised text with letters that sound alike made one."""
    phonetic = normalise_text(text)
    for written, spoken in _LETTERS:
        phonetic = phonetic.replace(written, spoken)
    return _DOUBLED.sub(r"\1", phonetic)


def extract_concepts(text: str) -> list[str]:
    """Return the concepts that a message names, and each pair of them as «one+other»; ["none"] without any."""
    phonetic = phonetic_form(text)
    named = [name for name, pattern in _load_patterns().items() if pattern.search(phonetic)]
    pairs = [f"{one}+{other}" for one, other in combinations(named, 2)]
    return [*named, *pairs] or ["none"]


@cache
def _load_patterns() -> dict[str, re.Pattern[str]]:
    document = yaml_text.load((Path(__file__).parent / "concepts.yaml").read_text(encoding="utf-8"))
    return {name: re.compile(pattern) for name, pattern in document.items()}
