"""`recobra schema`: JSON schemas of the documents that people write, for the editors they write them in."""

from __future__ import annotations

import argparse
import json

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer, CommandRefused


def add_commands(commands: options.Commands) -> None:
    """Add the command to the command line."""
    schema = options.add_command(commands, "schema", "print the JSON schema of a document, for an editor")
    schema.add_argument("name", metavar="NAME", help="strategy, gateway, mapping, company-rules, law or templates")
    schema.set_defaults(run=print_schema)


def print_schema(arguments: argparse.Namespace) -> Answer:
    """Print the JSON schema of a document."""
    bootstrap.set_up(tables=False)
    from recobra.insight.queries import schemas  # noqa: PLC0415 - needs the settings

    try:
        schema = schemas.get_schema(arguments.name)
    except schemas.SchemaUnknown as unknown:
        raise CommandRefused(str(unknown)) from unknown
    return Answer(document=schema, lines=(json.dumps(schema, ensure_ascii=False, indent=2),))
