"""Cache of compiled expressions: Ibis takes up to seconds to compile what DuckDB runs in milliseconds.

Processes of an installation share it, so that the first payment after a restart is answered as fast as any other.
"""

from __future__ import annotations

import hashlib
import pickle
from importlib.metadata import version
from io import BytesIO
from typing import Any, ClassVar, Final

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.backends.sql.compilers.duckdb import DuckDBCompiler

from recobra.kit import file_cache

_COMPILER_VERSIONS: Final = f"{ibis.__version__} {version('sqlglot')} duckdb"
AS_OF_FUNCTION: Final = "recobra_as_of"
"""The function of a connection that returns the day to decide."""


class AsOfDay(ops.Constant):
    """The day to decide, which the connection knows when a statement runs: its text is the same every day."""

    dtype = dt.date


class _Compiler(DuckDBCompiler):
    """Ibis's compiler for DuckDB, with `AsOfDay`."""

    __slots__ = ()

    SIMPLE_OPS: ClassVar = {AsOfDay: AS_OF_FUNCTION}


_COMPILER: Final = _Compiler()


def to_sql(expression: ir.Table) -> str:
    """Return an expression as SQL of DuckDB, from the cache where the same one was compiled before."""
    key = _expression_digest(expression)
    if (cached := file_cache.read_text("sql", key)) is not None:
        return cached
    sql: str = _COMPILER.to_sqlglot(expression.unbind()).sql(dialect=_COMPILER.dialect)
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
