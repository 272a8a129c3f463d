"""Limits on everything that comes in by file; each is far above any real portfolio."""

from __future__ import annotations

from typing import Final

BYTES: Final = 8 * 1024**3
ROWS: Final = 10_000_000
COLUMNS: Final = 500
FIELD_CHARACTERS: Final = 32_000
LINE_BYTES: Final = 16 * 1024**2
QUOTED_LINES: Final = 50  # a quoted field that runs over more lines is an unclosed quotation mark
WORKBOOK_BYTES: Final = 512 * 1024**2
PACKING_RATIO: Final = 200
PACKING_FREE_BYTES: Final = 64 * 1024**2  # below this size no ratio is suspicious
