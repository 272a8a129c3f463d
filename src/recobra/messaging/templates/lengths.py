"""Number of messages that a text makes, as networks count them: septets or UCS-2 (3GPP TS 23.038, 23.040)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from recobra.messaging import gsm_alphabet

MAX_PARTS: Final = 10
"""Networks do not reliably join more parts than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """The length of a text: `units` are septets (GSM-7) or 16-bit units (UCS-2), `parts` the messages paid."""

    encoding: str
    units: int
    parts: int


def count_segments(text: str) -> Segments:
    """Return the encoding and length of a text. One accent that GSM-7 lacks (á, í, ó, ú) makes all of it UCS-2."""
    if all(letter in gsm_alphabet.BASIC or letter in gsm_alphabet.EXTENDED for letter in text):
        sizes = [2 if letter in gsm_alphabet.EXTENDED else 1 for letter in text]
        return _count_parts("GSM-7", sizes, single=160, joined=153)
    # A unit has two bytes; an emoji takes two units.
    sizes = [len(letter.encode("utf-16-be")) // 2 for letter in text]
    return _count_parts("UCS-2", sizes, single=70, joined=67)


def _count_parts(encoding: str, sizes: list[int], *, single: int, joined: int) -> Segments:
    """Return the length of a text whose characters take `sizes` units.

    One message takes `single` units; of several each takes `joined`, because a header joins them.
    """
    # A character of two units is never split between two messages, so that dividing the units is not enough.
    units = sum(sizes)
    if units <= single:
        return Segments(encoding=encoding, units=units, parts=1 if units else 0)
    parts = 1
    filled = 0
    for size in sizes:
        if filled + size > joined:
            parts += 1
            filled = 0
        filled += size
    assert parts >= math.ceil(units / joined)
    return Segments(encoding=encoding, units=units, parts=parts)
