"""The file of seals outside the database: who can change the database alone cannot cut what it names.

Each seal is one line of JSON. It lies in the data directory, or where `RECOBRA_SEAL_FILE` says: on another machine's
disk it holds even against the administrator of this one.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from django.conf import settings

from recobra.kit import durable_files

from .models import Seal

_LAST_BYTES: Final = 4096
"""Enough for some of the last lines, each of some 250 bytes."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class KeptSeal:
    """A seal as it was kept elsewhere."""

    number: int
    digest: str


def describe(seal: Seal) -> Mapping[str, object]:
    """Return what is kept and sent of a seal: number, instant, rows, last id, hash, signature and its signer."""
    return {
        "seal": seal.number,
        "sealed_at": seal.sealed_at.astimezone(UTC).isoformat(timespec="seconds"),
        "rows": seal.entries,
        "last_id": seal.last_id,
        "hash": bytes(seal.digest).hex(),
        "signature": bytes(seal.signature).hex(),
        "signer": seal.signer,
    }


def keep(seal: Seal) -> None:
    """Add a seal to the file unless its last line names it; a file that cannot be written is an error of the log.

    The alarm of `is_behind` is what people see of it; the next seal tries again.
    """
    path = _path()
    if path is None:
        return
    try:
        last = read_last()
        if last is not None and last.digest == bytes(seal.digest).hex():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        durable_files.append_line(path, json.dumps(describe(seal), separators=(",", ":")))
    except OSError as error:
        _log.error("The seal %s could not be kept in %s: %s", seal.number, path, error.strerror)


def read_last() -> KeptSeal | None:
    """Return the last seal of the file, None where there is none. Raises OSError."""
    path = _path()
    if path is None or not path.exists():
        return None
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _LAST_BYTES))
        lines = file.read().splitlines()
    # A crash may have left half a line at the end.
    for line in reversed(lines):
        try:
            kept = json.loads(line)
            return KeptSeal(number=int(kept["seal"]), digest=str(kept["hash"]))
        except (ValueError, KeyError, TypeError):
            continue
    return None


def read_digests() -> set[bytes]:
    """Return the hash of every seal of the file, the newest alone being no proof: after a cut a new one follows.

    Raises OSError.
    """
    path = _path()
    if path is None or not path.exists():
        return set()
    digests = set()
    with path.open("rb") as file:
        for line in file:
            try:
                digests.add(bytes.fromhex(json.loads(line)["hash"]))
            except (ValueError, KeyError, TypeError):
                # Half a line of a crash.
                continue
    return digests


def is_behind(*, since: datetime) -> bool:
    """Tell if a seal made before an instant is not in the file, which then cannot be written."""
    if _path() is None:
        return False
    seal = Seal.objects.filter(sealed_at__lt=since).order_by("-number").first()
    if seal is None or seal.last_id is None:
        return False
    try:
        last = read_last()
    except OSError:
        return True
    return last is None or last.number < seal.number


def set_aside(*, now: datetime) -> None:
    """Rename the file: the database was restored from a backup, and its newest seals may be older than these."""
    path = _path()
    if path is not None and path.exists():
        path.rename(path.with_name(f"{path.name}.{now:%Y%m%dT%H%M%S}"))


def _path() -> Path | None:
    """Return where the file is, None where none is wanted."""
    path: Path | None = settings.SEAL_FILE
    return path
