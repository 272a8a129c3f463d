"""`recobra journal`: proof that nobody altered what happened."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer


def add_commands(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "journal", "the record of everything that happened")
    options.add_command(verbs, "verify", "recompute every row and seal; name the first altered row").set_defaults(
        run=verify_journal
    )


def verify_journal(_arguments: argparse.Namespace) -> Answer:
    """Seal the finished days and verify the whole journal."""
    bootstrap.set_up()
    from recobra.journal import seal  # noqa: PLC0415 - needs the settings
    from recobra.kit import clock  # noqa: PLC0415

    now = clock.now()
    seal.seal_days(until=now.date(), now=now)
    verification = seal.verify_journal()
    first = verification.first_altered
    return Answer(
        document={
            "ok": verification.ok,
            "rows": verification.rows,
            "days": verification.days,
            "first_altered": asdict(first) if first else None,
        },
        ok=verification.ok,
        reason=f"the journal was altered: day {first.day}, row {first.id}: {first.what}" if first else "",
    )
