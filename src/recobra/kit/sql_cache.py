"""Cache of compiled expressions: Ibis takes up to seconds to compile what DuckDB runs in milliseconds.

Processes of an installation share it, so that the first payment after a restart is answered as fast as any other.
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
"""Statements contain their day: this keeps those of a few weeks."""
_END_MARKER: Final = b"\n-- the end"
"""A file without it is cut off: a power failure may keep a name and lose its content."""
_COMPILER_VERSIONS: Final = f"{ibis.__version__} {version('sqlglot')} duckdb"
_log = logging.getLogger(__name__)


def to_sql(expression: ir.Table) -> str:
    """Return an expression as SQL of DuckDB, from the cache where the same one was compiled before."""
    file = cache_dir() / "sql" / f"{_expression_digest(expression)}.sql"
    if (cached := _read_cached(file)) is not None:
        return cached
    sql = str(ibis.to_sql(expression, dialect="duckdb", pretty=False))
    _write_cached(file, sql)
    return sql


def cache_dir() -> Path:
    """Return the folder of files that can be created anew at any time."""
    return Path(os.environ.get("RECOBRA_CACHE_DIR") or data_dir() / "cache").resolve()


def _expression_digest(expression: ir.Table) -> str:
    """Return a digest of an expression, with its literals and their types, and of the compiler's versions."""
    return hashlib.sha256(pickle.dumps(expression.op(), protocol=5) + _COMPILER_VERSIONS.encode()).hexdigest()


def _read_cached(file: Path) -> str | None:
    """Return a cached statement, None where there is none or it is damaged."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        _log.warning("A compiled statement cannot be read and is compiled anew: %s", error)
        return None
    if not content.endswith(_END_MARKER):
        _log.warning("A compiled statement is not whole and is compiled anew: %s", file.name)
        return None
    return content.removesuffix(_END_MARKER).decode()


def _write_cached(file: Path, sql: str) -> None:
    """Write a file whole or not at all; an installation without a writable folder compiles in every process."""
    partial = file.with_suffix(f".{uuid.uuid4().hex}")  # not the process id: threads share it, and containers repeat it
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(sql.encode() + _END_MARKER)
        partial.replace(file)
        files = list(file.parent.glob("*.sql"))
        if len(files) > MAX_CACHED_FILES:
            by_age = sorted(files, key=lambda path: path.stat().st_mtime)
            for oldest in by_age[: len(files) - MAX_CACHED_FILES]:
                oldest.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("A compiled statement cannot be kept for the next process: %s", error)
