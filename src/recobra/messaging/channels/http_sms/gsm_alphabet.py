"""Letters of the GSM 7-bit alphabet (3GPP TS 23.038, 6.2.1): a text within it takes 160 to a message, another 70."""

from __future__ import annotations

import unicodedata
from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)
_PLAIN: Final = {"«": '"', "»": '"', "“": '"', "”": '"', "’": "'", "–": "-", "—": "-", "…": "...", "\u00a0": " "}


def gsm(text: str) -> str:
    """Return a text in the GSM alphabet: what it lacks loses its accent (á is a, é and ñ stay), or becomes «?»."""
    return "".join(letter if letter in _BASIC else _plain(letter) for letter in unicodedata.normalize("NFC", text))


def _plain(letter: str) -> str:
    if letter in _PLAIN:
        return _PLAIN[letter]
    bare = unicodedata.normalize("NFD", letter)[0]
    return bare if bare in _BASIC else "?"
