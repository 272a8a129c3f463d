"""Rows of our own as a table that every engine can read."""

from collections.abc import Iterable, Mapping

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.expr.operations import InMemoryTable


def build_table(rows: Iterable[Mapping[str, object]], *, schema: ibis.Schema) -> ir.Table:
    """Rows in the columns and kinds of the schema. A missing text is written '', a missing time is null.

    Spark gets tables in memory through pandas, which would make the text 'NaN' of a null one and nulls of
    all whole numbers beside a null one. So a null there is refused: such rows must come from a file.
    """
    texts = {name for name, kind in schema.items() if kind.is_string()}
    full = [{name: _text(row.get(name)) if name in texts else row.get(name) for name in schema} for row in rows]
    arrow = pa.Table.from_pylist(full, schema=schema.to_pyarrow())
    for name, kind in schema.items():
        assert kind.is_temporal() or arrow[name].null_count == 0, f"{name} has nulls"
    return ibis.memtable(arrow)


def to_arrow(table: ir.Table) -> pa.Table:
    """Return the rows of a `table_of`, asking no engine: Ibis's own one refuses a second thread while it is busy."""
    held = table.op()
    assert isinstance(held, InMemoryTable), "rows of our own"
    return held.data.to_pyarrow(table.schema())


def _text(value: object) -> object:
    return "" if value is None else value
