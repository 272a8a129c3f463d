"""`recobra cycle`: runs of the daily cycle."""

from __future__ import annotations

import argparse

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer


def add_commands(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "cycle", "run the daily cycle")
    run = options.add_command(
        verbs, "run", "classify, decide and plan the contacts of a day; repeating it changes nothing"
    )
    run.add_argument("--as-of", type=options.parse_day, metavar="DATE", help="the day (default: today)")
    run.set_defaults(run=run_cycle)


def run_cycle(arguments: argparse.Namespace) -> Answer:
    """Run the daily cycle and answer with its figures."""
    bootstrap.set_up()
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.kit import clock  # noqa: PLC0415
    from recobra.strategy import operations, schedule  # noqa: PLC0415

    command = service_actor(Service.COMMAND, now=clock.now())
    as_of = arguments.as_of or schedule.today(command.now)
    return Answer(document=operations.run_cycle(as_of=as_of, actor=command))
