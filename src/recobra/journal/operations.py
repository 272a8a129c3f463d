"""Public writes of the journal: facts, and the reactions that follow them in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic

import pyarrow as pa
from django.db import connection

from recobra.kit import tables

from . import facts as kinds
from .actor import Actor
from .facts import F, Fact


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a fact is about; a fact about the whole installation names nothing."""

    portfolio_id: int | None = None
    debtor_id: int | None = None
    account_id: int | None = None
    contact_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Recorded(Generic[F]):
    """Facts of one kind that became true together, as a reaction gets them.

    `subjects[i]` is what `facts[i]` is about.
    """

    actor: Actor
    subjects: list[Subject]
    facts: list[F]

    def __iter__(self) -> Iterator[tuple[Subject, F]]:
        """Yield each fact with its subject."""
        return zip(self.subjects, self.facts, strict=True)

    def debtor_ids(self) -> list[int]:
        """Return the debtors concerned, each once; a fact about an unknown person has none."""
        return list(dict.fromkeys(each.debtor_id for each in self.subjects if each.debtor_id is not None))

    def contact_ids(self) -> list[int]:
        """Return the contacts concerned, each once."""
        return list(dict.fromkeys(each.contact_id for each in self.subjects if each.contact_id is not None))


Reaction = Callable[[Recorded[F]], None]
_REACTIONS: dict[type[Fact], list[Reaction[Any]]] = {}
_SUBJECTS: Final = pa.schema(
    [
        ("portfolio_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("account_id", pa.int64()),
        ("contact_id", pa.int64()),
    ]
)


def react(kind: type[F], reaction: Reaction[F]) -> None:
    """Let a reaction follow all facts of a kind; called at start by `config.reactions`, which sees all apps.

    Raises TypeError for what is no kind of fact, so that a reaction that could never run does not start.
    """
    if kinds.declared_kinds().get(getattr(kind, "kind", "")) is not kind:
        raise TypeError(f"{kind!r} is no kind of fact: declare it with @fact in the facts.py of its app.")
    # Idempotent: Django may run ready() of an app more than once in a process.
    reactions = _REACTIONS.setdefault(kind, [])
    if reaction not in reactions:
        reactions.append(reaction)


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
    FactRefused for a row that does not fit the kind, RuntimeError outside a transaction.
    """
    nothing = pa.nulls(rows.num_rows, pa.int64())
    columns = {name: rows[name] if name in rows.column_names else nothing for name in _SUBJECTS.names}
    fields = rows.drop_columns([name for name in _SUBJECTS.names if name in rows.column_names])
    facts = [kinds.make(kind, each) for each in fields.to_pylist()]
    _write(kind, facts, pa.table(columns).cast(_SUBJECTS), actor=actor, version=version)


def _write(kind: type[F], facts: list[F], subjects: pa.Table, *, actor: Actor, version: str) -> None:
    """Write facts and run their reactions, in the caller's transaction: one that fails undoes the facts."""
    if not connection.in_atomic_block:
        raise RuntimeError(f"The fact {kind.kind} must be recorded inside the transaction that makes it true.")
    if not facts:
        return
    count = len(facts)
    # The digest is written by a trigger.
    columns = {
        "at": pa.array([actor.now] * count, pa.timestamp("us", tz="UTC")),
        "kind": pa.array([kind.kind] * count),
        "actor": pa.array([actor.name] * count),
        "actor_id": pa.array([actor.user_id] * count, pa.int64()),
        "version": pa.array([version] * count),
        **{name: subjects[name] for name in _SUBJECTS.names},
        "payload": pa.array([kinds.dump(each) for each in facts], pa.string()),
    }
    with connection.cursor() as cursor:
        # The table is partitioned by month; the first fact of one opens it.
        cursor.execute("SELECT journal_open_month(%s)", [actor.now.date()])
    tables.copy_in("journal_entry", pa.table(columns))
    reactions = _REACTIONS.get(kind, [])
    if reactions:
        # Most facts of a night have none, and a million of them need no objects.
        recorded = Recorded(actor=actor, subjects=[Subject(**each) for each in subjects.to_pylist()], facts=facts)
        for reaction in reactions:
            reaction(recorded)
