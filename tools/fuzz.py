"""Give every reader its damaged inputs, whole and by one seed, and print what became of them.

`python -m tools.fuzz [pytest's arguments]`; RECOBRA_FUZZ_SEED=N repeats a run.
Fails when a reader breaks or takes too much.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.fuzz import CHOSEN_SEED, REPORT, SEED

ROOT: Final = Path(__file__).resolve().parent.parent
WORKERS: Final = 2
SHOWN_ENDS: Final = 12


def main(arguments: Sequence[str]) -> int:
    """Run the tests with the mark `fuzz` at full size and return their exit code."""
    print(f"seed {SEED}: {CHOSEN_SEED}={SEED} make fuzz repeats this run", flush=True)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            str(WORKERS),
            "--whole",
            "-m",
            "fuzz",
            "--show-capture=no",
            *arguments,
        ]
        environment = {**os.environ, CHOSEN_SEED: str(SEED), REPORT: folder}
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        readers = [json.loads(path.read_text()) for path in sorted(Path(folder).glob("*.json"))]
    print_readers(readers)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{sum(reader['inputs'] for reader in readers):,} inputs, "
        f"{sum(reader['failures'] for reader in readers)} broke their reader; seed {SEED}; "
        f"{time.monotonic() - begin:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of processor"
    )
    return code


def print_readers(readers: Sequence[dict[str, Any]]) -> None:
    """Print a line for each reader, and below it what became of its inputs."""
    print(f"\n{'reader':<34}{'inputs':>7}{'s':>7}{'cpu s':>7}{'MB':>6}{'slowest':>9}{'broken':>8}")
    for reader in readers:
        print(
            f"{reader['reader']:<34}{reader['inputs']:>7,}{reader['seconds']:>7}{reader['processor_seconds']:>7}"
            f"{reader['memory_mb']:>6}{reader['slowest_seconds']:>7} s{reader['failures']:>8}"
        )
        ends = list(reader["ends"].items())
        listed = ", ".join(f"{end} {count:,}" for end, count in ends[:SHOWN_ENDS])
        rest = sum(count for _end, count in ends[SHOWN_ENDS:])
        print(f"    {listed}" + (f", else {rest:,}" if rest else "") + f"; slowest: {reader['slowest']}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
