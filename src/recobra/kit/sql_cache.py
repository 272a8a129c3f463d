"""Cache of compiled expressions: Ibis takes up to seconds to compile what DuckDB runs in milliseconds.

Processes of an installation share it, so that the first payment after a restart is answered as fast as any other.
"""

from __future__ import annotations

import hashlib
import pickle
from importlib.metadata import version
from io import BytesIO
from typing import Any, Final

import ibis
import ibis.expr.types as ir

from recobra.kit import file_cache

_COMPILER_VERSIONS: Final = f"{ibis.__version__} {version('sqlglot')} duckdb"


def to_sql(expression: ir.Table) -> str:
    """Return an expression as SQL of DuckDB, from the cache where the same one was compiled before."""
    # Statements contain their day: the cache keeps those of a few weeks.
    key = _expression_digest(expression)
    if (cached := file_cache.read_text("sql", key)) is not None:
        return cached
    sql = str(ibis.to_sql(expression, dialect="duckdb", pretty=False))
    file_cache.keep_text("sql", key, sql)
    return sql


def _expression_digest(expression: ir.Table) -> str:
    """Return a digest of an expression, with its literals and their types, and of the compiler's versions."""
    return hashlib.sha256(_to_bytes(expression.op()) + _COMPILER_VERSIONS.encode()).hexdigest()


class _OrderedPickler(pickle.Pickler):
    """Pickler that writes sets in one order; their own differs from process to process."""

    def persistent_id(self, obj: Any) -> Any:
        """Return a set's elements in order, None for anything else (pickle calls this for each object)."""
        return sorted(obj, key=repr) if isinstance(obj, frozenset) else None


def _to_bytes(value: object) -> bytes:
    """Return a value as bytes, the same in every process."""
    # Ibis keeps the columns that an expression drops as a set: in the set's own order the gate's statement would be
    # found by no other process.
    buffer = BytesIO()
    _OrderedPickler(buffer, protocol=5).dump(value)
    return buffer.getvalue()
