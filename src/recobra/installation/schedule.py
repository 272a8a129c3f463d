"""The backup of each night: when it is due, where it goes, which earlier ones are deleted."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.strategy.schedule import installation_zone

from .backup import ENDING, PARTIAL, BackupRefused, back_up
from .container import ContainerRefused, Lock
from .models import BackupRun

RETRY_AFTER: Final = timedelta(hours=1)
"""How long after a failure the scheduled backup is tried again."""
_NAME: Final = "recobra-%Y%m%d-%H%M%S"


def is_scheduled() -> bool:
    """Tell if the installation says where backups go."""
    return bool(settings.BACKUP_DIR)


def due_since(now: datetime) -> datetime:
    """Return the last instant at which a scheduled backup was due, by the clocks of the installation."""
    local = now.astimezone(installation_zone())
    due_at = datetime.combine(local.date(), settings.BACKUP_TIME, local.tzinfo)
    return due_at if due_at <= local else due_at - timedelta(days=1)


def is_due(now: datetime) -> bool:
    """Tell if the scheduled backup is to be made now."""
    if not is_scheduled():
        return False
    # What a clock that was wrong has dated later does not count: nothing would be due until then.
    runs = BackupRun.objects.filter(is_scheduled=True, started_at__lte=now)
    if runs.filter(status=BackupRun.Status.DONE, started_at__gte=due_since(now)).exists():
        return False
    return not runs.filter(started_at__gt=now - RETRY_AFTER).exists()


@requires(Right.SERVE)
def make_scheduled(*, actor: Actor) -> BackupRun:
    """Make the backup of the schedule and delete the old ones. Raises BackupRefused."""
    folder = Path(settings.BACKUP_DIR)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = _read_lock()
    except (OSError, ContainerRefused) as error:
        BackupRun.objects.create(
            status=BackupRun.Status.FAILED,
            started_at=actor.now,
            finished_at=actor.now,
            started_by=actor.name,
            is_scheduled=True,
            error=str(error),
        )
        raise BackupRefused(str(error)) from error
    file = folder / f"{actor.now.strftime(_NAME)}{ENDING}"
    run = back_up(file=file, lock=lock, is_scheduled=True, actor=actor)
    delete_old(folder, now=actor.now)
    return run


def delete_old(folder: Path, *, now: datetime) -> list[str]:
    """Delete backups older than is kept, never the newest ones, and what was cut off; return the names."""
    made = []
    deleted = []
    for path in folder.glob(f"recobra-*{ENDING}*"):
        if path.name.endswith(f"{ENDING}{PARTIAL}"):
            path.unlink()
            deleted.append(path.name)
            continue
        try:
            made_at = datetime.strptime(path.name, f"{_NAME}{ENDING}").replace(tzinfo=now.tzinfo)
        except ValueError:  # somebody else's file
            continue
        made.append((made_at, path))
    made.sort(reverse=True)
    for made_at, path in made[settings.BACKUP_KEEP_AT_LEAST :]:
        if made_at < now - timedelta(days=settings.BACKUP_KEEP_DAYS):
            path.unlink()
            deleted.append(path.name)
    return deleted


def _read_lock() -> Lock:
    """Return what scheduled backups are closed with. Raises ContainerRefused, OSError."""
    passphrase = ""
    if settings.BACKUP_PASSPHRASE_FILE:
        lines = Path(settings.BACKUP_PASSPHRASE_FILE).read_text("utf-8").splitlines()
        passphrase = lines[0] if lines else ""
    public_key = Path(settings.BACKUP_PUBLIC_KEY).read_bytes() if settings.BACKUP_PUBLIC_KEY else b""
    return Lock(passphrase=passphrase, public_key=public_key)
