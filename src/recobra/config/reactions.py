"""Fact -> operations: the one place that sees all apps at once."""

from __future__ import annotations


def connect() -> None:
    """Register what follows from each kind of fact."""
