"""`recobra backup` and `recobra restore`: the whole installation in one encrypted file, and back from it."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer, CommandRefused

if TYPE_CHECKING:
    from recobra.installation.archive import Manifest


def add_commands(commands: options.Commands) -> None:
    """Add the commands to the command line."""
    backup = options.add_command(commands, "backup", "write database, files and keys to one encrypted file")
    backup.add_argument("file", type=Path, metavar="FILE")
    backup.add_argument("--public-key", type=Path, metavar="PEM", help="close it with this key: RSA or X25519")
    backup.set_defaults(run=back_up)
    restore = options.add_command(commands, "restore", "read a backup into an empty directory, and prove it")
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.add_argument("--private-key", type=Path, metavar="PEM", help="open it with this key")
    restore.set_defaults(run=restore_backup)
    for parser in (backup, restore):
        parser.add_argument(
            "--passphrase-file", type=Path, metavar="FILE", help="the passphrase is the first line of this file"
        )
        parser.add_argument(
            "--passphrase-stdin", action="store_true", help="read the passphrase from the first line of standard input"
        )


def back_up(arguments: argparse.Namespace) -> Answer:
    """Write database, files and keys to one encrypted file."""
    file = arguments.file.resolve()
    if not file.parent.is_dir():
        raise CommandRefused("The folder of %(path)s does not exist.", path=arguments.file)
    public_key = _read_file(arguments.public_key) if arguments.public_key else b""
    has_passphrase = arguments.passphrase_file or arguments.passphrase_stdin or not public_key
    passphrase = _read_passphrase(arguments) if has_passphrase else ""
    bootstrap.set_up()
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.installation.backup import back_up as write_backup  # noqa: PLC0415
    from recobra.installation.container import Lock  # noqa: PLC0415
    from recobra.kit import clock  # noqa: PLC0415

    lock = Lock(passphrase=passphrase, public_key=public_key)
    run = write_backup(file=file, lock=lock, actor=service_actor(Service.COMMAND, now=clock.now()))
    return Answer(
        document={
            "file": str(file),
            "bytes": run.size,
            "files": run.files_count,
            "rows": run.rows_count,
            "missing": run.missing_count,
        }
    )


def restore_backup(arguments: argparse.Namespace) -> Answer:
    """Read a backup into an empty directory, and prove it."""
    if not arguments.file.is_file():
        raise CommandRefused("There is no file %(path)s.", path=arguments.file)
    private_key = _read_file(arguments.private_key) if arguments.private_key else b""
    passphrase = "" if private_key else _read_passphrase(arguments)
    from recobra.installation.container import Opener  # noqa: PLC0415 - other commands start without it
    from recobra.installation.restore import restore  # noqa: PLC0415

    opener = Opener(passphrase=passphrase, private_key=private_key)
    return restore(arguments.file, opener, set_up=_set_up_restored, prove=_prove)


def _set_up_restored() -> None:
    """Set Django up with the keys of the backup; the database is still empty."""
    bootstrap.set_up(tables=False, is_restoring=True)


def _prove(manifest: Manifest, files: int) -> Answer:
    """Compare what was restored with the manifest, bring it to the present and prove it."""
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.installation import backup, proof, restore  # noqa: PLC0415
    from recobra.kit import clock, database  # noqa: PLC0415

    restore.compare_counts(manifest, backup.count_rows)
    with database.as_owner():
        unknown = bootstrap.unknown_migrations()
    if unknown:
        raise CommandRefused(
            "The backup is of a newer version of Recobra: this one does not know %(unknown)s.", unknown=unknown[0]
        )
    applied = bootstrap.apply_migrations(again=True)  # a dump has no privileges
    proved = proof.prove_restored(manifest, files=files, actor=service_actor(Service.COMMAND, now=clock.now()))
    altered = proved.journal.first_altered
    return Answer(
        document={
            "made_at": manifest.created_at,
            "tables": len(manifest.counts),
            "rows": proved.rows,
            "files": files,
            "missing": list(manifest.missing),
            "migrations": len(applied),
            "journal_rows": proved.journal.rows,
            "journal_days": proved.journal.days,
            "journal_ok": proved.journal.ok,
        },
        ok=proved.journal.ok,
        reason=f"restored, but the journal was altered before the backup: {altered.what}" if altered else "",
    )


def _read_passphrase(arguments: argparse.Namespace) -> str:
    """Return the passphrase from where it is said to be, else asked for at the terminal. Raises CommandRefused."""
    if arguments.passphrase_file:
        text = _read_file(arguments.passphrase_file).decode("utf-8", "replace")
        return text.splitlines()[0] if text else ""
    if arguments.passphrase_stdin:
        return sys.stdin.readline().rstrip("\n")
    if not sys.stdin.isatty():
        raise CommandRefused("The passphrase is missing: give --passphrase-file, --passphrase-stdin, or a key.")
    return getpass.getpass("Passphrase of the backup: ")


def _read_file(path: Path) -> bytes:
    """Return the content of a small file. Raises CommandRefused."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandRefused("%(path)s cannot be read: %(why)s.", path=path, why=error.strerror or error) from error
