"""SQL that reads the text of cells."""

from __future__ import annotations


def literal(text: str) -> str:
    """Return text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def cell(position: int) -> str:
    """Return SQL for the trimmed text of a column of `Sheet.raw`; NULL where the cell is empty."""
    return f"nullif(trim(c{position}, ' \t\u00a0'), '')"


def fold(text: str) -> str:
    """Return SQL for a text in lower case without accents: DuckDB's own form of `recobra_core.folding`."""
    return f"strip_accents(lower({text}))"
