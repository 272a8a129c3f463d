"""Barcodes (Code 128) as widths of bars, drawn by the typesetter."""

from __future__ import annotations

from itertools import groupby

from barcode import Code128

MAX_LENGTH = 32  # as many fit the width of a page with modules wide enough for scanners


def bar_widths(text: str) -> list[int]:
    """Return the widths of bars and gaps in modules, a bar first; [] where a barcode cannot hold the text."""
    if not text or len(text) > MAX_LENGTH or not all(" " <= character <= "~" for character in text):
        return []
    (modules,) = Code128(text).build()
    return [len(list(run)) for _bit, run in groupby(modules.strip("0"))]
