"""Limits on everything that comes in by file; each is far above any real portfolio."""

from __future__ import annotations

from typing import Final

from recobra.kit.sizes import MEGABYTE

BYTES: Final = 8 * 1024**3
ROWS: Final = 10_000_000
COLUMNS: Final = 500
NAME_CHARACTERS: Final = 500  # of a column; Excel and databases take 255 at most
FIELD_CHARACTERS: Final = 32_000
LINE_BYTES: Final = 16 * MEGABYTE
QUOTED_LINES: Final = 50  # a quoted field that runs over more lines is an unclosed quotation mark
WORKBOOK_BYTES: Final = 512 * MEGABYTE
PACKING_RATIO: Final = 200
PACKING_FREE_BYTES: Final = 64 * MEGABYTE  # below this size no ratio is suspicious
ARCHIVE_MEMBERS: Final = 5_000
SHEETS: Final = 250
SHEET_CELLS: Final = 30_000_000  # from A1 to the farthest cell, each of which takes 32 bytes, empty or not
PEEKED_CELLS: Final = SHEET_CELLS  # of sheets that are opened to find the one with the table; the last may exceed it
SPARSE_CELLS: Final = 5_000_000  # up to here a sheet may be as empty as it likes, and is read in two seconds
SPARSE_RATIO: Final = 50  # beyond it one cell in so many has a value at least
BROKEN_ROWS: Final = 250_000  # rows that cannot be laid out in columns, each kept with what is wrong with it
BATCH_CHARACTERS: Final = 32 * MEGABYTE  # of rows that are in memory at once
