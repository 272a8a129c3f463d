"""`recobra health`: whether the installation works."""

from __future__ import annotations

import argparse

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer


def add_commands(commands: options.Commands) -> None:
    """Add the command to the command line."""
    options.add_command(commands, "health", "say whether each part of the installation works").set_defaults(
        run=show_health
    )


def show_health(_arguments: argparse.Namespace) -> Answer:
    """Answer with the state of each part; fails where one is missing that the work needs."""
    bootstrap.set_up(tables=False)
    from recobra.insight import health  # noqa: PLC0415 - needs the settings
    from recobra.kit import clock, database  # noqa: PLC0415

    parts = health.check_health(database.data_dir(), now=clock.now())
    return Answer(
        document={
            "status": "ok" if all(part.is_ok for part in parts) else "degraded",
            "parts": {part.name: {"ok": part.is_ok, "note": part.note} for part in parts},
        },
        lines=tuple(f"{part.name}: {'ok' if part.is_ok else 'degraded'} ({part.note})" for part in parts),
        ok=health.is_working(parts),
        reason="The installation does not do its work: "
        + ", ".join(part.name for part in parts if not part.is_ok and part.name in health.VITAL),
    )
