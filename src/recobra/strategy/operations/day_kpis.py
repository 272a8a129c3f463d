"""Arrears portfolio and KPI rows of a day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import ibis.expr.types as ir
import pyarrow as pa
from django.db import connection, transaction
from duckdb import DuckDBPyConnection

from recobra.kit import engine, tables
from recobra_core.indicators import contact_level, payment_record


def write_arrears_portfolio(duck: DuckDBPyConnection, classified: ir.Table, path: Path) -> int:
    """Write the arrears portfolio of a day with its indicators to a Parquet file; return how many accounts."""
    hidden = [name for name in classified.columns if name.startswith("was_")]
    scored = classified.drop(*hidden).mutate(
        contact_level=contact_level(classified), payment_record=payment_record(classified)
    )
    partial = path.with_suffix(".partial")
    target = str(partial).replace("'", "''")
    statement = engine.compile_statement("scored", scored)
    duck.execute(f"COPY ({statement.sql}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
    partial.replace(path)
    ((count,),) = duck.execute("SELECT count(*) FROM classified").fetchall()
    return int(count)


@transaction.atomic
def write_kpis(duck: DuckDBPyConnection, classified: ir.Table, *, as_of: date) -> int:
    """Write the day's KPI rows, replacing those of an earlier run of the same day; return how many."""
    rows = _stock_kpis(duck, classified)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE measured (portfolio_id bigint, key text, value bigint) ON COMMIT DROP")
        tables.copy_in("measured", rows)
        cursor.execute(_FLOW_KPIS, [as_of, as_of])
        cursor.execute("DELETE FROM strategy_kpiday WHERE day = %s", [as_of])
        cursor.execute(
            "INSERT INTO strategy_kpiday (day, portfolio_id, key, value)"
            " SELECT %s, portfolio_id, key, value FROM measured",
            [as_of],
        )
        count = cursor.rowcount
        cursor.execute("DROP TABLE measured")
    return int(count)


_FLOW_KPIS = """
    INSERT INTO measured
    SELECT portfolio_id, 'collected_minor', sum(amount_minor) FROM payments_payment
    WHERE paid_date = %s AND reversed_at IS NULL GROUP BY portfolio_id
    UNION ALL
    SELECT portfolio_id, 'contacts_' || lower(status), count(*) FROM messaging_contact
    WHERE planned_for = %s GROUP BY portfolio_id, status
    UNION ALL
    SELECT portfolio_id, 'tasks_open', count(*) FROM workbench_task WHERE status = 'OPEN' GROUP BY portfolio_id"""


def _stock_kpis(duck: DuckDBPyConnection, classified: ir.Table) -> pa.Table:
    """Return portfolio_id, key, value: accounts, debtors and amounts, in all, by bucket and by stage."""
    whole = classified.group_by("portfolio_id").agg(
        accounts=classified.count(),
        debtors=classified.debtor_id.nunique(),
        balance_minor=classified.balance_minor.sum(),
        overdue_minor=classified.overdue_minor.sum(),
    )
    rows = _kpi_rows(duck, whole, prefix="")
    for name in ("bucket", "stage"):
        parts = classified.group_by("portfolio_id", label=classified[name]).agg(
            accounts=classified.count(), balance_minor=classified.balance_minor.sum()
        )
        rows += _kpi_rows(duck, parts, prefix=f"{name}:")
    schema = pa.schema([("portfolio_id", pa.int64()), ("key", pa.string()), ("value", pa.int64())])
    return pa.Table.from_pylist(rows, schema=schema)


def _kpi_rows(duck: DuckDBPyConnection, expression: ir.Table, *, prefix: str) -> list[dict[str, object]]:
    """Return the measures of an expression as one row each; `prefix` names the groups of `label`, '' for the whole."""
    wide = engine.run_statements(duck, [engine.compile_statement("answer", expression)])["answer"]
    measures = [name for name in wide.column_names if name not in {"portfolio_id", "label"}]
    return [
        {
            "portfolio_id": row["portfolio_id"],
            "key": f"{prefix}{row['label']}:{name}" if prefix else name,
            "value": int(row[name]),
        }
        for row in wide.to_pylist()
        for name in measures
    ]
