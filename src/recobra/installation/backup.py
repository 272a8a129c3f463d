"""A backup that is whole: database, files and keys as of one instant, in one encrypted file, or no file at all."""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final
from uuid import uuid4

import psycopg
from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _
from psycopg import sql

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.journal.seal import last_seal
from recobra.kit import durable_files, key_rotation, pg_client
from recobra.kit.database import data_dir
from recobra.kit.keys import DATA_KEYS, EVIDENCE_KEY, SECRET_KEY, find_key_file, keys_dir, read_key_ring
from recobra.messaging import tokens

from .archive import BLOCK, DATA, DATABASE, KEYS, ArchiveWriter, Manifest
from .container import ChunkWriter, Lock
from .data_files import list_data_files, list_named_files
from .facts import BackupFailed, BackupMade
from .models import BackupRun

ENDING: Final = ".recobra"
PARTIAL: Final = ".partial"
_LOCK_NAME: Final = "recobra backup"


class BackupRefused(Exception):
    """The backup was not made; the text says why and is shown as it is. No file is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Snapshot:
    """The instant that a backup is of: the name by which PostgreSQL shares it, and the rows of each table."""

    name: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """What rows of a snapshot name: files and folders, and the journal's last seal."""

    files: frozenset[str]
    last_seal: str


@requires(Right.SERVE)
def back_up(*, file: Path, lock: Lock, is_scheduled: bool = False, actor: Actor) -> BackupRun:
    """Write database, files and keys to one file. Raises BackupRefused; then the file is not there.

    Everybody works on meanwhile. The dump is of one snapshot, the files are read after it, and those that the snapshot
    names are all in it: one that vanishes meanwhile fails the backup, one that was lost before is counted as missing.
    No transaction spans it.
    """
    with _one_at_a_time():
        BackupRun.objects.filter(status=BackupRun.Status.RUNNING).update(
            status=BackupRun.Status.FAILED, finished_at=actor.now, error=_("It was cut off.")
        )
        run = BackupRun.objects.create(started_at=actor.now, started_by=actor.name, is_scheduled=is_scheduled)
        partial = file.with_name(f"{file.name}{PARTIAL}")
        try:
            with durable_files.open_draft(file, draft=partial) as out:
                manifest, members = _write(out, partial, lock=lock, now=actor.now)
        except (OSError, pg_client.ClientFailed, BackupRefused, psycopg.Error) as error:
            _finish_failed(run, str(error), actor=actor)
            raise BackupRefused(str(error)) from error
        except BaseException as error:
            _finish_failed(run, type(error).__name__, actor=actor)
            raise
        return _finish_made(run, file, manifest, files_count=members, actor=actor)


def _write(out: IO[bytes], partial: Path, *, lock: Lock, now: datetime) -> tuple[Manifest, int]:
    """Write the whole file, which is `partial` as yet; return its manifest and how many files it holds."""
    home = data_dir()
    # Before the snapshot: it names seals that are committed, and one that the dump lacks would look like a cut.
    seals = _read_seals(home)
    with _take_snapshot() as snapshot:
        own = partial if partial.parent == home else partial.parent
        paths = [path.relative_to(home) for path in list_data_files(home, apart_from=own)]
        named = _read_named(snapshot)
        there = {str(part) for path in paths for part in (path, *path.parents)}
        with io.BufferedWriter(ChunkWriter(out, lock=lock, now=now), BLOCK) as plain:
            archive = ArchiveWriter(plain)
            archive.add(DATABASE, _dump(snapshot))
            for path in paths:
                if str(path) in seals:
                    archive.add(f"{DATA}{path}", [seals[str(path)]])
                else:
                    _add_file(archive, home, path, named.files)
            for name, content in _read_keys():
                archive.add(f"{KEYS}{name}", [content])
            manifest = Manifest(
                created_at=now.isoformat(),
                counts=snapshot.counts,
                last_seal=named.last_seal,
                links=sign_links(),
                unreadable=count_unreadable(),
                missing=sorted(named.files - there),
            )
            archive.finish(manifest)
    return manifest, sum(name.startswith(DATA) for name in archive.members)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let one backup at a time run. Raises BackupRefused."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [_LOCK_NAME])
        (is_free,) = cursor.fetchone()
    if not is_free:
        raise BackupRefused(_("Another backup is being made."))
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [_LOCK_NAME])


@contextmanager
def _take_snapshot() -> Iterator[_Snapshot]:
    """Hold a snapshot of the database while the block lasts; it stops nobody. Raises BackupRefused."""
    with pg_client.connect() as server:
        unreadable = pg_client.find_unreadable(server)
        if unreadable:
            raise BackupRefused(
                _(
                    "The role «%(role)s» of the database may not read %(table)s: set RECOBRA_DATABASE_OWNER_URL to the "
                    "role that owns the tables, also for the worker."
                )
                % {"role": server.info.user, "table": unreadable}
            )
        server.rollback()
        server.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        server.read_only = True
        row = server.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
        yield _Snapshot(name=row[0], counts=count_rows(server))


