"""A restore into an empty directory that proves itself, or leaves the directory and the database as they were."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, TypeVar

import psycopg

from recobra.kit import durable_files, pg_client
from recobra.kit.database import data_dir
from recobra.kit.keys import KEY_FILES, keys_dir

from .archive import BLOCK, DATA, DATABASE, KEYS, Manifest, read_members, verify
from .container import ChunkReader, ContainerRefused, Opener
from .data_files import LEFT_OUT, UNFINISHED


class RestoreRefused(Exception):
    """Nothing was restored; the text says why and is shown as it is."""


T = TypeVar("T")


def restore(file: Path, opener: Opener, *, set_up: Callable[[], None], prove: Callable[[Manifest, int], T]) -> T:
    """Read a backup into an empty directory and an empty database, and return what `prove` says of it.

    `set_up` begins Django once the keys are there; `prove` gets the manifest and how many files were written, and
    raises where it is not what the backup was of. Whatever is raised, everything is as empty as it was before. Raises
    ContainerRefused, RestoreRefused, ClientFailed.
    """
    manifest = verify_backup(file, opener)
    check_target()
    has_begun = False
    try:
        files = restore_files(file, opener, manifest)
        set_up()
        check_database()
        has_begun = True
        restore_database(file, opener)
        proved = prove(manifest, files)
        (data_dir() / UNFINISHED).unlink()
    except BaseException:
        if has_begun:
            empty_database()
        undo()
        raise
    return proved


def verify_backup(file: Path, opener: Opener) -> Manifest:
    """Read a backup to its end and return its manifest, if each byte is as it was written. Raises ContainerRefused."""
    with _open(file, opener) as plain:
        return verify(plain)


def check_target() -> None:
    """Refuse a data directory or a folder of keys that holds anything. Raises RestoreRefused."""
    home = data_dir()
    # An empty database of its own may be there, and what makes it: whether it has tables is asked of itself.
    found = {path.name for path in home.iterdir()} - LEFT_OUT if home.exists() else set()
    if found:
        raise RestoreRefused(f"{home} is not empty: a backup is restored into an empty directory only.")
    if any((keys_dir() / name).exists() for name in KEY_FILES):
        raise RestoreRefused(f"There are keys in {keys_dir()}: those of the backup never replace others.")


def restore_files(file: Path, opener: Opener, manifest: Manifest) -> int:
    """Write the files and keys of a backup to their places; return how many files. Raises ContainerRefused, OSError.

    The directory is marked as unfinished until all is proved.
    """
    home = data_dir()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    durable_files.write_file(home / UNFINISHED, f"{file.name}\n".encode())
    count = 0
    with _open(file, opener) as plain:
        for name, blocks in read_members(plain):
            if name.startswith(DATA):
                _write_file(home / name.removeprefix(DATA), blocks, manifest.members[name])
                count += 1
            elif name.startswith(KEYS) and name.removeprefix(KEYS) in KEY_FILES:
                _write_file(keys_dir() / name.removeprefix(KEYS), blocks, manifest.members[name])
            else:
                for _block in blocks:
                    pass
    return count


def check_database() -> None:
    """Refuse a database with tables, or in which none may be made. Raises RestoreRefused."""
    with pg_client.connect() as server:
        row = server.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        assert row is not None
        if row[0]:
            raise RestoreRefused("The database is not empty: a backup is restored into an empty one only.")
        row = server.execute("SELECT has_schema_privilege('public', 'CREATE')").fetchone()
        if row != (True,):
            raise RestoreRefused(
                f"The role «{server.info.user}» of the database may not make tables: set RECOBRA_DATABASE_OWNER_URL to "
                "the role that owns it."
            )


def restore_database(file: Path, opener: Opener) -> None:
    """Read the dump of a backup into an empty database, at once or not at all. Raises ClientFailed."""
    name = pg_client.environment()["PGDATABASE"]
    arguments = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", f"--dbname={name}")
    with _open(file, opener) as plain, tempfile.TemporaryFile() as errors:
        for member, blocks in read_members(plain):
            if member != DATABASE:
                for _block in blocks:
                    pass
                continue
            with pg_client.start("pg_restore", *arguments, errors=errors, stdin=subprocess.PIPE) as client:
                _feed(client, blocks)
            if client.returncode != 0:
                errors.seek(0)
                said = " ".join(errors.read().decode("utf-8", "replace").split())
                raise pg_client.ClientFailed(f"pg_restore failed: {said}")


def compare_counts(manifest: Manifest, count_rows: Callable[[psycopg.Connection[Any]], dict[str, int]]) -> None:
    """Compare the rows of each table with the manifest. Raises RestoreRefused."""
    with pg_client.connect() as server:
        counts = count_rows(server)
    different = sorted(name for name in {*counts, *manifest.counts} if counts.get(name) != manifest.counts.get(name))
    if different:
        raise RestoreRefused(f"These tables do not have the rows of the backup: {', '.join(different)}.")


def undo() -> None:
    """Leave the directory, the keys and the database as empty as they were."""
    home = data_dir()
    for entry in list(home.iterdir()) if home.exists() else []:
        if entry.name in LEFT_OUT or entry.name == UNFINISHED:
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    for name in KEY_FILES:
        (keys_dir() / name).unlink(missing_ok=True)
    (home / UNFINISHED).unlink(missing_ok=True)


def empty_database() -> None:
    """Drop what a restore that failed has left in a database that was empty before; extensions stay."""
    with pg_client.connect() as server:
        server.execute(_DROP_EVERYTHING)


_DROP_EVERYTHING: Final = """
DO $$
DECLARE item record;
BEGIN
    DROP SCHEMA IF EXISTS reporting, maintenance CASCADE;
    FOR item IN SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE 'DROP TABLE IF EXISTS ' || item.name || ' CASCADE';
    END LOOP;
    FOR item IN SELECT routine.oid::regprocedure AS name FROM pg_proc routine
        WHERE pronamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = routine.oid AND deptype = 'e') LOOP
        EXECUTE 'DROP ROUTINE IF EXISTS ' || item.name || ' CASCADE';
    END LOOP;
    FOR item IN SELECT kind.oid::regtype AS name FROM pg_type kind
        WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'c', 'd')
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = kind.oid AND deptype = 'e') LOOP
        EXECUTE 'DROP TYPE IF EXISTS ' || item.name || ' CASCADE';
    END LOOP;
END $$"""


@contextmanager
def _open(file: Path, opener: Opener) -> Iterator[IO[bytes]]:
    """Open a backup in plain. Raises ContainerRefused."""
    try:
        with file.open("rb") as source, io.BufferedReader(ChunkReader(source, opener=opener), BLOCK) as plain:
            yield plain
    except OSError as error:
        raise ContainerRefused(f"{file}: {error.strerror or error}") from error


def _write_file(path: Path, blocks: Iterator[bytes], expected: list[Any]) -> None:
    """Write a file, private to its owner, and compare it with the manifest."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    with durable_files.open_draft(path, is_new=True) as target:
        for block in blocks:
            digest.update(block)
            target.write(block)
        if digest.hexdigest() != expected[1]:
            raise RestoreRefused("The backup changed while it was read: nothing was restored.")


def _feed(client: subprocess.Popen[bytes], blocks: Iterator[bytes]) -> None:
    """Give a client its input; one that ended early says why by its code."""
    assert client.stdin is not None
    with suppress(BrokenPipeError):
        for block in blocks:
            client.stdin.write(block)
    with suppress(BrokenPipeError):
        client.stdin.close()
