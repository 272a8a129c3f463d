"""Public writes of the journal: facts, and the reactions that follow them in the same transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from django.db import connection

from recobra.kit import tables

SUBJECTS = pa.schema(
    [
        ("portfolio_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("account_id", pa.int64()),
        ("contact_id", pa.int64()),
        ("payload", pa.string()),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Facts of one kind that became true together, one for each row of `rows` (columns: any of SUBJECTS).

    `payload` is JSON text with ids, amounts and codes, never personal data.
    """

    kind: str
    at: datetime
    actor: str
    rows: pa.Table
    actor_id: int | None = None
    version: str = ""

    def debtor_ids(self) -> list[int]:
        """Return the debtors concerned, each once; a fact about an unknown person has none."""
        if "debtor_id" not in self.rows.column_names:
            return []
        return [pk for pk in self.rows["debtor_id"].unique().to_pylist() if pk is not None]


Reaction = Callable[[Facts], None]
_REACTIONS: dict[str, list[Reaction]] = {}


def register_reaction(kind: str, reaction: Reaction) -> None:
    """Let a reaction follow all facts of a kind; called at start by `config.reactions`, which sees all apps."""
    # Idempotent: Django may run ready() of an app more than once in a process.
    reactions = _REACTIONS.setdefault(kind, [])
    if reaction not in reactions:
        reactions.append(reaction)


def record_all(facts: Facts) -> None:
    """Write facts and run their reactions. Raises RuntimeError outside a transaction."""
    if not connection.in_atomic_block:
        raise RuntimeError(f"The fact {facts.kind} must be recorded inside the transaction that makes it true.")
    if facts.rows.num_rows == 0:
        return
    with connection.cursor() as cursor:
        # The table is partitioned by month; the first fact of one opens it.
        cursor.execute("SELECT journal_open_month(%s)", [facts.at.date()])
    tables.copy_in("journal_entry", _entry_rows(facts))
    # One that fails undoes the fact: both are in the caller's transaction.
    for reaction in _REACTIONS.get(facts.kind, []):
        reaction(facts)


def record(
    kind: str,
    *,
    at: datetime,
    actor: str,
    actor_id: int | None = None,
    portfolio_id: int | None = None,
    debtor_id: int | None = None,
    account_id: int | None = None,
    contact_id: int | None = None,
    version: str = "",
    payload: Mapping[str, Any] | None = None,
) -> None:
    """Write one fact and run its reactions. Raises RuntimeError outside a transaction."""
    subject = {
        "portfolio_id": portfolio_id,
        "debtor_id": debtor_id,
        "account_id": account_id,
        "contact_id": contact_id,
        "payload": json.dumps(dict(payload or {}), default=str),
    }
    rows = pa.Table.from_pylist([subject], schema=SUBJECTS)
    record_all(Facts(kind=kind, at=at, actor=actor, actor_id=actor_id, version=version, rows=rows))


def _entry_rows(facts: Facts) -> pa.Table:
    """Return the rows of `journal_entry`, without the digest, which a trigger writes."""
    count = facts.rows.num_rows
    constants = {
        "at": pa.array([facts.at] * count, pa.timestamp("us", tz="UTC")),
        "kind": pa.array([facts.kind] * count),
        "actor": pa.array([facts.actor] * count),
        "actor_id": pa.array([facts.actor_id] * count, pa.int64()),
        "version": pa.array([facts.version] * count),
    }
    subjects = {name: facts.rows[name] for name in SUBJECTS.names if name in facts.rows.column_names}
    return pa.table({**constants, **subjects})
