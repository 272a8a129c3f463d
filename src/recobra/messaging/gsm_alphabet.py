"""GSM 7-bit alphabet (3GPP TS 23.038, 6.2.1): a message holds 160 of its letters, but 70 of others."""

from __future__ import annotations

import unicodedata
from typing import Final

from recobra_core.folding import strip_accents

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED: Final = frozenset("^{}\\[~]|€\f")
"""Letters of the extension table, which take two places each."""
_REPLACEMENTS: Final = {"«": '"', "»": '"', "“": '"', "”": '"', "’": "'", "–": "-", "—": "-", "…": "...", "\u00a0": " "}


def to_gsm_alphabet(text: str) -> str:
    """Return a text in the GSM alphabet; other letters lose their accent (á is a, é and ñ stay) or become «?»."""
    # One character per letter with its accent, as the alphabet has them.
    composed = unicodedata.normalize("NFC", text)
    return "".join(_to_gsm_letter(letter) for letter in composed)


def _to_gsm_letter(letter: str) -> str:
    """Return a letter as it is where the alphabet has it, else its replacement, its bare letter or «?»."""
    if letter in BASIC or letter in EXTENDED:
        return letter
    if letter in _REPLACEMENTS:
        return _REPLACEMENTS[letter]
    bare = strip_accents(letter)
    return bare if bare in BASIC else "?"
