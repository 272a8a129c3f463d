"""Run the linters beside pytest: `test.py [pytest's arguments]`. Fails when either does; pytest speaks last."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
LINTERS = {
    "ruff check": [PYTHON, "-m", "ruff", "check", "."],
    "ruff format": [PYTHON, "-m", "ruff", "format", "--check", "."],
    "import contracts": [str(Path(PYTHON).parent / "lint-imports")],
    "mypy": [PYTHON, "-m", "mypy"],
}
# The types of Django come from its settings, which would start the embedded server; mypy ends without stopping it.
SETTINGS = {"RECOBRA_DATABASE_URL": "postgresql://localhost/types", "RECOBRA_SECRET_KEY": "types"}


def run_beside(tests: Sequence[str], linters: Sequence[str]) -> int:
    """Run two commands side by side; return the tests' exit code, or 1 where only the linters failed.

    The linters' words follow the tests' only where they found something. At SIGTERM both are ended, and waited for:
    the tests put their server and their folders away.
    """
    with tempfile.TemporaryFile("w+") as report:
        processes: list[subprocess.Popen[bytes]] = []

        def end_both(*_signal: object) -> None:
            for process in processes:
                process.terminate()

        before = signal.signal(signal.SIGTERM, end_both)
        try:
            beside = subprocess.Popen(linters, cwd=ROOT, stdout=report, stderr=report)
            processes.append(beside)
            running = subprocess.Popen(tests, cwd=ROOT)
            processes.append(running)
            code = running.wait()
            if beside.wait() != 0:
                report.seek(0)
                print(f"\nThe linters found:\n{report.read()}")
                return code or 1
        finally:
            signal.signal(signal.SIGTERM, before)
    return code


def run_linters() -> int:
    """Run every linter and print the words of those that found something."""
    failed = 0
    for name, command in LINTERS.items():
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **SETTINGS}, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            failed += 1
            print(f"{name}:\n{done.stdout}{done.stderr}")
    return failed


def main(arguments: Sequence[str]) -> int:
    """Run the linters alone for `--linters`, else beside pytest with the arguments."""
    if list(arguments) == ["--linters"]:
        return run_linters()
    return run_beside([PYTHON, "-m", "pytest", *arguments], [PYTHON, __file__, "--linters"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
