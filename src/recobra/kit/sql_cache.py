"""Expressions as SQL, compiled once per installation: Ibis takes up to seconds for what DuckDB runs in milliseconds.

What one process has compiled the next ones read, so that the first payment after a restart is answered like any other.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import uuid
from importlib.metadata import version
from pathlib import Path
from typing import Final

import ibis
import ibis.expr.types as ir

from recobra.kit.database import data_dir

MAX_CACHED_FILES: Final = 400
"""Statements name their day: those of a few weeks are kept."""
_END_MARKER: Final = b"\n-- the end"
"""Without it a file is only the beginning of one: a power cut keeps a name and loses what stood under it."""
_COMPILER_VERSIONS: Final = f"{ibis.__version__} {version('sqlglot')} duckdb"
_log = logging.getLogger(__name__)


def to_sql(expression: ir.Table) -> str:
    """Return an expression as SQL of DuckDB, from the cache where the very same one was compiled before."""
    file = cache_dir() / "sql" / f"{_expression_digest(expression)}.sql"
    if (kept := _read_cached(file)) is not None:
        return kept
    sql = str(ibis.to_sql(expression, dialect="duckdb", pretty=False))
    _write_cached(file, sql)
    return sql


def cache_dir() -> Path:
    """Return the folder of what can be made anew at any time."""
    return Path(os.environ.get("RECOBRA_CACHE_DIR") or data_dir() / "cache").resolve()


def _expression_digest(expression: ir.Table) -> str:
    """Name the whole expression, its literals and their types, and who turns it into SQL."""
    return hashlib.sha256(pickle.dumps(expression.op(), protocol=5) + _COMPILER_VERSIONS.encode()).hexdigest()


def _read_cached(file: Path) -> str | None:
    try:
        kept = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        _log.warning("A compiled statement cannot be read and is compiled anew: %s", error)
        return None
    if not kept.endswith(_END_MARKER):
        _log.warning("A compiled statement is not whole and is compiled anew: %s", file.name)
        return None
    return kept.removesuffix(_END_MARKER).decode()


def _write_cached(file: Path, sql: str) -> None:
    """Write whole or not at all; without a folder to write to every process compiles its own."""
    half = file.with_suffix(f".{uuid.uuid4().hex}")  # threads share their process's number, containers too
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(sql.encode() + _END_MARKER)
        half.replace(file)
        _delete_oldest(file.parent)
    except OSError as error:
        _log.warning("A compiled statement cannot be kept for the next process: %s", error)


def _delete_oldest(folder: Path) -> None:
    files = list(folder.glob("*.sql"))
    if len(files) > MAX_CACHED_FILES:
        by_age = sorted(files, key=lambda file: file.stat().st_mtime)
        for file in by_age[: len(files) - MAX_CACHED_FILES]:
            file.unlink(missing_ok=True)
