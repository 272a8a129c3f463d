"""Arrears portfolio and KPI rows of a day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import ibis.expr.types as ir
import pyarrow as pa
from django.db import connection, transaction
from django.db.models import Count, Sum
from duckdb import DuckDBPyConnection

from recobra.kit import engine, tables
from recobra.messaging.models import Contact
from recobra.payments.models import Payment
from recobra.workbench.models import Task
from recobra_core.indicators import contact_level, payment_record

_KPIS = pa.schema([("day", pa.date32()), ("portfolio_id", pa.int64()), ("key", pa.string()), ("value", pa.int64())])


def write_arrears_portfolio(duck: DuckDBPyConnection, *, classified: ir.Table, path: Path) -> int:
    """Write the arrears portfolio of a day with its indicators to a Parquet file; return how many accounts."""
    hidden = [name for name in classified.columns if name.startswith("was_")]
    scored = classified.drop(*hidden).mutate(
        contact_level=contact_level(classified), payment_record=payment_record(classified)
    )
    engine.write_parquet(duck, engine.compile_statement("scored", scored), path)
    return engine.count_rows(duck, "classified")


@transaction.atomic
def write_kpis(duck: DuckDBPyConnection, *, classified: ir.Table, as_of: date) -> int:
    """Write the day's KPI rows, replacing those of an earlier run of the same day; return how many."""
    rows = [*_stock_kpis(duck, classified), *_flow_kpis(as_of)]
    kpis = pa.Table.from_pylist([{**row, "day": as_of} for row in rows], schema=_KPIS)
    delete_kpis(as_of=as_of)
    tables.copy_in("strategy_kpiday", kpis)
    return len(rows)


def delete_kpis(*, as_of: date) -> None:
    """Delete the KPI rows of a day."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM strategy_kpiday WHERE day = %s", [as_of])


def _flow_kpis(as_of: date) -> list[dict[str, object]]:
    """Return portfolio_id, key, value: what was collected and whom a day's contacts were for; tasks open now."""
    payments = Payment.objects.filter(paid_date=as_of, reversed_at__isnull=True).order_by()
    collected = payments.values_list("portfolio_id").annotate(value=Sum("amount_minor"))
    contacts = Contact.objects.filter(planned_for=as_of).values_list("portfolio_id", "status")
    tasks = Task.objects.filter(status=Task.Status.OPEN).values_list("portfolio_id").annotate(value=Count("pk"))
    rows: list[dict[str, object]] = [
        {"portfolio_id": pk, "key": "collected_minor", "value": value} for pk, value in collected
    ]
    rows += [
        {"portfolio_id": pk, "key": f"contacts_{status.lower()}", "value": value}
        for pk, status, value in contacts.annotate(value=Count("pk"))
    ]
    rows += [{"portfolio_id": pk, "key": "tasks_open", "value": value} for pk, value in tasks]
    return rows


def _stock_kpis(duck: DuckDBPyConnection, classified: ir.Table) -> list[dict[str, object]]:
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
    return rows


def _kpi_rows(duck: DuckDBPyConnection, expression: ir.Table, *, prefix: str) -> list[dict[str, object]]:
    """Return the measures of an expression as one row each; `prefix` names the groups of `label`, '' for the whole."""
    # A row for each portfolio and group.
    wide = engine.run_statements(duck, [engine.compile_statement("answer", expression)], rows=engine.FEW_ROWS)["answer"]
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
