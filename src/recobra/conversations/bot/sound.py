"""Spanish as it sounds: «kiero pagar» and «quiero pagar» are one, and so are «ya pague» and «lla page»."""

from __future__ import annotations

import re
from functools import cache
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
    """Return the plain form of a message with letters that sound alike made one."""
    heard = normalise_text(text)
    for written, spoken in _LETTERS:
        heard = heard.replace(written, spoken)
    return _DOUBLED.sub(r"\1", heard)


def extract_concepts(text: str) -> list[str]:
    """Return which concepts a message names, and every two that it names together."""
    heard = phonetic_form(text)
    named = [name for name, pattern in _patterns().items() if pattern.search(heard)]
    return [*named, *(f"{one}+{other}" for n, one in enumerate(named) for other in named[n + 1 :])] or ["none"]


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    document = yaml_text.load((Path(__file__).parent / "concepts.yaml").read_text(encoding="utf-8"))
    return {name: re.compile(pattern) for name, pattern in document.items()}
