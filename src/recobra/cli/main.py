"""The command door: `recobra …`. Exit code 0 done, 1 refused or failed (with one line why), 2 wrong usage."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from recobra.cli import (
    bench,
    bot,
    contact,
    cycle,
    db,
    demo,
    evidence,
    intake,
    journal,
    options,
    payments,
    report,
    serve,
    user,
)
from recobra.cli.answer import Answer, CommandRefused, format_json, format_text

GROUPS = (demo, serve, db, intake, cycle, contact, bot, payments, report, bench, journal, evidence, user)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="recobra", description="Recobra, an open collections platform.", parents=[options.common_options()]
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in GROUPS:
        module.add(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    chosen = build_parser().parse_args(arguments)
    if "data_dir" in chosen:
        os.environ["RECOBRA_DATA_DIR"] = str(Path(chosen.data_dir).resolve())
    try:
        return _run(chosen)
    except KeyboardInterrupt:
        return _failed("interrupted")
    except CommandRefused as refusal:
        return _failed(str(refusal))
    except Exception as error:
        if os.environ.get("RECOBRA_DEBUG") == "1":
            raise
        return _failed(_one_line(error))


def _run(chosen: argparse.Namespace) -> int:
    with _nothing_but_the_answer() as out:
        answer: Answer = chosen.run(chosen)
        out.write((format_json(answer.document) if "json" in chosen else format_text(answer)) + "\n")
        out.flush()
        if answer.then is not None:
            answer.then()
    return 0 if answer.ok else _failed(answer.reason)


@contextlib.contextmanager
def _nothing_but_the_answer() -> Iterator[IO[str]]:
    """Let whatever is printed on the way, by us or by a library, go to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with os.fdopen(os.dup(kept), "w", encoding="utf-8") as out:
            yield out
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def _failed(reason: str) -> int:
    print(f"recobra: {reason}", file=sys.stderr)
    return 1


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__
