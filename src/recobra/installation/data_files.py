"""Files of the data directory: those that a backup takes along, and those that the database names.

An app that keeps files says which ones its rows name in `stored_files.py`, as functions in the tuple `STORED_FILES`:
each yields paths relative to the data directory; a folder stands for what is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from recobra.kit.declarations import declared
from recobra.kit.keys import KEY_FILES

LEFT_OUT: Final = frozenset({"postgres", "cache", "tmp", "run", "static", "backups", "database-restored"})
"""What is made anew, or is in the dump, or is a backup itself."""
UNFINISHED: Final = "restore-unfinished"
"""The mark of a restore that was cut off: nothing works in such a directory."""

RESTORED_DATABASE: Final = "database-restored"
"""The mark of a database that was restored alone: sending stops as soon as its tables are those of this version."""


def list_named_files() -> Iterator[str]:
    """Yield the paths that rows of the database name, relative to the data directory."""
    for yield_paths in declared("stored_files", "STORED_FILES"):
        yield from yield_paths()


def list_data_files(folder: Path, *, apart_from: Path | None) -> Iterator[Path]:
    """Yield the files to take along, in order; without links, keys and the folder of the backups (`apart_from`)."""
    for entry in sorted(folder.iterdir()):
        is_key = entry.name.removesuffix(".lock") in KEY_FILES
        if entry.name in LEFT_OUT or is_key or entry == apart_from or entry.is_symlink():
            continue
        if entry.is_dir():
            yield from list_data_files(entry, apart_from=apart_from)
        elif entry.is_file():
            yield entry
