"""Databases of a test run: copied from templates that are filled once, and given back as they were.

A template is a database on the run's server that one worker migrates and fills while the others wait. A test that
rolls back leaves its worker's copy as it was. A test that commits leaves rows behind: an empty database is emptied
again by truncating what has rows, a filled one is dropped and copied again.

The tests run as the product does, as a role that owns no table. What only the owner of the tables may do says so by
`acting_as_owner`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connection, connections, transaction
from django.test import TransactionTestCase

from recobra.cli import bootstrap
from recobra.kit import database, embedded
from recobra.kit.database_roles import APPLICATION, OWNER, SUPERUSER
from recobra.portfolio.models import Creditor, Portfolio
from recobra.strategy.models import Campaign, StrategyVersion

from .baseline import Baseline

HOME = Path(os.environ["RECOBRA_TEST_HOME"])
EMPTY = "migrated"
"""The template with the product's tables and no rows but the migrations' own."""
ROW_BY_ROW = "row_by_row"
"""A role that may not leave PostgreSQL's checks of foreign keys out."""
_template_of: dict[str, str] = {}
_baselines: dict[str, Baseline] = {}
"""Database -> what it held when it was copied; of empty ones those that a test has committed to."""


def url_of(role: str = APPLICATION, name: str | None = None) -> str:
    """Return the URL of a role for a database of the run's server, by default for the one that Django uses."""
    server = database.embedded_server(database.data_dir())
    return server.url(role, database=name or connection.settings_dict["NAME"])


@contextlib.contextmanager
def acting_as_owner() -> Iterator[None]:
    """Let Django's connection act as the owner of the tables until the block ends."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {OWNER}")
    try:
        yield
    except BaseException:
        if not connection.in_atomic_block:  # the rollback takes it back else
            _reset_role()
        raise
    if not connection.needs_rollback:
        _reset_role()


def _reset_role() -> None:
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def prepare_server(server: psycopg.Connection) -> None:
    """Let a server answer before its data are safe, and let the roles do in tests what none of them may otherwise.

    No test looks at what a power cut leaves, and none keeps tables for long.
    """
    for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
        server.execute(f"ALTER SYSTEM SET {setting} = off")
    server.execute("SELECT pg_reload_conf()")
    server.execute(f"ALTER ROLE {OWNER} CREATEDB")
    # The product's role inherits nothing of the owner's: it has to ask for the role by name.
    server.execute(f"CREATE ROLE {ROW_BY_ROW}")
    for role in (OWNER, ROW_BY_ROW):
        server.execute(f"GRANT {role} TO {APPLICATION} WITH INHERIT FALSE, SET TRUE")


def connect_django_to(name: str) -> None:
    """Let this process's Django use a database of the run's server."""
    if connection.settings_dict["NAME"] != name:
        connections.close_all()
        connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = name


def create_database(name: str, *, template: str, fill: Callable[[], None] | None = None, source: str = EMPTY) -> None:
    """Create a database from a template, which the first caller of the run makes.

    A template other than `EMPTY` is a copy of `source` in which `fill` has run.
    """
    with _one_at_a_time(), _server() as server:
        if not _exists(server, EMPTY):
            prepare_server(server)
            _create_template(server, EMPTY, source="template1", fill=bootstrap.apply_migrations)
        if fill is not None and not _exists(server, template):
            _create_template(server, template, source=source, fill=fill)
        _copy(server, template, name)
    _template_of[name] = template
    if template != EMPTY:
        _baseline(name)


def is_created(name: str) -> bool:
    """Return whether this process has created the database."""
    return name in _template_of


def restart_ids() -> None:
    """Number portfolios and strategies from 1 again, where there are none.

    Their ids stand in compiled decisions, which the next test then finds compiled; a rolled back test uses ids up.
    """
    tables = [model._meta.db_table for model in (Creditor, Portfolio, StrategyVersion, Campaign)]
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), 1, false) "
                f"WHERE NOT EXISTS (SELECT FROM {table})"
            )


def restore_database() -> None:
    """Give the database that Django uses the rows of its template again."""
    name = connection.settings_dict["NAME"]
    own = [] if connection.connection is None else [connection.connection.info.backend_pid]
    changed = _baseline(name).restore(spared=own)
    if changed and _template_of[name] == EMPTY:
        _truncate(changed)
    elif changed:
        connections.close_all()
        _baselines.pop(name).close()
        with _server() as server:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
            _copy(server, _template_of[name], name)
        _baseline(name)


def leave_databases() -> None:
    """Close what this process keeps open beside Django's connections."""
    for baseline in _baselines.values():
        baseline.close()
    _baselines.clear()


def _baseline(name: str) -> Baseline:
    if name not in _baselines:
        _baselines[name] = Baseline(url_of(SUPERUSER, name), is_empty=_template_of[name] == EMPTY)
    return _baselines[name]


def restore_after_commits() -> None:
    """Let Django's tests that commit restore the database themselves.

    Django would truncate every table and announce a migration, which makes permissions and content types anew.
    """
    TransactionTestCase._fixture_teardown = lambda _test: restore_database()
    # A dispatcher and the built-in mailbox commit on connections of their own, also in a test that rolls back.
    TransactionTestCase._fixture_setup = classmethod(lambda _case: _remove_leftovers())


def _remove_leftovers() -> None:
    if _template_of[connection.settings_dict["NAME"]] == EMPTY:
        restore_database()


def _truncate(tables: Sequence[str]) -> None:
    with acting_as_owner(), connection.cursor() as cursor:
        # The guards of the tables that only grow refuse TRUNCATE; CASCADE reaches them from most tables.
        cursor.execute("SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgname ~ 'no_truncate$'")
        guards = cursor.fetchall()
        off = [f"ALTER TABLE ONLY {table} DISABLE TRIGGER {name}" for table, name in guards]
        on = [f"ALTER TABLE ONLY {table} ENABLE ALWAYS TRIGGER {name}" for table, name in guards]
        with transaction.atomic():
            cursor.execute("; ".join([*off, f"TRUNCATE {', '.join(tables)} CASCADE", *on]))


def _create_template(server: psycopg.Connection, name: str, *, source: str, fill: Callable[[], None]) -> None:
    """Give a template its name when it is full: a worker that dies or fails before leaves it to the next."""
    unfinished = f"{name}_unfinished"
    server.execute(f"DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")
    _copy(server, source, unfinished)
    before = connection.settings_dict["NAME"]
    connect_django_to(unfinished)
    try:
        fill()
    finally:
        connect_django_to(before)
    server.execute(f"ALTER DATABASE {unfinished} RENAME TO {name}")


def _server() -> psycopg.Connection:
    return psycopg.connect(url_of(SUPERUSER, embedded.DATABASE), autocommit=True)


def _exists(server: psycopg.Connection, name: str) -> bool:
    return server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _copy(server: psycopg.Connection, template: str, name: str) -> None:
    # By files: nothing is written twice, and a checkpoint of this server does not wait for the disk.
    server.execute(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template} STRATEGY file_copy")


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    with (HOME / "templates.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
