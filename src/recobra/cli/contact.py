"""`recobra contact`: judgement of the gate about a written list of contacts; sending that goes on after a restore."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer, CommandRefused

PROFILES = ("strict",)


def add_commands(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "contact", "ask what the law allows, and let messages leave again")
    check = options.add_command(verbs, "check", "judge every contact of a CSV file")
    check.add_argument("--batch", type=Path, required=True, metavar="IN.csv", help="the contacts to judge")
    check.add_argument("--output", type=Path, metavar="OUT.csv", help="where the answers go, row by row")
    check.add_argument(
        "--profile", choices=PROFILES, default="strict", help="strict: what the law leaves unsaid is refused"
    )
    check.set_defaults(run=check_batch)
    resume = options.add_command(verbs, "resume", "let messages leave again after a restore")
    options.add_yes(resume)
    resume.set_defaults(run=resume_sending)


def resume_sending(arguments: argparse.Namespace) -> Answer:
    """Let messages leave again, after it was said what is taken back."""
    bootstrap.set_up()
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.kit import clock  # noqa: PLC0415
    from recobra.messaging import sending_stop  # noqa: PLC0415

    stop = sending_stop.find_stop()
    if stop is not None:
        known = f"what happened after {stop.state_of:%Y-%m-%d %H:%M} UTC" if stop.state_of else "what came after it"
        question = (
            f"A backup was restored, and {known} is not known here: enter opt-outs and erasures anew first."
            f" {sending_stop.count_taken_back(stop)} messages and letters that wait are taken back."
        )
        options.confirm(question, yes=arguments.yes)
    command = service_actor(Service.COMMAND, now=clock.now())
    return Answer(document={"cancelled": sending_stop.resume_sending(actor=command)})


def check_batch(arguments: argparse.Namespace) -> Answer:
    """Judge every contact of a CSV file."""
    import pyarrow as pa  # noqa: PLC0415 - wrong usage is answered without loading it

    from recobra_core.law import batch  # noqa: PLC0415

    columns = _read_columns(arguments.batch)
    try:
        judged = batch.check_contacts(pa.table(columns)).to_pylist()
    except ValueError as error:
        raise CommandRefused(f"{arguments.batch}: {error}.") from error
    if arguments.output:
        names = [*columns, *(name for name in batch.ANSWER if name not in columns)]
        with arguments.output.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=names)
            writer.writeheader()
            writer.writerows(judged)
    allowed = sum(row["allowed"] == "yes" for row in judged)
    document = {
        "rows": len(judged),
        "allowed": allowed,
        "refused": len(judged) - allowed,
        "profile": arguments.profile,
        "output": str(arguments.output) if arguments.output else None,
    }
    return Answer(document=document | _compare_expected(columns, judged))


def _compare_expected(columns: dict[str, list[str]], judged: list[dict[str, str]]) -> dict[str, object]:
    """Return how many rows agree with the column `allowed` of the file, and the numbers of the lines that differ.

    The result is empty where the file has no such column.
    """
    if "allowed" not in columns:
        return {}
    differing_lines = []
    pairs = zip(columns["allowed"], judged, strict=True)
    for line, (expected, answer) in enumerate(pairs, start=_FIRST_LINE):
        if expected != answer["allowed"]:
            differing_lines.append(line)
    return {"agree": len(judged) - len(differing_lines), "disagree": len(differing_lines), "lines": differing_lines}


_FIRST_LINE = 2  # the header is the first


def _read_columns(path: Path) -> dict[str, list[str]]:
    """Return the columns of a CSV file as text. Raises CommandRefused."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            rows = list(reader)
            names = list(reader.fieldnames or [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandRefused("%(path)s cannot be read: %(why)s.", path=path, why=error) from error
    if any(None in row for row in rows):
        raise CommandRefused("%(path)s: a row has more fields than the header.", path=path)
    return {name: [row[name] for row in rows] for name in names}
