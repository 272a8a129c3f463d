"""`recobra retention`: what is due to be erased, erasing it, and a person's data as they are handed out."""

from __future__ import annotations

import argparse
from pathlib import Path

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer, CommandRefused
from recobra.kit import durable_files


def add_commands(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "retention", "how long data about people stay")
    due = options.add_command(verbs, "due", "count the debtors of whom something is due, and what stands against it")
    due.set_defaults(run=count_due)
    run = options.add_command(verbs, "run", "erase what is due, as the night does")
    run.add_argument("--limit", type=int, default=None, metavar="N", help="debtors at most (default: those of a night)")
    options.add_yes(run)
    run.set_defaults(run=erase_due)
    copy = options.add_command(verbs, "copy", "write everything that is held on one debtor to a ZIP")
    copy.add_argument("--debtor", required=True, metavar="NUMBER", help="the creditor's number of the debtor")
    copy.add_argument("--creditor", default="", metavar="CODE", help="needed where several creditors use the number")
    copy.add_argument("--output", type=Path, required=True, metavar="FILE.zip", help="where it goes")
    copy.set_defaults(run=copy_person)


def count_due(_arguments: argparse.Namespace) -> Answer:
    """Count what is due today."""
    bootstrap.set_up()
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.compliance.retention.overview import count_due  # noqa: PLC0415
    from recobra.kit import clock  # noqa: PLC0415

    now = clock.now()
    due = count_due(day=now.date(), actor=service_actor(Service.COMMAND, now=now))
    return Answer(document={"due": due.due, "free": due.free, "by_class": due.by_class, "blocked": due.blocked})


def erase_due(arguments: argparse.Namespace) -> Answer:
    """Erase what is due today, after it was said how much it is."""
    if arguments.limit is not None and arguments.limit < 1:
        raise CommandRefused("--limit must be 1 or more.")
    bootstrap.set_up()
    if not arguments.yes:
        free = count_due(arguments).document["free"]
        question = f"{free} debtors lose data for good, and what is too old of the classes that go by age goes too."
        options.confirm(question, yes=False)
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.compliance.retention import schedule  # noqa: PLC0415
    from recobra.kit import clock  # noqa: PLC0415

    now = clock.now()
    erasure = schedule.erase_due(
        day=now.date(),
        limit=arguments.limit or schedule.NIGHT_LIMIT,
        actor=service_actor(Service.COMMAND, now=now),
    )
    return Answer(
        document={
            "debtors": erasure.debtors,
            "anonymised": erasure.anonymised,
            "rows": erasure.rows,
            "blocked": erasure.blocked,
            "has_more": erasure.has_more,
        }
    )


def copy_person(arguments: argparse.Namespace) -> Answer:
    """Write a debtor's data to a file that only its owner may read."""
    if arguments.output.suffix.lower() != ".zip":
        raise CommandRefused("%(path)s should end in %(ending)s.", path=arguments.output, ending=".zip")
    bootstrap.set_up()
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.compliance.retention.copies import copy_person_by_number  # noqa: PLC0415
    from recobra.kit import clock  # noqa: PLC0415

    copy = copy_person_by_number(
        creditor=arguments.creditor,
        number=arguments.debtor,
        actor=service_actor(Service.COMMAND, now=clock.now()),
    )
    try:
        durable_files.write_file(arguments.output, copy.content)
    except OSError as error:
        raise CommandRefused(
            "%(path)s cannot be written: %(why)s.", path=arguments.output, why=error.strerror or error
        ) from error
    return Answer(
        document={"files": copy.files, "rows": copy.rows, "digest": copy.digest, "output": str(arguments.output)}
    )
