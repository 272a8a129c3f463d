"""Free disk where the installation writes: below a reserve nothing large begins, so that the database can go on."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from . import database
from .sizes import MEGABYTE

_SERVERS: Final = Path("/var/lib/recobra")


@dataclass(frozen=True, kw_only=True)
class DiskShortage:
    """Free and needed megabytes of a disk that has too little."""

    free_mb: int
    needed_mb: int


def count_free_bytes() -> int:
    """Return the free bytes of the fuller of the disks that the installation writes to.

    They are that of the data directory and that of the embedded server, which may lie elsewhere under root.
    """
    folders = [folder for folder in (database.data_dir(), _SERVERS) if folder.exists()]
    return min(shutil.disk_usage(folder).free for folder in folders)


def find_shortage(*, more_bytes: int = 0) -> DiskShortage | None:
    """Return what is missing for work that writes so many bytes beyond the reserve, None where there is enough."""
    needed = settings.DISK_RESERVE_MB * MEGABYTE + more_bytes
    free = count_free_bytes()
    if free >= needed:
        return None
    return DiskShortage(free_mb=free // MEGABYTE, needed_mb=needed // MEGABYTE)
