"""The only place that reads the clock; doors, jobs and commands call it and pass the time on."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from recobra.kit.database import data_dir

TOLERANCE: Final = timedelta(hours=1)
"""How far two clocks may differ, such as this one and the database's: what is dated later comes of a wrong one."""
SHIFT_VARIABLE = "RECOBRA_BENCH_CLOCK"
"""By how many minutes the clock of a bench is shifted: its night is played at an hour at which contact is lawful."""


def now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(tz=UTC) + _shift()


def today(zone: str) -> date:
    """Return the present calendar day in a time zone."""
    return now().astimezone(ZoneInfo(zone)).date()


def read_shift() -> timedelta:
    """Return by how much the clock is shifted: zero but in the processes of a bench.

    Raises ValueError where the environment shifts it in any other place: messages would leave at a forbidden hour. A
    bench works in a data directory that it has marked with the same shift, on the embedded database there, in
    demonstration mode, in which nothing leaves the machine.
    """
    minutes = os.environ.get(SHIFT_VARIABLE)
    if minutes is None:
        return timedelta()
    marker = shift_marker(data_dir())
    is_bench = (
        marker.exists()
        and marker.read_text(encoding="utf-8") == minutes
        and os.environ.get("RECOBRA_DEMO") == "1"
        and not os.environ.get("RECOBRA_DATABASE_URL")
    )
    if not is_bench:
        raise ValueError(f"{SHIFT_VARIABLE} shifts the clock; only «recobra bench --night» may, in a place of its own.")
    return timedelta(minutes=int(minutes))


def shift_marker(home: Path) -> Path:
    """Return the file by which a bench marks a data directory of its own; it holds the minutes of the shift."""
    return home / "bench-clock"


# Read once: it cannot change under a running process.
_shift = cache(read_shift)
