"""Anonymisation of messages for a language model: without figures, addresses, links or the names that people give."""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = r"(?:\s+(?:de|del|la|los|y|[A-ZÁÉÍÓÚÑ][\wáéíóúñ]+)){1,5}"
_MASKS: Final = (
    (re.compile(r"\S+@\S+"), "[email]"),
    (re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE), "[link]"),
    # Every figure, also amounts and days: our own code reads them, the model has no use for them.
    (re.compile(r"[+(]?\d[\d.,/() -]*\d|\d"), "[number]"),
    (re.compile(rf"(?i:\b(?:soy|llamo|nombre es|habla|señora?|don|doña))\b{_NAME}"), "[name]"),
)


def mask_personal_data(text: str) -> str:
    """Return a message with what points to a person masked. Names written in lower case stay."""
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text