def count_rows(server: psycopg.Connection[Any]) -> dict[str, int]:
    """Return the rows of each table that a dump holds, by schema and name."""
    tables = server.execute(
        "SELECT schemaname, tablename FROM pg_tables "
        "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') "
        "AND NOT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = "
        "format('%I.%I', schemaname, tablename)::regclass) ORDER BY 1, 2"
    ).fetchall()
    counts = {}
    for schema, table in tables:
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
        row = server.execute(query).fetchone()
        assert row is not None
        counts[f"{schema}.{table}"] = int(row[0])
    return counts


def read_last_seal() -> str:
    """Return the journal's last seal in hexadecimal, '' for none."""
    seal = last_seal()
    return bytes(seal.digest).hex() if seal else ""


def sign_links() -> dict[str, str]:
    """Return links as debtors get them, for contacts that never were."""
    return {
        "stop": tokens.unsubscribe_url(uuid4()).rpartition("/")[2],
        "statement": tokens.statement_url(0).rpartition("/")[2],
    }


def has_valid_links(links: dict[str, str]) -> bool:
    """Tell if links of `sign_links` are valid with the keys of this installation."""
    return (
        tokens.read_unsubscribe_token(links["stop"]) is not None
        and tokens.read_statement_token(links["statement"]) is not None
    )


def count_unreadable() -> int:
    """Return how many encrypted values of the database no key of this installation opens."""
    known = {key_rotation.PLAIN, *(key.id for key in read_key_ring().keys)}
    return sum(count for key_id, count in key_rotation.count_values().items() if key_id not in known)


def _read_named(snapshot: _Snapshot) -> _Named:
    """Return what rows of the snapshot name."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute(f"SET TRANSACTION SNAPSHOT '{snapshot.name}'")
        return _Named(files=frozenset(list_named_files()), last_seal=read_last_seal())


def _read_seals(home: Path) -> dict[str, bytes]:
    """Return the file of seals by its path, {} where none is in the data directory."""
    file: Path | None = settings.SEAL_FILE
    if file is None or not file.is_relative_to(home) or not file.exists():
        return {}
    return {str(file.relative_to(home)): file.read_bytes()}


def _add_file(archive: ArchiveWriter, home: Path, path: Path, named: frozenset[str]) -> None:
    """Add a file; one that vanished meanwhile is left out, unless a row names it. Raises BackupRefused."""
    try:
        source = (home / path).open("rb")
    except FileNotFoundError:
        if named.isdisjoint({str(path), *map(str, path.parents)}):
            return
        raise BackupRefused(_("%(path)s vanished while it was being copied.") % {"path": path}) from None
    with source:
        archive.add(f"{DATA}{path}", iter(lambda: source.read(BLOCK), b""))


def _dump(snapshot: _Snapshot) -> Iterator[bytes]:
    """Yield a dump of the snapshot in PostgreSQL's custom format. Raises ClientFailed."""
    with tempfile.TemporaryFile() as errors:
        arguments = ("--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot.name}")
        with pg_client.start("pg_dump", *arguments, errors=errors, stdout=subprocess.PIPE) as client:
            assert client.stdout is not None
            while block := client.stdout.read(BLOCK):
                yield block
        if client.returncode != 0:
            errors.seek(0)
            said = " ".join(errors.read().decode("utf-8", "replace").split())
            raise pg_client.ClientFailed(f"pg_dump failed: {said}")


def _read_keys() -> Iterator[tuple[str, bytes]]:
    """Yield the files of keys; those of links as they count here, also where the environment gives them."""
    earlier = [key if isinstance(key, str) else key.decode() for key in settings.SECRET_KEY_FALLBACKS]
    yield SECRET_KEY, "".join(f"{key}\n" for key in [settings.SECRET_KEY, *earlier]).encode()
    # Made where nothing was encrypted yet: the first backup of an installation is as whole as any.
    read_key_ring()
    yield DATA_KEYS, find_key_file(DATA_KEYS).read_bytes()
    if (keys_dir() / EVIDENCE_KEY).exists():
        yield EVIDENCE_KEY, (keys_dir() / EVIDENCE_KEY).read_bytes()


def _finish_made(run: BackupRun, file: Path, manifest: Manifest, *, files_count: int, actor: Actor) -> BackupRun:
    """Keep what was made."""
    rows = sum(manifest.counts.values())
    with transaction.atomic():
        run.status = BackupRun.Status.DONE
        run.finished_at = actor.now
        run.path = str(file)
        run.size = file.stat().st_size
        run.files_count = files_count
        run.rows_count = rows
        run.missing_count = len(manifest.missing)
        run.save()
        made = BackupMade(size=run.size, files=files_count, rows=rows, missing=len(manifest.missing))
        record_fact(made, actor=actor)
    return run


def _finish_failed(run: BackupRun, error: str, *, actor: Actor) -> None:
    """Keep why a backup was not made."""
    with transaction.atomic():
        run.status = BackupRun.Status.FAILED
        run.finished_at = actor.now
        run.error = " ".join(error.split())[:1000]
        run.save()
        record_fact(BackupFailed(is_scheduled=run.is_scheduled), actor=actor)
