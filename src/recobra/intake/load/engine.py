"""The DuckDB that one load works in: its own, bounded in memory, gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from recobra.kit import database

MEMORY: Final = "1200MB"
THREADS: Final = 2
PREFIX: Final = "load-"


def workshops() -> list[Path]:
    """Return the folders of loads that go on, or that were killed."""
    return list(_home().glob(f"{PREFIX}*"))


def _home() -> Path:
    return database.data_dir() / "tmp"


@contextmanager
def workshop() -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """Yield a connection and a folder for temporary files; both end with the block."""
    home = _home()
    home.mkdir(parents=True, exist_ok=True)
    work_dir = Path(tempfile.mkdtemp(prefix=PREFIX, dir=home))
    connection = duckdb.connect()
    try:
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        connection.execute(f"SET threads = {THREADS}")
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET temp_directory = '" + str(work_dir / "spill").replace("'", "''") + "'")
        yield connection, work_dir
    finally:
        connection.close()
        shutil.rmtree(work_dir, ignore_errors=True)
