"""Judged candidates as contacts of the outbox, for the daily cycle and for campaigns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from recobra.messaging.outbox.plan import PLANNED, PLANNED_OPTIONAL

INSTANT = pa.timestamp("us", tz="UTC")


def build_outbox_rows(
    judged: pa.Table, *, as_of: date, now: datetime, due_at: pa.ChunkedArray, constants: Mapping[str, object]
) -> pa.Table:
    """Return judged candidates as `messaging.plan_contacts` takes them; a candidate that is not allowed is BLOCKED.

    `due_at` is when each may leave (`in_utc`), now where that is null. `constants` are columns of PLANNED
    and PLANNED_OPTIONAL that have one value for all rows, in place of the candidate's own.
    """
    columns = {
        "debtor_id": judged["debtor_id"],
        "portfolio_id": judged["portfolio_id"],
        "point_id": judged["contact_point_id"],
        "channel": judged["channel"],
        "template_code": judged["template_code"],
        "step_key": judged["lead_step_key"],
        "status": pc.if_else(judged["allowed"], "DUE", "BLOCKED"),
        "due_at": pc.coalesce(due_at, pa.scalar(now, INSTANT)),
        "closes_at": in_utc(judged["closes_at"]),
        "zones": judged["zones"],
        "reason": pc.coalesce(judged["reason"], ""),
        "rule": pc.coalesce(judged["rule"], ""),
        "article": pc.coalesce(judged["source"], ""),
        "purpose": judged["purpose"],
    }
    kinds = pa.schema([*PLANNED, *PLANNED_OPTIONAL])
    for name, value in {"planned_for": as_of, **constants}.items():
        columns[name] = pa.repeat(pa.scalar(value, kinds.field(name).type), judged.num_rows)
    return pa.table(columns)


def in_utc(instants: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return instants of the core with their zone: it counts in UTC without saying so."""
    return instants.cast(pa.timestamp("us")).cast(INSTANT)
