"""How much a run proves: what is long by nature is reduced day by day and whole with `--whole` (make test-long)."""

from __future__ import annotations

import os
from typing import TypeVar

Amount = TypeVar("Amount")
_WHOLE = "RECOBRA_TESTS_WHOLE"


def is_whole() -> bool:
    """Return whether this run proves everything at full size."""
    return os.environ.get(_WHOLE) == "1"


def make_whole() -> None:
    """Let this run, its workers and the processes it starts prove everything at full size."""
    os.environ[_WHOLE] = "1"


def choose(*, daily: Amount, whole: Amount) -> Amount:
    """Return the amount for this run."""
    return whole if is_whole() else daily
