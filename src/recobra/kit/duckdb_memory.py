"""How much memory a DuckDB may take: a million accounts may take 1.8 GB with PostgreSQL and everything else."""

from __future__ import annotations

from typing import Final

LEAST: Final = 600_000_000
PER_ROW: Final = 600
"""Bytes for each account or row of a file: beyond them DuckDB spills to disk, far below them it fails."""
PER_TEXT_BYTE: Final = 3
MOST_FOR_TEXT: Final = 1_200_000_000
"""Wide rows need more than usual ones, but what a single row takes is not without end."""


def memory_limit(*, rows: int, text_bytes: int = 0) -> str:
    """Return the memory for so many accounts, or rows of a file of so much text, as DuckDB's setting is written."""
    return f"{max(LEAST, rows * PER_ROW, min(text_bytes * PER_TEXT_BYTE, MOST_FOR_TEXT))}B"
