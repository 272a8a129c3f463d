"""Rows as a table that every engine can read."""

from collections.abc import Iterable, Mapping

import ibis
import ibis.expr.types as ir
import pyarrow as pa


def table_of(rows: Iterable[Mapping[str, object]], *, schema: ibis.Schema) -> ir.Table:
    """Rows in the columns and kinds of the schema, null where a row says nothing.

    Through Arrow, for ibis takes plain lists through pandas, which turns whole columns of nulls into floats.
    """
    arrow = pa.Table.from_pylist([dict(row) for row in rows], schema=schema.to_pyarrow())
    return ibis.memtable(arrow)
