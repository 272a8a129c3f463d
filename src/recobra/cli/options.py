"""Parsers and values of the command line; a value of the wrong kind is wrong usage (exit code 2)."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from recobra.cli.answer import CommandRefused

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse gives it no public name


def parse_day(text: str) -> date:
    """Parse YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"«{text}» is not a date; YYYY-MM-DD is expected") from None


def parse_instant(text: str) -> datetime:
    """Parse an ISO 8601 instant; without a zone it is UTC."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: in UTC it lies before the year 1 or after 9999
        raise argparse.ArgumentTypeError(f"«{text}» is not an instant; 2026-11-23T15:00:00Z is expected") from None


def parse_count(text: str) -> int:
    """Parse a whole number above zero."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"«{text}» is not a whole number above zero")
    return int(text)


def parse_port(text: str) -> int:
    """Parse a TCP port."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"«{text}» is not a port (1 to 65535)")
    return int(text)


def add_yes(parser: argparse.ArgumentParser) -> None:
    """Add `--yes`, which answers what `confirm` asks."""
    parser.add_argument("--yes", action="store_true", help="do it without asking, as in a script")


def confirm(question: str, *, yes: bool) -> None:
    """Ask a person at the terminal whether to go on. Raises CommandRefused for a no, or where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandRefused("%(question)s Nothing was done: add --yes to do it.", question=question)
    # Standard output is for the answer of the command.
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes", "s", "si", "sí"}:
        raise CommandRefused("Nothing was done.")


def common_options() -> argparse.ArgumentParser:
    """Return the options that every command takes, before or after its name."""
    # Without a default: one of the command itself would overwrite what stands before its name.
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object and nothing else"
    )
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="where everything is stored (RECOBRA_DATA_DIR, default ./.recobra)",
    )
    return parser


def add_command(commands: Commands, name: str, help_text: str) -> argparse.ArgumentParser:
    """Add a command to a group and return its parser."""
    return commands.add_parser(name, help=help_text, description=help_text, parents=[common_options()])


def add_group(commands: Commands, name: str, help_text: str) -> Commands:
    """Add a group of commands and return it."""
    parser = add_command(commands, name, help_text)
    return parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")
