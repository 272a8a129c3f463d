"""The program `recobra`: a process that is all ours."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Sequence
from typing import Final

from recobra.kit.file_modes import restrict_new_files
from recobra.kit.without_pandas import do_without_pandas

COLLECTED_AFTER: Final = (10_000, 10, 10)
"""The thresholds of the garbage collector: objects, and rounds of the younger generation."""


def run() -> int:
    """Run the command of the process's arguments and return its exit code, with which the process ends at once."""
    # What a start imports stays: looking through it every 700 objects is a fifth of the whole start.
    gc.set_threshold(*COLLECTED_AFTER)
    codes: list[int] = []
    # Registered first, and so called last: whoever has something to do at the end has done it.
    atexit.register(_end_process, codes)
    restrict_new_files()
    do_without_pandas()
    from recobra.cli.main import main  # noqa: PLC0415 - nothing may import pandas first

    codes.append(main())
    return codes[0]


def _end_process(codes: Sequence[int]) -> None:
    """End the process with its exit code, if it has one.

    Clearing all modules one by one, as Python does after this, is a third of a short command.
    """
    if codes:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(codes[0])


if __name__ == "__main__":
    sys.exit(run())
