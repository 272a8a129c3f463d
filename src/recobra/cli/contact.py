"""`recobra contact`: ask the gate about a written list of contacts."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from recobra.cli import options
from recobra.cli.answer import Answer, CommandRefused

PROFILES = ("strict",)


def add(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "contact", "ask what the law allows")
    check = options.add_command(verbs, "check", "judge every contact of a CSV file")
    check.add_argument("--batch", type=Path, required=True, metavar="IN.csv", help="the contacts to judge")
    check.add_argument("--output", type=Path, metavar="OUT.csv", help="where the answers go, row by row")
    check.add_argument(
        "--profile", choices=PROFILES, default="strict", help="strict: what the law leaves unsaid is refused"
    )
    check.set_defaults(run=_check)


def _check(chosen: argparse.Namespace) -> Answer:
    import pyarrow as pa  # noqa: PLC0415 - wrong usage is answered without loading it

    from recobra_core.law import batch  # noqa: PLC0415

    rows = _read(chosen.batch)
    try:
        judged = batch.check_contacts(pa.table(rows)).to_pylist()
    except ValueError as error:
        raise CommandRefused(f"{chosen.batch}: {error}.") from error
    if chosen.output:
        _write(chosen.output, judged, names=[*rows, *(name for name in batch.ANSWER if name not in rows)])
    allowed = sum(row["allowed"] == "yes" for row in judged)
    document = {
        "rows": len(judged),
        "allowed": allowed,
        "refused": len(judged) - allowed,
        "profile": chosen.profile,
        "output": str(chosen.output) if chosen.output else None,
    }
    return Answer(document=document | _compared(rows, judged))


def _write(path: Path, judged: list[dict[str, str]], *, names: list[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=names)
        writer.writeheader()
        writer.writerows(judged)


def _compared(rows: dict[str, list[str]], judged: list[dict[str, str]]) -> dict[str, object]:
    """Where the file says what was expected (`allowed`), how many rows agree and the lines of those that do not."""
    if "allowed" not in rows:
        return {}
    pairs = zip(rows["allowed"], judged, strict=True)
    differ = [line for line, (expected, answer) in enumerate(pairs, _FIRST_LINE) if expected != answer["allowed"]]
    return {"agree": len(judged) - len(differ), "disagree": len(differ), "lines": differ}


_FIRST_LINE = 2  # the header is the first


def _read(path: Path) -> dict[str, list[str]]:
    """Return the columns of a CSV file as text. Raises CommandRefused."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            rows = list(reader)
            names = list(reader.fieldnames or [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandRefused(f"{path} cannot be read: {error}.") from error
    if any(None in row for row in rows):
        raise CommandRefused(f"{path}: a row has more fields than the header.")
    return {name: [row[name] for row in rows] for name in names}
