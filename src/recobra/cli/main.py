"""Entry point of the command line, `recobra …`.

Exit code 0: done; 1: refused or failed, with one line why; 2: wrong usage.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from recobra.cli import (
    backup,
    bench,
    bot,
    contact,
    cycle,
    db,
    demo,
    evidence,
    health,
    intake,
    journal,
    keys,
    options,
    payments,
    report,
    retention,
    schema,
    serve,
    user,
)
from recobra.cli.answer import Answer, CommandRefused, format_json, format_text

GROUPS = (
    demo,
    serve,
    health,
    db,
    backup,
    keys,
    intake,
    cycle,
    contact,
    bot,
    payments,
    report,
    bench,
    journal,
    evidence,
    retention,
    schema,
    user,
)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="recobra", description="Recobra, an open collections platform.", parents=[options.common_options()]
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in GROUPS:
        module.add_commands(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = build_parser().parse_args(argv)
    if "data_dir" in arguments:
        os.environ["RECOBRA_DATA_DIR"] = str(Path(arguments.data_dir).resolve())
    try:
        with _stdout_for_answer() as out:
            answer: Answer = arguments.run(arguments)
            text = format_json(answer.document) if "json" in arguments else format_text(answer)
            out.write(text + "\n")
            out.flush()
            if answer.then is not None:
                answer.then()
        return 0 if answer.ok else _report_failure(answer.reason)
    except KeyboardInterrupt:
        return _report_failure("interrupted")
    except CommandRefused as refusal:
        return _report_failure(str(refusal))
    except Exception as error:
        if os.environ.get("RECOBRA_DEBUG") == "1":
            raise
        one_line = " ".join(str(error).split())
        if isinstance(error, OSError) and error.filename and error.strerror:
            # «[Errno 30]» tells nobody anything.
            one_line = f"{error.filename}: {error.strerror}."
        return _report_failure(one_line or type(error).__name__)


@contextlib.contextmanager
def _stdout_for_answer() -> Iterator[IO[str]]:
    """Yield standard output; whatever is printed meanwhile, by us or by a library, goes to standard error."""
    # On the level of the file descriptor, for libraries in C and child processes print too.
    sys.stdout.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        with os.fdopen(os.dup(stdout), "w", encoding="utf-8") as out:
            yield out
    finally:
        sys.stdout.flush()
        os.dup2(stdout, 1)
        os.close(stdout)


def _report_failure(reason: str) -> int:
    """Print one line with the reason on standard error, and return the exit code."""
    print(f"recobra: {reason}", file=sys.stderr)
    return 1
