"""Files that loads keep: those that wait for confirmation, and the rejected rows as CSV."""

from __future__ import annotations

import shutil
from pathlib import Path

from recobra.kit import database

LONGEST_ENDING = 8


def errors_path(load_id: int) -> Path:
    """Return where the rejected rows of a load are written."""
    return _folder() / f"{load_id}-errors.csv"


def held_file(stored_as: str) -> Path:
    """Return where a file is that waits for confirmation.

    By its name alone: the folder that a load has kept is that of its own data directory, which a backup may leave.
    """
    return _folder() / Path(stored_as).name


def keep_held_file(path: Path, *, load_id: int) -> Path:
    """Copy a file that waits for confirmation and return the copy."""
    # The name came with the upload, and so did its ending.
    ending = path.suffix.lower()[:LONGEST_ENDING]
    target = _folder() / f"{load_id}{ending}"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)
    return target


def _folder() -> Path:
    """Return the folder of the files that loads keep."""
    return database.data_dir() / "files" / "loads"
