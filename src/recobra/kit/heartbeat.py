"""Signs of life of the processes that run beside the console: a file each, whose time of change is the last sign.

A file needs neither the database nor room on a full disk, and a process that hangs or was stopped gives no sign.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

FILE_VARIABLE: Final = "RECOBRA_HEARTBEAT"
"""Names the file to a process that is watched by the one that started it."""
SILENT_SECONDS: Final = 180.0
"""A process that has given no sign of life for so long hangs: the longest step of one is that of a slow provider."""
_EVERY_SECONDS: Final = 1.0
_OLD_SECONDS: Final = 24 * 3600.0


@dataclass
class Heartbeat:
    """The signs of life of one process, of a kind such as `worker`."""

    path: Path
    _next: float = field(default=0.0, repr=False)

    def beat(self) -> None:
        """Give a sign of life; may be called as often as one likes."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY_SECONDS
            try:
                os.utime(self.path)
            except FileNotFoundError:
                # Without room for a new file there is no sign of life; the next beat may find some.
                with contextlib.suppress(OSError):
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                    self.path.touch()

    def last_mark(self) -> int | None:
        """Return what is another number after each sign, None before the first; says nothing of when that was."""
        try:
            return self.path.stat().st_mtime_ns
        except FileNotFoundError:
            return None

    def seconds_ago(self) -> float | None:
        """Return how long ago the last sign was, None before the first."""
        try:
            # By the machine's clock, as the file's time: nothing of the business is decided by it.
            return max(time.clock_gettime(time.CLOCK_REALTIME) - self.path.stat().st_mtime, 0.0)
        except FileNotFoundError:
            return None

    def end(self) -> None:
        """Take the file away: the process is gone."""
        self.path.unlink(missing_ok=True)


def new_heartbeat(data_dir: Path, kind: str) -> Heartbeat:
    """Return the heartbeat of a process that is about to start, and forget those that ended long ago."""
    folder = data_dir / "run"
    for path in folder.glob(f"{kind}-*"):
        seconds = Heartbeat(path).seconds_ago()
        if seconds is not None and seconds > _OLD_SECONDS:
            path.unlink(missing_ok=True)
    return Heartbeat(folder / f"{kind}-{secrets.token_hex(8)}")


def own_heartbeat(data_dir: Path, kind: str) -> Heartbeat:
    """Return this process's heartbeat: the one that is watched by whoever started it, or a new one."""
    given = os.environ.get(FILE_VARIABLE)
    return Heartbeat(Path(given)) if given else new_heartbeat(data_dir, kind)


def find_last_sign(data_dir: Path, kind: str) -> float | None:
    """Return how many seconds ago any process of a kind gave a sign of life, None where none ever did."""
    found = (Heartbeat(path).seconds_ago() for path in (data_dir / "run").glob(f"{kind}-*"))
    return min((seconds for seconds in found if seconds is not None), default=None)
