"""`recobra db`: migration, status, backup and restore of the database."""

from __future__ import annotations

import argparse
from pathlib import Path

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer, CommandRefused
from recobra.kit import pg_client


def add_commands(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "db", "look after the database")
    options.add_command(verbs, "migrate", "bring the tables up to date").set_defaults(run=migrate_database)
    options.add_command(verbs, "status", "say which database is used and what it lacks").set_defaults(run=show_status)
    backup = options.add_command(verbs, "backup", "write the whole database to a file")
    backup.add_argument("file", type=Path, metavar="FILE")
    backup.set_defaults(run=back_up)
    restore = options.add_command(verbs, "restore", "read a backup into an empty database")
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.set_defaults(run=restore_backup)


def migrate_database(_arguments: argparse.Namespace) -> Answer:
    """Bring the tables up to date."""
    bootstrap.set_up(tables=False)
    applied = bootstrap.apply_migrations()
    return Answer(document={"applied": applied}, lines=tuple(applied) or ("Nothing to do: the tables are up to date.",))


def show_status(_arguments: argparse.Namespace) -> Answer:
    """Answer with the database in use and the migrations that it lacks."""
    bootstrap.set_up(tables=False)
    from django.db import connection  # noqa: PLC0415 - needs the settings

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), pg_database_size(current_database())")
        version, size = cursor.fetchone()
    where = "embedded" if bootstrap.is_embedded() else "RECOBRA_DATABASE_URL"
    return Answer(
        document={"database": where, "version": version, "bytes": size, "pending": bootstrap.pending_migrations()}
    )


def back_up(arguments: argparse.Namespace) -> Answer:
    """Write the whole database to a file."""
    bootstrap.set_up(tables=False)
    if not arguments.file.resolve().parent.is_dir():
        raise CommandRefused(f"The folder of {arguments.file} does not exist.")
    partial = arguments.file.with_name(f"{arguments.file.name}.partial")
    pg_client.run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={partial}")
    # A dump that failed half-way must not look like a backup.
    partial.replace(arguments.file)
    return Answer(document={"file": str(arguments.file), "bytes": arguments.file.stat().st_size})


def restore_backup(arguments: argparse.Namespace) -> Answer:
    """Read a backup into an empty database."""
    if not arguments.file.is_file():
        raise CommandRefused(f"There is no file {arguments.file}.")
    bootstrap.set_up(tables=False)
    from django.db import connection  # noqa: PLC0415 - needs the settings

    if connection.introspection.table_names():
        raise CommandRefused("The database is not empty: a backup is restored into an empty one only.")
    pg_client.run(
        "pg_restore",
        "--no-owner",
        "--no-privileges",
        "--exit-on-error",
        "--single-transaction",
        f"--dbname={connection.settings_dict['NAME']}",
        str(arguments.file),
    )
    from recobra.journal import kept_seals  # noqa: PLC0415 - needs the settings
    from recobra.kit import clock  # noqa: PLC0415

    # The backup may be older than the last seal of this directory, which would look like a journal that was cut.
    kept_seals.set_aside(now=clock.now())
    return Answer(document={"file": str(arguments.file), "tables": len(connection.introspection.table_names())})
