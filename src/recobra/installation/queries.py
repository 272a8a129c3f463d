"""Read access to the state of the installation: its backups."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from recobra.kit.key_rotation import count_values
from recobra.kit.keys import read_key_ring

from .encryption_pass import count_left as count_left  # noqa: PLC0414 - the doors name it from here
from .models import BackupRun as BackupRun  # noqa: PLC0414 - the doors name the type from here
from .schedule import is_scheduled as is_scheduled  # noqa: PLC0414

LATE_AFTER: Final = timedelta(hours=30)
"""A day, and what a backup and its tries may take."""


@dataclass(frozen=True, kw_only=True)
class KeyState:
    """A data key without the key: `values` are the secrets that carry it; one of another installation is not known."""

    id: str
    values: int
    encrypts: bool = False
    is_known: bool = True
    is_retired: bool = False
    created_at: datetime | None = None


def list_keys() -> list[KeyState]:
    """Return the data keys, the one that encrypts first, then those of secrets that none of them opens."""
    counts = count_values(without_texts=True)
    keys = [
        KeyState(
            id=key.id,
            values=counts.pop(key.id, 0),
            encrypts=number == 0,
            is_retired=key.retired_at is not None,
            created_at=key.created_at,
        )
        for number, key in enumerate(read_key_ring().keys)
    ]
    return [*keys, *(KeyState(id=key_id, values=count, is_known=False) for key_id, count in sorted(counts.items()))]


def list_backups(limit: int = 30) -> list[BackupRun]:
    """Return the latest backups, also those that failed, the newest first."""
    return list(BackupRun.objects.all()[:limit])


def last_backup() -> BackupRun | None:
    """Return the latest backup that was made whole, None where there was none."""
    return BackupRun.objects.filter(status=BackupRun.Status.DONE).first()


def is_backup_late(at: datetime) -> bool:
    """Tell if backups are scheduled and the last whole one is older than a day and some hours."""
    if not is_scheduled():
        return False
    recent = BackupRun.objects.filter(started_at__gt=at - LATE_AFTER, started_at__lte=at)
    return not recent.filter(status=BackupRun.Status.DONE).exists()


def has_backup_failed(_at: datetime) -> bool:
    """Tell if the latest backup that came to an end is one that failed."""
    last = BackupRun.objects.exclude(status=BackupRun.Status.RUNNING).first()
    return last is not None and last.status == BackupRun.Status.FAILED
