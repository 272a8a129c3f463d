"""`recobra payments`: payments by file."""

from __future__ import annotations

import argparse
from pathlib import Path

from recobra.cli import bootstrap, mapping_file, options
from recobra.cli.answer import Answer

FORMATS = ("auto", "csv", "xlsx", "xls", "parquet")
DECIMALS = ("auto", "comma", "point")
ORDERS = ("auto", "dmy", "mdy", "ymd")


def add_commands(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "payments", "money that comes in")
    load = options.add_command(verbs, "load", "record the payments of a file; a movement counts once")
    load.add_argument(
        "file", type=Path, metavar="FILE", help="CSV, XLSX, XLS or Parquet; columns: account, amount, date, reference"
    )
    load.add_argument("--portfolio", required=True, metavar="CODE")
    load.add_argument("--format", choices=FORMATS, default="auto", help="what the file must be (default: any of them)")
    load.add_argument(
        "--decimal", choices=DECIMALS, default="auto", help="the decimal mark (default: as the file shows)"
    )
    load.add_argument(
        "--date-order", choices=ORDERS, default="auto", help="the order of day and month (default: as the file shows)"
    )
    load.add_argument(
        "--mapping", type=Path, metavar="MAPPING.yaml", help="what each column means (default: by their usual names)"
    )
    load.add_argument("--dry-run", action="store_true", help="say what would happen and change nothing")
    load.set_defaults(run=load_payments)


def load_payments(arguments: argparse.Namespace) -> Answer:
    """Record the payments of a file."""
    bootstrap.set_up()
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.kit import clock  # noqa: PLC0415 - needs the settings
    from recobra.payments import operations  # noqa: PLC0415

    notation = operations.Notation(format=arguments.format, decimal=arguments.decimal, date_order=arguments.date_order)
    figures = operations.load_file(
        path=arguments.file,
        portfolio_code=arguments.portfolio,
        notation=notation,
        mapping=mapping_file.read_mapping(arguments.mapping).value if arguments.mapping else None,
        dry_run=arguments.dry_run,
        actor=service_actor(Service.COMMAND, now=clock.now()),
    )
    return Answer(document=figures)
