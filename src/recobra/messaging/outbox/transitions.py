"""How contacts end, many at a time: the row says why, and the journal keeps the fact."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from recobra.journal.operations import Facts, record_all
from recobra.kit import tables

ENDED = pa.schema(
    [
        ("contact_id", pa.int64()),
        ("portfolio_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("channel", pa.string()),
        ("step_key", pa.string()),
        ("reason", pa.string()),
    ]
)
RETURNING = "c.id, c.portfolio_id, c.debtor_id, c.channel, c.step_key, c.reason"


def change(statement: str, parameters: Sequence[object]) -> pa.Table:
    """Run an UPDATE or INSERT of contacts that ends in `RETURNING {RETURNING}`; return its rows (schema ENDED)."""
    return tables.fetch(statement, parameters, ENDED)


def record_ends(kind: str, ended: pa.Table, *, at: datetime, actor: str, actor_id: int | None = None) -> int:
    """Write one fact per contact of `ended` (schema ENDED) and return how many."""
    payload = [
        json.dumps({"channel": row["channel"], "step": row["step_key"], "reason": row["reason"]})
        for row in ended.select(["channel", "step_key", "reason"]).to_pylist()
    ]
    rows = ended.select(["contact_id", "portfolio_id", "debtor_id"]).append_column(
        "payload", pa.array(payload, pa.string())
    )
    record_all(Facts(kind=kind, at=at, actor=actor, actor_id=actor_id, rows=rows))
    return ended.num_rows
