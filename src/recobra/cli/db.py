"""`recobra db`: migration, status, backup and restore of the database."""

from __future__ import annotations

import argparse
from pathlib import Path

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer, CommandRefused
from recobra.kit import database, database_roles, durable_files, embedded, pg_client


def add_commands(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "db", "look after the database")
    options.add_command(verbs, "migrate", "bring the tables up to date").set_defaults(run=migrate_database)
    options.add_command(verbs, "status", "say which database is used and what it lacks").set_defaults(run=show_status)
    roles = options.add_command(verbs, "roles", "print the SQL that makes the three roles on a company's server")
    roles.add_argument("--database", default="recobra", metavar="NAME")
    roles.add_argument("--owner", default=database_roles.OWNER, metavar="ROLE", help="owns the tables, migrates")
    roles.add_argument("--application", default=database_roles.APPLICATION, metavar="ROLE", help="runs the product")
    roles.add_argument("--reporting", default=database_roles.REPORTING, metavar="ROLE", help="reads masked views")
    roles.set_defaults(run=print_roles)
    options.add_command(verbs, "reporting", "say how a spreadsheet reads the reporting views").set_defaults(
        run=show_reporting
    )
    backup = options.add_command(verbs, "backup", "write the whole database to a file")
    backup.add_argument("file", type=Path, metavar="FILE")
    backup.set_defaults(run=back_up)
    restore = options.add_command(verbs, "restore", "read a backup into an empty database")
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.set_defaults(run=restore_backup)


def migrate_database(_arguments: argparse.Namespace) -> Answer:
    """Bring the tables up to date."""
    bootstrap.set_up(tables=False)
    applied = bootstrap.apply_migrations(again=True)
    return Answer(document={"applied": applied}, lines=tuple(applied) or ("Nothing to do: the tables are up to date.",))


def show_status(_arguments: argparse.Namespace) -> Answer:
    """Answer with the database in use, the migrations that it lacks, and whether a backup can be made from here."""
    bootstrap.set_up(tables=False)
    from django.db import connection  # noqa: PLC0415 - needs the settings

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), pg_database_size(current_database())")
        version, size = cursor.fetchone()
    with database.as_owner():
        pending = bootstrap.pending_migrations()
    with pg_client.connect() as server:
        can_back_up = not pg_client.find_unreadable(server)
    where = "embedded" if bootstrap.is_embedded() else "RECOBRA_DATABASE_URL"
    document = {"database": where, "version": version, "bytes": size, "pending": pending, "can_back_up": can_back_up}
    return Answer(document=document)


def print_roles(arguments: argparse.Namespace) -> Answer:
    """Print the SQL that makes the database and its three roles on a company's server."""
    statements = database_roles.setup_statements(
        database=arguments.database,
        owner=arguments.owner,
        application=arguments.application,
        reporting=arguments.reporting,
    )
    return Answer(document={"statements": statements}, lines=tuple(statements))


def show_reporting(_arguments: argparse.Namespace) -> Answer:
    """Answer with what a program for reports needs to read the views. Raises CommandRefused."""
    if not bootstrap.is_embedded():
        raise CommandRefused("The reporting role of a company's own server has the password that was given there.")
    server = database.embedded_server(database.data_dir())
    if server.reporting_port is None:
        raise CommandRefused("Set RECOBRA_REPORTING_PORT first, and start anew: without it nothing listens on a port.")
    return Answer(
        document={
            "host": "127.0.0.1",
            "port": server.reporting_port,
            "database": embedded.DATABASE,
            "schema": "reporting",
            "user": database_roles.REPORTING,
            "password": server.password(database_roles.REPORTING),
        }
    )


def back_up(arguments: argparse.Namespace) -> Answer:
    """Write the whole database to a file."""
    bootstrap.set_up(tables=False)
    if not arguments.file.resolve().parent.is_dir():
        raise CommandRefused("The folder of %(path)s does not exist.", path=arguments.file)
    partial = arguments.file.with_name(f"{arguments.file.name}.partial")
    with pg_client.connect() as server:
        unreadable = pg_client.find_unreadable(server)
    if unreadable:
        raise CommandRefused(
            "This role may not read %(tables)s: set RECOBRA_DATABASE_OWNER_URL to the role that owns the tables.",
            tables=unreadable,
        )
    # A dump that failed half-way must not look like a backup.
    try:
        pg_client.run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={partial}")
        durable_files.put_in_place(partial, arguments.file)
    finally:
        partial.unlink(missing_ok=True)
    return Answer(document={"file": str(arguments.file), "bytes": arguments.file.stat().st_size})


def restore_backup(arguments: argparse.Namespace) -> Answer:
    """Read a backup into an empty database."""
    if not arguments.file.is_file():
        raise CommandRefused("There is no file %(path)s.", path=arguments.file)
    bootstrap.set_up(tables=False)
    from django.db import connection  # noqa: PLC0415 - needs the settings

    with database.as_owner():
        tables = connection.introspection.table_names()
    if tables:
        raise CommandRefused("The database is not empty: a backup is restored into an empty one only.")
    # Before the rows are there: from their first instant on nothing of theirs is to be sent.
    mark = bootstrap.restored_mark()
    durable_files.write_file(mark, b"")
    try:
        pg_client.run(
            "pg_restore",
            "--no-owner",
            "--no-privileges",
            "--exit-on-error",
            "--single-transaction",
            f"--dbname={connection.settings_dict['NAME']}",
            str(arguments.file),
        )
    except pg_client.ClientFailed:
        mark.unlink()
        raise
    from recobra.journal import kept_seals  # noqa: PLC0415 - needs the settings
    from recobra.kit import clock, privileges  # noqa: PLC0415

    with database.as_owner():
        tables = connection.introspection.table_names()
        privileges.forget_privileges()
        is_behind = bool(bootstrap.pending_migrations())
    if not is_behind:
        bootstrap.apply_migrations()
    # The backup may be older than the last seal of this directory, which would look like a journal that was cut.
    kept_seals.set_aside(now=clock.now())
    return Answer(document={"file": str(arguments.file), "tables": len(tables)})
