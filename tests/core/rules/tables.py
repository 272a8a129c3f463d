"""Small tables with nulls for either engine: Spark's memtable turns a null text into the word NaN."""

import tempfile
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends import BaseBackend

from recobra_core.rules import ACCOUNT_COLUMNS

_ARROW = {
    "integer": pa.int64(),
    "money": pa.int64(),
    "number": pa.float64(),
    "text": pa.string(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}


def table(engine: BaseBackend, rows: list[dict[str, object]], schema: pa.Schema) -> ir.Table:
    data = pa.Table.from_pylist(rows, schema)
    if engine.name == "duckdb":
        return ibis.memtable(data)
    path = Path(tempfile.mkdtemp()) / "rows.parquet"
    pq.write_table(data, path)
    return engine.read_parquet(str(path))


def accounts(engine: BaseBackend, *rows: dict[str, object], extra: dict[str, pa.DataType] | None = None) -> ir.Table:
    """Accounts of the documented snapshot; what a row does not say is null, and pesos have two decimals."""
    fields = {column.stored_as: _ARROW[column.type] for column in ACCOUNT_COLUMNS.values()}
    schema = pa.schema({"n": pa.int64(), "currency_exponent": pa.int16(), **fields, **(extra or {})})
    return table(engine, [{"n": n, "currency_exponent": 2, **row} for n, row in enumerate(rows)], schema)


def answers(engine: BaseBackend, expression: ir.Table, column: str) -> list[object]:
    return engine.to_pyarrow(expression.order_by("n"))[column].to_pylist()
