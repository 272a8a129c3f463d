"""The tables of a snapshot as Parquet, which both engines read alike.

Spark takes tables in memory through pandas, where an unknown text becomes 'NaN' and an unknown whole number a NaN.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from recobra_core.decide.tables import FIRINGS
from recobra_core.law import HISTORY, OpeningKey, build_caps, build_openings

Row = Mapping[str, Any]

STATES = ibis.schema(
    {
        "account_id": "int64",
        "stage": "string",
        "stage_since": "date",
        "cycle_date": "date",
        "bucket": "string",
        "segment": "string",
        "balance_minor": "int64",
        "overdue_minor": "int64",
        "oldest_due_date": "date",
        "next_due_date": "date",
    }
)
FACTS: Mapping[str, ibis.Schema] = {
    "accounts": ibis.schema(
        {
            "account_id": "int64",
            "debtor_id": "int64",
            "portfolio_id": "int64",
            "product": "string",
            "opened_date": "date",
            "attr_branch": "string",
            "attr_score": "int64",
        }
    ),
    "items": ibis.schema({"account_id": "int64", "due_date": "date", "open_minor": "int64"}),
    "debtors": ibis.schema(
        {
            "debtor_id": "int64",
            "creditor_id": "int64",
            "debtor_kind": "string",
            "country": "string",
            "subdivision": "string",
            "zones": "string",
        }
    ),
    "portfolios": ibis.schema(
        {
            "portfolio_id": "int64",
            "portfolio": "string",
            "currency": "string",
            "currency_exponent": "int64",
            "active": "boolean",
        }
    ),
    "points": ibis.schema(
        {
            "contact_point_id": "int64",
            "debtor_id": "int64",
            "kind": "string",
            "line": "string",
            "valid": "boolean",
            "opted_out": "boolean",
            "consent": "string",
            "quality": "int64",
            "place": "string",
            "unusable_for": "array<string>",
            "granted_for": "array<string>",
            "denied_for": "array<string>",
            "preferred_channel": "string",
        }
    ),
    "holds": ibis.schema({"debtor_id": "int64", "account_id": "int64", "reason": "string", "disputed_minor": "int64"}),
    "events": ibis.schema(
        {
            "debtor_id": "int64",
            "last_payment_on": "date",
            "payments_90d": "int64",
            "last_promise_on": "date",
            "last_dispute_on": "date",
            "last_reply_on": "date",
        }
    ),
    "history": HISTORY,
    "states": STATES,
    "firings": ibis.schema(dict(FIRINGS) | {"strategy_code": "string"}),
    "planned": ibis.schema({"debtor_id": "int64", "channel": "string"}),
}
TEMPLATES = ibis.schema({"template_code": "string", "channel": "string"})


def write(
    folder: Path, rows: Mapping[str, Iterable[Row]], *, templates: Iterable[str], channels: Iterable[str], as_of: date
) -> None:
    """Write the facts and what the day needs beside them: templates of every channel, opening hours, caps."""
    kept = {name: list(rows.get(name, ())) for name in FACTS}
    for name, schema in FACTS.items():
        _write_rows(folder / f"{name}.parquet", kept[name], schema)
    ways = [{"template_code": code, "channel": channel} for code in sorted(templates) for channel in channels]
    _write_rows(folder / "templates.parquet", ways, TEMPLATES)
    places = {(row.get("country"), row.get("subdivision"), row.get("zones")) for row in kept["debtors"]}
    keys = [OpeningKey(*place, channel, as_of) for place in sorted(places, key=repr) for channel in channels]
    pq.write_table(build_openings(keys=keys).to_pyarrow(), folder / "openings.parquet")
    pq.write_table(build_caps(day=as_of).to_pyarrow(), folder / "caps.parquet")


def _write_rows(path: Path, rows: Iterable[Row], schema: ibis.Schema) -> None:
    told = [{name: row.get(name) for name in schema} for row in rows]
    pq.write_table(pa.Table.from_pylist(told, schema=schema.to_pyarrow()), path)
