"""The program `recobra`: a process that is all ours."""

from __future__ import annotations

import sys

from recobra.kit.without_pandas import do_without_pandas


def run() -> int:
    """Run the command of the process's arguments and return its exit code."""
    do_without_pandas()
    from recobra.cli.main import main  # noqa: PLC0415 - nothing may import pandas first

    return main()


if __name__ == "__main__":
    sys.exit(run())
