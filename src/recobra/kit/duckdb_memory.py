"""How much memory a DuckDB may take: a million accounts may take 1.8 GB with PostgreSQL and everything else."""

from __future__ import annotations

from typing import Final

LEAST: Final = 600_000_000
PER_ROW: Final = 600
"""Bytes for each account or row of a file: beyond them DuckDB spills to disk, far below them it fails."""


def memory_limit(*, rows: int) -> str:
    """Return the memory for so many accounts or rows of a file, as DuckDB's setting is written."""
    return f"{max(LEAST, rows * PER_ROW)}B"
