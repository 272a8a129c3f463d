"""Set-up of Django for a command: the right database, with its tables up to date."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pkgutil
import sys
import time
from pathlib import Path

from recobra.cli.answer import CommandRefused
from recobra.kit import clock, database, file_modes

LOCK_SECONDS = 5
"""How long a migration waits for a table, and lets the others pass before it tries again."""
LOCK_TRIES = 12
_LOCK_HOLDERS = """
    SELECT DISTINCT pid, usename FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'relation' AND granted AND relation >= 16384 AND pid <> pg_backend_pid()
        AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY pid"""
_APPS_LEFT = frozenset({"sessions"})
"""Apps of earlier versions that are installed no more; what was brought up to date still records their migrations."""


def set_up(*, tables: bool = True, is_restoring: bool = False) -> None:
    """Set Django up and check the database. Raises CommandRefused, DatabaseUnsuitable, ValueError.

    The embedded database is the product's own and is brought up to date at once; a company's is left to its
    administrators and their `recobra db migrate`. `tables` false leaves the tables to the command.
    What a restore left unfinished is for no command but that restore itself (`is_restoring`).
    """
    from recobra.installation.data_files import UNFINISHED  # noqa: PLC0415 - loads Django

    if not is_restoring and (database.data_dir() / UNFINISHED).exists():
        raise CommandRefused(
            "A restore into %(folder)s was cut off: empty it and restore again.", folder=database.data_dir()
        )
    clock.read_shift()  # refused before anything is read or written
    file_modes.restrict_existing_files(database.data_dir())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recobra.config.settings")
    if demo_dir().exists():
        # Whatever is done to a demonstration, its messages to invented people stay on the machine.
        os.environ["RECOBRA_DEMO"] = "1"
    import django  # noqa: PLC0415 - reads the settings, which start the embedded server
    from django.db import connection  # noqa: PLC0415
    from django.utils import translation  # noqa: PLC0415

    django.setup()
    # Refusals come in the language of the commands themselves, unless the installation asks for Spanish.
    language = os.environ.get("RECOBRA_LANGUAGE") or "en"
    if language not in {"en", "es"}:
        raise CommandRefused("RECOBRA_LANGUAGE is «%(language)s»; en or es was expected.", language=language)
    translation.activate(language)
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        (version,) = cursor.fetchone()
    database.check_version(int(version) // 10000)
    if not tables or not is_behind():
        return
    if not is_embedded():
        raise CommandRefused("The database's tables are not those of this version: run «recobra db migrate» first.")
    apply_migrations()


def is_behind() -> bool:
    """Tell if the database lacks tables of this version, its roles the privileges for them, or a restore its end."""
    # Privileges first: without them the role cannot even read which migrations there were.
    return _missing_privileges() or bool(pending_migrations()) or restored_mark().exists()


def restored_mark() -> Path:
    """Return the file that is there from the restore of a database alone until sending is stopped in it."""
    from recobra.installation.data_files import RESTORED_DATABASE  # noqa: PLC0415 - loads Django

    return database.data_dir() / RESTORED_DATABASE


def set_public_url(port: int) -> None:
    """Let links lead to the port that is served, unless the installation says where it is reached.

    Must come before `set_up`, which reads the settings; the processes started from here inherit it.
    """
    if not os.environ.get("RECOBRA_PUBLIC_URL"):
        os.environ["RECOBRA_PUBLIC_URL"] = f"http://localhost:{port}"


def demo_dir() -> Path:
    """Return the folder that only the data directory of a demonstration has."""
    return database.data_dir() / "demo"


def is_embedded() -> bool:
    """Tell if the product's own database is used."""
    return not os.environ.get("RECOBRA_DATABASE_URL")


def pending_migrations() -> list[str]:
    """Return the migrations that the database lacks, in order."""
    from django.db import connection  # noqa: PLC0415 - needs the settings
    from django.db.migrations.recorder import MigrationRecorder  # noqa: PLC0415

    # What is on disk and not recorded may be pending, and nothing else: only then are all migrations worth loading.
    if MigrationRecorder(connection).applied_migrations().keys() >= _migrations_on_disk():
        return []
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def unknown_migrations() -> list[str]:
    """Return the migrations that the database has had and that only a newer version can know, in order."""
    from django.db import connection  # noqa: PLC0415 - needs the settings
    from django.db.migrations.recorder import MigrationRecorder  # noqa: PLC0415

    known = _migrations_on_disk()
    recorded = MigrationRecorder(connection).applied_migrations()
    return sorted(f"{app}.{name}" for app, name in recorded.keys() - known if app not in _APPS_LEFT)


def _migrations_on_disk() -> set[tuple[str, str]]:
    """Return app and name of each migration of the installed apps, by the names of their files."""
    from django.apps import apps  # noqa: PLC0415 - needs the settings

    found = set()
    for config in apps.get_app_configs():
        package = importlib.util.find_spec(f"{config.name}.migrations")
        folders = package.submodule_search_locations if package else None
        for module in pkgutil.iter_modules(folders or ()):
            # As Django's own loader does.
            if not module.ispkg and module.name[0] not in "_~":
                found.add((config.label, module.name))
    return found


