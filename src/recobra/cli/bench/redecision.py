"""How long deciding again for one debtor takes, by what is due, and where the time goes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from django.db import connection

from recobra.access.actors import Actor, Service, service_actor
from recobra.kit import engine
from recobra.strategy import operations as strategy

REDECISIONS: Final = 20
"""Debtors of each kind whose median is told."""
_MAX_TRIED: Final = 1_000
# A multiple of the golden ratio falls evenly over a range, however many are taken.
_STRIDE: Final = 0.6180339887


def measure_redecision(now: datetime) -> dict[str, float]:
    """Decide again for debtors from all over the portfolio, until there are enough of each kind.

    Returns the medians of the milliseconds: `redecide_idle_ms` where nothing is due, `redecide_due_ms` where something
    is, and of each the parts `…_postgres_ms` (waiting for the database), `…_duckdb_ms` and `…_rest_ms`. 0 where no
    debtor is of the kind.
    """
    actor = service_actor(Service.BENCH, now=now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(debtor_id), max(debtor_id) FROM portfolio_account")
        low, high = cursor.fetchone()
    samples: dict[str, list[tuple[float, float, float]]] = {"idle": [], "due": []}
    for number in range(_MAX_TRIED):
        debtor_id = low + int((high - low) * (number * _STRIDE % 1))
        kind, sample = _measure_debtor(debtor_id, actor)
        # One more than needed: the first of each kind prepares the statements, and does not count.
        if len(samples[kind]) <= REDECISIONS:
            samples[kind].append(sample)
        if all(len(kept) > REDECISIONS for kept in samples.values()):
            break
    return {name: value for kind, kept in samples.items() for name, value in _describe_kind(kind, kept[1:]).items()}


def _describe_kind(kind: str, samples: list[tuple[float, float, float]]) -> dict[str, float]:
    """Return the medians of a kind's samples by the name of the figure."""
    names = ("_ms", "_postgres_ms", "_duckdb_ms", "_rest_ms")
    rows = [(whole, postgres, duckdb, whole - postgres - duckdb) for whole, postgres, duckdb in samples]
    columns = zip(*rows, strict=True) if rows else ([0.0],) * len(names)
    medians = [round(1000 * statistics.median(column), 1) for column in columns]
    return {f"redecide_{kind}{name}": median for name, median in zip(names, medians, strict=True)}


def _measure_debtor(debtor_id: int, actor: Actor) -> tuple[str, tuple[float, float, float]]:
    """Decide again for one debtor; return the kind, and the seconds in all, in PostgreSQL and in DuckDB."""
    waited: list[float] = []
    computed: list[float] = []
    kinds: list[str] = []

    def note_kind(decided: object) -> None:
        if isinstance(decided, dict) and "contacts" in decided:
            kinds.append("due")

    begin = time.perf_counter()
    with (
        # Everything that psycopg waits for goes through `wait`, COPY too.
        _timed(connection.connection, "wait", waited),
        _timed(engine.PreparedStatements, "run", computed, then=note_kind),
    ):
        strategy.redecide_debtors(debtor_ids=[debtor_id], actor=actor)
    whole = time.perf_counter() - begin
    return ("due" if kinds else "idle"), (whole, sum(waited), sum(computed))


@contextmanager
def _timed(
    owner: object, name: str, seconds: list[float], *, then: Callable[[object], None] | None = None
) -> Iterator[None]:
    """Time the calls of a method inside the block; `then` gets what each returns."""
    method = getattr(owner, name)

    def timed(*arguments: object, **keywords: object) -> object:
        begin = time.perf_counter()
        try:
            result = method(*arguments, **keywords)
        finally:
            seconds.append(time.perf_counter() - begin)
        if then is not None:
            then(result)
        return result

    setattr(owner, name, timed)
    try:
        yield
    finally:
        setattr(owner, name, method)
