"""`recobra payments`: payments by file."""

from __future__ import annotations

import argparse
from pathlib import Path

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer

FORMATS = ("auto", "csv")


def add_commands(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "payments", "money that comes in")
    load = options.add_command(verbs, "load", "record the payments of a file; a reference counts once")
    load.add_argument("file", type=Path, metavar="FILE", help="columns: account, amount, date, reference")
    load.add_argument("--portfolio", required=True, metavar="CODE")
    load.add_argument("--format", choices=FORMATS, default="auto")
    load.set_defaults(run=load_payments)


def load_payments(arguments: argparse.Namespace) -> Answer:
    """Record the payments of a file."""
    bootstrap.set_up()
    from recobra.kit import clock  # noqa: PLC0415 - needs the settings
    from recobra.payments import operations  # noqa: PLC0415

    figures = operations.load_file(
        path=arguments.file, portfolio_code=arguments.portfolio, actor="command", now=clock.now()
    )
    return Answer(document=figures)
