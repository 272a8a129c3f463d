"""The engine that evaluates the core's expressions: DuckDB in process."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ibis

from .database import data_dir

MEMORY_LIMIT = "1200MB"


@contextmanager
def duckdb() -> Iterator[Any]:
    """Give an Ibis connection to a DuckDB of one's own, which spills to the data directory and leaves nothing."""
    home = data_dir() / "tmp"
    home.mkdir(parents=True, exist_ok=True)
    spill = tempfile.mkdtemp(prefix="engine-", dir=home)
    connection = ibis.duckdb.connect(
        ":memory:", threads=min(4, os.cpu_count() or 1), memory_limit=MEMORY_LIMIT, temp_directory=spill
    )
    try:
        yield connection
    finally:
        connection.disconnect()
        shutil.rmtree(spill, ignore_errors=True)
