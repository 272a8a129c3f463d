"""How many messages a text makes: GSM 03.38 septets or UCS-2, as the networks count them (3GPP TS 23.038, 23.040)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

GSM_7: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_7_EXTENDED: Final = frozenset("^{}\\[~]|€\f")
MAX_PARTS: Final = 10
"""More than this no network joins again for certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """`units` are septets (GSM-7) or 16-bit units (UCS-2); `parts` are the messages that are paid."""

    encoding: str
    units: int
    parts: int


def count_segments(text: str) -> Segments:
    """Return how a text travels. One accent that GSM-7 lacks (á, í, ó, ú) makes the whole of it UCS-2."""
    if all(letter in GSM_7 or letter in GSM_7_EXTENDED for letter in text):
        sizes = [2 if letter in GSM_7_EXTENDED else 1 for letter in text]
        return _counted("GSM-7", sizes, single=160, joined=153)
    return _counted("UCS-2", [len(letter.encode("utf-16-be")) // 2 for letter in text], single=70, joined=67)


def _counted(encoding: str, sizes: list[int], *, single: int, joined: int) -> Segments:
    """A sign of two units is never split between two messages."""
    units = sum(sizes)
    if units <= single:
        return Segments(encoding=encoding, units=units, parts=1 if units else 0)
    parts, used = 1, 0
    for size in sizes:
        if used + size > joined:
            parts, used = parts + 1, 0
        used += size
    assert parts >= math.ceil(units / joined)
    return Segments(encoding=encoding, units=units, parts=parts)