def apply_migrations(*, again: bool = False) -> list[str]:
    """Bring tables and privileges up to date as their owner, one process at a time; return the migrations applied.

    `again` gives the privileges also where they are those of this version: a role may have been made since. Nobody
    waits behind it for longer than LOCK_SECONDS at a time. Raises CommandRefused where a table stays in use.
    """
    with database.as_owner():
        return _apply_migrations(again=again)


def _apply_migrations(*, again: bool) -> list[str]:
    """Do so on a connection of the owner's."""
    from django.db import OperationalError, connection  # noqa: PLC0415 - needs the settings
    from psycopg.errors import LockNotAvailable  # noqa: PLC0415

    with connection.cursor() as cursor:
        # Serve, worker and dispatcher start together; the others wait here and then find nothing to do.
        cursor.execute("SELECT pg_advisory_lock(hashtext('recobra migrate'))")
        # Whoever wants a table that a migration waits for waits behind it, even to read.
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{LOCK_SECONDS}s"])
    try:
        migrations = pending_migrations()
        for tries_left in reversed(range(LOCK_TRIES)):
            try:
                _bring_to_present(again=again)
                break
            except OperationalError as error:
                if not isinstance(error.__cause__, LockNotAvailable):
                    raise
                if not tries_left:
                    raise _refuse_waiting() from error
            report_progress("A table is in use; the migration lets the others pass and tries again.")
            time.sleep(LOCK_SECONDS)
        _stop_sending_where_restored()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('recobra migrate'))")
    return migrations


def _bring_to_present(*, again: bool) -> None:
    """Apply the migrations that are pending, each in a transaction of its own, and give the privileges."""
    from django.core.management import call_command  # noqa: PLC0415 - needs the settings
    from django.db import DatabaseError  # noqa: PLC0415
    from psycopg.errors import DependentObjectsStillExist, FeatureNotSupported  # noqa: PLC0415

    from recobra.kit import privileges  # noqa: PLC0415

    if pending_migrations():
        try:
            call_command("migrate", verbosity=0, interactive=False)
        except DatabaseError as error:
            if not isinstance(error.__cause__, DependentObjectsStillExist | FeatureNotSupported):
                raise
            # A view of the reports stands on a column that changes. All other migrations leave the reports as they
            # are, and what breaks off takes them from nobody.
            privileges.drop_reporting()
            call_command("migrate", verbosity=0, interactive=False)
    if again or _missing_privileges():
        _give_privileges()


def _refuse_waiting() -> CommandRefused:
    """Return a refusal that says who uses tables for so long that a migration does not come in between."""
    from django.db import connection  # noqa: PLC0415 - needs the settings

    with connection.cursor() as cursor:
        cursor.execute(_LOCK_HOLDERS)
        users = ", ".join(f"{pid} ({role})" for pid, role in cursor.fetchall())
    return CommandRefused(
        "The tables stayed in use for %(seconds)s seconds, by processes of the database: %(users)s. "
        "End the long work (a load, a report, a backup) and try again. What is applied stays; nothing is half done.",
        seconds=2 * LOCK_SECONDS * LOCK_TRIES,
        users=users,
    )


def _stop_sending_where_restored() -> None:
    """Let nothing leave where the database was restored alone: it does not know what happened after its backup."""
    mark = restored_mark()
    if not mark.exists():
        return
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.messaging.sending_stop import stop_sending  # noqa: PLC0415

    stop_sending(state_of=None, actor=service_actor(Service.COMMAND, now=clock.now()))
    mark.unlink()


def _missing_privileges() -> bool:
    """Tell if the privileges in the database are not those of this version's tables."""
    from recobra.kit import privileges  # noqa: PLC0415 - needs the settings

    return privileges.read_description() != _describe_privileges()


def _describe_privileges() -> str:
    """Return what stands for the privileges of this version's tables."""
    from recobra.insight import reporting_views  # noqa: PLC0415 - needs the settings
    from recobra.kit import privileges  # noqa: PLC0415

    roles = (database.application_role(), database.reporting_role())
    return privileges.describe(reporting_views.VIEWS, _migrations_on_disk(), roles=roles)


def _give_privileges() -> None:
    """Give the roles their privileges for this version's tables."""
    from recobra.insight import reporting_views  # noqa: PLC0415 - needs the settings
    from recobra.kit import privileges  # noqa: PLC0415

    privileges.give_privileges(
        reporting_views.VIEWS,
        description=_describe_privileges(),
        application=database.application_role(),
        reporting=database.reporting_role(),
    )


def report_progress(text: str) -> None:
    """Report progress on standard error, where it can be written: on a full disk the work goes on without."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)
