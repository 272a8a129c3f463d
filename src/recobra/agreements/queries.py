"""Read access to promises, each with its state by the payments."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import pyarrow.compute as pc

from recobra.access.queries import User
from recobra.agreements.models import Promise
from recobra.agreements.snapshot import LINES, PAID, read_lines, read_money
from recobra.kit import engine
from recobra.portfolio.models import Debtor
from recobra.portfolio.queries import portfolios_for
from recobra_core.money.commitments import State, judge_commitments

_USER = "agreements"


@dataclass(frozen=True, kw_only=True)
class JudgedPromise:
    """A promise with what the payments say of it at the end of a day; `last_paid_on` is None where nothing came."""

    promise: Promise
    state: State
    paid_minor: int
    last_paid_on: date | None

    @property
    def missing_minor(self) -> int:
        """What is still to come."""
        return self.promise.amount_minor - self.paid_minor


def judge_promises(debtor_ids: Collection[int], *, as_of: date) -> list[JudgedPromise]:
    """Return all promises of some debtors with their states at the end of a day, newest first."""
    lines = read_lines(debtor_ids)
    if lines.num_rows == 0:
        return []
    money = read_money(debtor_ids)
    statement = _compile_judgement(as_of, pc.max(lines["rank"]).as_py())
    with engine.duckdb_for_rows(lines.num_rows + money.num_rows, user=_USER) as duck:
        engine.register_tables(duck, {"lines": lines, "money": money})
        judged = engine.run_statements(duck, [statement])["judged"].to_pylist()
    promises = Promise.objects.in_bulk([row["commitment_id"] for row in judged])
    found = [
        JudgedPromise(
            promise=promises[row["commitment_id"]],
            state=row["state"],
            paid_minor=row["paid_minor"],
            last_paid_on=row["last_paid_day"],
        )
        for row in judged
    ]
    return sorted(found, key=lambda judged: (judged.promise.registered_at, judged.promise.pk), reverse=True)


def promises_for(user: User, debtor: Debtor, *, as_of: date) -> Sequence[JudgedPromise]:
    """Return a debtor's promises in the portfolios that the user may see, with their states, newest first."""
    portfolios = {portfolio.pk: portfolio for portfolio in portfolios_for(user)}
    # Judged before they are narrowed: money that a promise elsewhere took does not count here.
    visible = [
        judged for judged in judge_promises([debtor.pk], as_of=as_of) if judged.promise.portfolio_id in portfolios
    ]
    for judged in visible:
        judged.promise.portfolio = portfolios[judged.promise.portfolio_id]
    return visible


def open_promise(debtor_id: int, *, as_of: date) -> Promise | None:
    """Return the pending promise of a debtor that is promised for the latest day, None without one."""
    pending = [judged.promise for judged in judge_promises([debtor_id], as_of=as_of) if judged.state == "PENDING"]
    return max(pending, key=lambda promise: promise.promised_on, default=None)


@lru_cache(maxsize=64)
def _compile_judgement(as_of: date, rank_max: int) -> engine.Statement:
    """Return the statement `judged` over the tables `lines` and `money`."""
    judged = judge_commitments(
        engine.source_table("lines", LINES), engine.source_table("money", PAID), as_of=as_of, rank_max=rank_max
    )
    return engine.compile_statement("judged", judged)
