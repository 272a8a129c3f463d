"""`recobra cycle`: runs of the daily cycle, and the taking back of a planned day."""

from __future__ import annotations

import argparse

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer


def add_commands(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "cycle", "run the daily cycle, or take a planned day back")
    run = options.add_command(
        verbs, "run", "classify, decide and plan the contacts of a day; repeating it changes nothing"
    )
    run.add_argument("--as-of", type=options.parse_day, metavar="DATE", help="the day (default: today)")
    options.add_yes(run)
    run.set_defaults(run=run_cycle)
    take_back = options.add_command(
        verbs, "take-back", "undo the plan of the latest planned day; what was sent stays, and the day is free again"
    )
    take_back.add_argument("--as-of", type=options.parse_day, metavar="DATE", required=True, help="the day")
    options.add_yes(take_back)
    take_back.set_defaults(run=take_back_day)


def run_cycle(arguments: argparse.Namespace) -> Answer:
    """Run the daily cycle and answer with its figures; a day other than today is asked about first."""
    bootstrap.set_up()
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.kit import clock  # noqa: PLC0415
    from recobra.strategy import operations, queries, schedule  # noqa: PLC0415

    command = service_actor(Service.COMMAND, now=clock.now())
    today = schedule.today(command.now)
    as_of = arguments.as_of or today
    # What has not come is refused by the operation, without a question.
    if as_of != today and schedule.has_come(as_of, command.now):
        accounts = queries.accounts_in_cycle()
        question = f"{accounts} accounts are classified and written to as of {as_of}, which is not today ({today})."
        options.confirm(question, yes=arguments.yes)
    return Answer(document=operations.run_cycle(as_of=as_of, actor=command))


def take_back_day(arguments: argparse.Namespace) -> Answer:
    """Undo the plan of a day, and answer with how much that was."""
    bootstrap.set_up()
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.kit import clock  # noqa: PLC0415
    from recobra.strategy import operations  # noqa: PLC0415

    planned = operations.describe_planned_day(as_of=arguments.as_of)
    question = (
        f"The plan of {planned.as_of} is taken back: {planned.contacts} contacts that wait, {planned.tasks} tasks,"
        f" {planned.holds} holds and {planned.campaigns} ended campaigns; {planned.sent} sent contacts stay."
    )
    options.confirm(question, yes=arguments.yes)
    command = service_actor(Service.COMMAND, now=clock.now())
    counts = operations.take_back_day(as_of=arguments.as_of, actor=command)
    return Answer(document={"as_of": arguments.as_of, **counts})
