"""Public writes of the journal: facts, and the reactions that follow them in the same transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import pyarrow as pa
from django.db import connection

from recobra.kit import tables

from . import facts as kinds
from .actor import Actor
from .facts import F, Fact, FactRefused
from .reactions import Recorded, Subject, reactions_to

PAYLOAD_CHARACTERS_MAX: Final = 16_000
"""The journal is kept for ever and forgets nobody: texts, which may name a person, lie in rows of their own."""
_SUBJECTS: Final = pa.schema(
    [
        ("portfolio_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("account_id", pa.int64()),
        ("contact_id", pa.int64()),
    ]
)


def record_fact(
    fact: Fact,
    *,
    actor: Actor,
    portfolio_id: int | None = None,
    debtor_id: int | None = None,
    account_id: int | None = None,
    contact_id: int | None = None,
    version: str = "",
) -> None:
    """Write one fact and run its reactions. Raises RuntimeError outside a transaction."""
    subject = {
        "portfolio_id": portfolio_id,
        "debtor_id": debtor_id,
        "account_id": account_id,
        "contact_id": contact_id,
    }
    subjects = pa.Table.from_pylist([subject], schema=_SUBJECTS)
    _write(type(fact), [fact], subjects, actor=actor, version=version)


def record_facts(kind: type[F], rows: pa.Table, *, actor: Actor, version: str = "") -> None:
    """Write one fact of a kind for each row and run the reactions once.

    `rows`: any of portfolio_id, debtor_id, account_id and contact_id, and a column for each field of the kind. Raises
    FactRefused for a row that does not fit the kind or is too long, RuntimeError outside a transaction.
    """
    nothing = pa.nulls(rows.num_rows, pa.int64())
    columns = {name: rows[name] if name in rows.column_names else nothing for name in _SUBJECTS.names}
    fields = rows.drop_columns([name for name in _SUBJECTS.names if name in rows.column_names])
    facts = [kinds.make(kind, each) for each in fields.to_pylist()]
    _write(kind, facts, pa.table(columns).cast(_SUBJECTS), actor=actor, version=version)


def open_coming_month(*, now: datetime) -> None:
    """Make the partition of the month after an instant, unless the journal is in use: the next try does it then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT journal_open_month((date_trunc('month', %s::date) + interval '1 month')::date)", [now])


def _write(kind: type[F], facts: list[F], subjects: pa.Table, *, actor: Actor, version: str) -> None:
    """Write facts and run their reactions, in the caller's transaction: one that fails undoes the facts."""
    if not connection.in_atomic_block:
        raise RuntimeError(f"The fact {kind.kind} must be recorded inside the transaction that makes it true.")
    if not facts:
        return
    count = len(facts)
    payloads = [kinds.dump(each) for each in facts]
    if max(map(len, payloads)) > PAYLOAD_CHARACTERS_MAX:
        raise FactRefused(f"The fact «{kind.kind}» is too long: it holds a text, or a list without an end.")
    # The digest is written by a trigger.
    columns = {
        "at": pa.array([actor.now] * count, pa.timestamp("us", tz="UTC")),
        "kind": pa.array([kind.kind] * count),
        "actor": pa.array([actor.name] * count),
        "actor_id": pa.array([actor.user_id] * count, pa.int64()),
        "version": pa.array([version] * count),
        **{name: subjects[name] for name in _SUBJECTS.names},
        "payload": pa.array(payloads, pa.string()),
    }
    with connection.cursor() as cursor:
        # The table is partitioned by month; the first fact of one opens it.
        cursor.execute("SELECT journal_open_month(%s)", [actor.now.date()])
    tables.copy_in("journal_entry", pa.table(columns))
    reactions = reactions_to(kind)
    if reactions:
        # Most facts of a night have none, and a million of them need no objects.
        recorded = Recorded(actor=actor, subjects=[Subject(**each) for each in subjects.to_pylist()], facts=facts)
        for reaction in reactions:
            reaction(recorded)
