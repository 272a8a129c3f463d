"""Public writes of the journal: facts, and the reactions that follow them in the same transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

import pyarrow as pa
from django.db import connection

from recobra.kit import tables

from . import facts as kinds
from .actor import Actor
from .facts import F, Fact

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


TypedReaction = Callable[[Recorded[F]], None]
_TYPED_REACTIONS: dict[type[Fact], list[TypedReaction[Any]]] = {}
_SUBJECT_NAMES = [name for name in SUBJECTS.names if name != "payload"]


def react(kind: type[F], reaction: TypedReaction[F]) -> None:
    """Let a reaction follow all facts of a kind; called at start by `config.reactions`, which sees all apps.

    Raises TypeError for what is no kind of fact, so that a reaction that could never run does not start.
    """
    if kinds.declared_kinds().get(getattr(kind, "kind", "")) is not kind:
        raise TypeError(f"{kind!r} is no kind of fact: declare it with @fact in the facts.py of its app.")
    # Idempotent: Django may run ready() of an app more than once in a process.
    reactions = _TYPED_REACTIONS.setdefault(kind, [])
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
    subject = Subject(portfolio_id=portfolio_id, debtor_id=debtor_id, account_id=account_id, contact_id=contact_id)
    _write(type(fact), Recorded(actor=actor, subjects=[subject], facts=[fact]), version)


def record_facts(kind: type[F], rows: pa.Table, *, actor: Actor, version: str = "") -> None:
    """Write one fact of a kind for each row and run the reactions once.

    `rows`: any of portfolio_id, debtor_id, account_id and contact_id, and a column for each field of the kind. Raises
    FactRefused for a row that does not fit the kind, RuntimeError outside a transaction.
    """
    subject_names = [name for name in _SUBJECT_NAMES if name in rows.column_names]
    subjects = [Subject(**subject) for subject in rows.select(subject_names).to_pylist()]
    payloads = rows.drop_columns(subject_names).to_pylist()
    _write(kind, Recorded(actor=actor, subjects=subjects, facts=[kinds.make(kind, each) for each in payloads]), version)


def _write(kind: type[Fact], recorded: Recorded[Any], version: str) -> None:
    """Write facts and run their reactions, in the caller's transaction: one that fails undoes the facts."""
    if not connection.in_atomic_block:
        raise RuntimeError(f"The fact {kind.kind} must be recorded inside the transaction that makes it true.")
    if not recorded.facts:
        return
    actor = recorded.actor
    subjects = {
        name: pa.array([getattr(each, name) for each in recorded.subjects], pa.int64()) for name in _SUBJECT_NAMES
    }
    payload = pa.array([kinds.dump(each) for each in recorded.facts], pa.string())
    rows = pa.table({**subjects, "payload": payload})
    _insert(Facts(kind=kind.kind, at=actor.now, actor=actor.name, actor_id=actor.user_id, version=version, rows=rows))
    for reaction in _TYPED_REACTIONS.get(kind, []):
        reaction(recorded)


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


# What follows is the old way, which goes with its last caller: kinds as text, payloads as JSON, actors as names.
def record_all(facts: Facts) -> None:
    """Write facts and run their reactions. Raises RuntimeError outside a transaction."""
    if not connection.in_atomic_block:
        raise RuntimeError(f"The fact {facts.kind} must be recorded inside the transaction that makes it true.")
    if facts.rows.num_rows == 0:
        return
    _insert(facts)
    kind = kinds.declared_kinds().get(facts.kind)
    typed = _TYPED_REACTIONS.get(kind, []) if kind else []
    if typed:
        rows = facts.rows.to_pylist()
        recorded = Recorded(
            actor=Actor(name=facts.actor, user_id=facts.actor_id, now=facts.at, rights=frozenset()),
            subjects=[Subject(**{name: row.get(name) for name in _SUBJECT_NAMES}) for row in rows],
            facts=[kinds.load(facts.kind, row.get("payload") or "{}") for row in rows],
        )
        for reaction in typed:
            reaction(recorded)


def _insert(facts: Facts) -> None:
    """Write the rows of the journal and run the reactions that read payloads as text."""
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
