"""`recobra journal`: prove that nobody changed what happened."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer


def add(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "journal", "the record of everything that happened")
    options.add_command(verbs, "verify", "recompute every row and seal; name the first altered row").set_defaults(
        run=_verify
    )


def _verify(_chosen: argparse.Namespace) -> Answer:
    bootstrap.set_up()
    from recobra.journal import seal  # noqa: PLC0415 - needs the settings
    from recobra.kit import clock  # noqa: PLC0415

    now = clock.now()
    seal.seal_days(until=now.date(), now=now)
    found = seal.verify_journal()
    first = found.first_altered
    return Answer(
        document={
            "ok": found.ok,
            "rows": found.rows,
            "days": found.days,
            "first_altered": asdict(first) if first else None,
        },
        ok=found.ok,
        reason=f"the journal was altered: day {first.day}, row {first.id}: {first.what}" if first else "",
    )
