"""Accounts, firings and contact points as a test tells them: only what the case is about."""

import gc
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends import BaseBackend

from recobra_core.decide.tables import ACCOUNTS, FIRINGS

TODAY = date(2026, 11, 22)

_FILES = TemporaryDirectory(prefix="decide-")
_NUMBERS = count()

PORTFOLIO = ibis.schema(
    dict(ACCOUNTS)
    | {
        "creditor_id": "int64",
        "currency": "string",
        "country": "string",
        "subdivision": "string",
        "zones": "string",
        "product": "string",
        "days_since_contact": "int64",
    }
)
POINTS = ibis.schema(
    {
        "contact_point_id": "int64",
        "debtor_id": "int64",
        "channel": "string",
        "valid": "boolean",
        "opted_out": "boolean",
        "consent": "string",
        "quality": "int64",
        "rank": "int64",
        "place": "string",
        "preferred": "boolean",
    }
)
TEMPLATES = ibis.schema({"template_code": "string", "channel": "string"})

ORDINARY_ACCOUNT: Mapping[str, Any] = {
    "account_id": 1,
    "debtor_id": 1,
    "portfolio_id": 1,
    "creditor_id": 1,
    "dpd": 10,
    "overdue_minor": 150_000,
    "balance_minor": 400_000,
    "currency_exponent": 2,
    "currency": "PEN",
    "cycle_date": date(2026, 11, 12),
    "stage": "ADMINISTRATIVE",
    "segment": "general",
    "held": False,
    "country": "PE",
    "product": "LOAN",
}
ORDINARY_POINT: Mapping[str, Any] = {"debtor_id": 1, "channel": "email", "valid": True, "opted_out": False, "rank": 1}


def table(engine: BaseBackend, rows: Iterable[Mapping[str, Any]], schema: ibis.Schema) -> ir.Table:
    """Return rows as a table of the engine; a column that a row does not tell is null."""
    arrow = arrow_table(rows, schema)
    if engine.name == "duckdb":
        return ibis.memtable(arrow)
    # Spark's client takes tables through pandas, where an unknown whole number becomes a NaN.
    path = Path(_FILES.name) / f"{next(_NUMBERS)}.parquet"
    pq.write_table(arrow, path)
    with _quiet(engine):
        return engine.read_parquet(path)


def arrow_table(rows: Iterable[Mapping[str, Any]], schema: ibis.Schema) -> pa.Table:
    """Return rows as an Arrow table; a column that a row does not tell is null."""
    told = [{name: row.get(name) for name in schema} for row in rows]
    return pa.Table.from_pylist(told, schema=schema.to_pyarrow())


def accounts(engine: BaseBackend, rows: Iterable[Mapping[str, Any]]) -> ir.Table:
    return table(engine, ({**ORDINARY_ACCOUNT, **row} for row in rows), PORTFOLIO)


def firings(engine: BaseBackend, rows: Iterable[Mapping[str, Any]]) -> ir.Table:
    return table(engine, rows, FIRINGS)


def points(engine: BaseBackend, rows: Iterable[Mapping[str, Any]]) -> ir.Table:
    numbered = ({"contact_point_id": at, **ORDINARY_POINT, **row} for at, row in enumerate(rows, start=1))
    return table(engine, numbered, POINTS)


def templates(engine: BaseBackend, *codes: str, channels: tuple[str, ...] = ("email", "sms")) -> ir.Table:
    rows = [{"template_code": code, "channel": channel} for code in codes for channel in channels]
    return table(engine, rows, TEMPLATES)


def read(engine: BaseBackend, expression: ir.Table) -> list[dict[str, Any]]:
    with _quiet(engine):
        rows: list[dict[str, Any]] = engine.to_pyarrow(expression).to_pylist()
    return rows


def kept(engine: BaseBackend, expression: ir.Table) -> ir.Table:
    """Evaluate once and go on with the rows, as the daily cycle does between its steps."""
    return table(engine, read(engine, expression), expression.schema())


@contextmanager
def _quiet(engine: BaseBackend) -> Iterator[None]:
    """Spark's client warns of its own insides and leaves sockets to the collector; DuckDB has no excuse."""
    if engine.name == "duckdb":
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
        gc.collect()
