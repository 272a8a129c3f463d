"""Who may read what the product stores: the account that it runs as, and nobody else of the machine."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

_OTHERS: Final = 0o077
_CLUSTER: Final = ("cluster", "socket")
"""The folders in which the embedded server closes its own files."""


def restrict_new_files() -> None:
    """Let every file that this process makes be readable by its account alone, whatever it was started with."""
    os.umask(_OTHERS)


def restrict_existing_files(data_dir: Path) -> int:
    """Take a data directory from the machine's other accounts, with all that an earlier version left open.

    Returns how many files and folders were open. A directory that is closed itself was gone through before.
    """
    if not data_dir.is_dir() or data_dir.is_symlink() or not _is_open(data_dir):
        return 0
    found = 0
    for folder, folders, files in os.walk(data_dir):
        if Path(folder) == data_dir / "postgres":
            folders[:] = [name for name in folders if name not in _CLUSTER]
        for name in (*folders, *files):
            found += _close(Path(folder, name))
    # Last, so that a start that breaks off begins again.
    return found + _close(data_dir)


def _is_open(path: Path) -> bool:
    """Tell if others may read or enter; the group may walk through to the embedded server (`cluster_folders`)."""
    return bool(stat.S_IMODE(path.lstat().st_mode) & _OTHERS & ~0o010)


def _close(path: Path) -> bool:
    """Take a file or folder of this account from all others; return whether it was open."""
    found = path.lstat()
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISLNK(found.st_mode) or not mode & _OTHERS or found.st_uid != os.geteuid():
        return False
    path.chmod(mode & ~_OTHERS)
    return True
