"""Tables in memory that every engine can read."""

from collections.abc import Iterable, Mapping

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.expr.operations import InMemoryTable


def build_table(rows: Iterable[Mapping[str, object]], *, schema: ibis.Schema) -> ir.Table:
    """Return rows in the columns and kinds of the schema.

    A missing text is written ''; a missing time or list is null.

    Spark gets tables in memory through pandas, which would make the text 'NaN' of a null one and nulls of
    all whole numbers beside a null one. So a null there is refused: such rows must come from a file.
    """
    texts = {name for name, kind in schema.items() if kind.is_string()}
    complete = []
    for row in rows:
        values = {name: row.get(name) for name in schema}
        for name in texts:
            if values[name] is None:
                values[name] = ""
        complete.append(values)
    arrow = pa.Table.from_pylist(complete, schema=schema.to_pyarrow())
    for name, kind in schema.items():
        assert kind.is_temporal() or kind.is_array() or arrow[name].null_count == 0, f"{name} has nulls"
    return ibis.memtable(arrow)


def to_arrow(table: ir.Table) -> pa.Table:
    """Return the rows of a `build_table`, asking no engine: Ibis's own one refuses a second thread while it is busy."""
    node = table.op()
    assert isinstance(node, InMemoryTable), "a table of build_table"
    return node.data.to_pyarrow(table.schema())
