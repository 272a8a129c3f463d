"""The lock of a portfolio: one load at a time, and none while people of its creditor are erased.

A load compares the file with what it has read before it writes. Whoever were erased in between would come back.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection

from recobra.portfolio.models import Portfolio

from .refusals import LoadRefused

WAIT_SECONDS: Final = 60.0
"""How long a load waits for an erasure, which takes a second or two."""
_LOOK_SECONDS: Final = 0.1
# An advisory lock of two numbers stands in pg_locks by both of them, unsigned.
_IS_LOADING: Final = """
    SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND classid::bigint = hashtext('intake')::bigint & 4294967295 AND objid::bigint = %s AND objsubid = 2)"""
_HOLD_OFF: Final = """
    SELECT id FROM unnest(%s::integer[]) AS portfolio (id)
    WHERE NOT pg_try_advisory_xact_lock_shared(hashtext('intake'), id)"""


@contextmanager
def lock_portfolio(portfolio_id: int) -> Iterator[None]:
    """Hold the lock of a portfolio while the block lasts. Raises LoadRefused where another load has it."""
    give_up_at = time.monotonic() + WAIT_SECONDS
    while not _ask("SELECT pg_try_advisory_lock(hashtext('intake'), %s)", portfolio_id):
        if _ask(_IS_LOADING, portfolio_id) or time.monotonic() > give_up_at:
            raise LoadRefused("running")
        time.sleep(_LOOK_SECONDS)
    try:
        yield
    finally:
        _ask("SELECT pg_advisory_unlock(hashtext('intake'), %s)", portfolio_id)


def hold_off_loads(creditor_ids: Collection[int]) -> set[int]:
    """Keep loads of some creditors from beginning until the transaction ends; return those that have one under way."""
    creditors = dict(Portfolio.objects.filter(creditor__in=creditor_ids).values_list("pk", "creditor_id"))
    with connection.cursor() as cursor:
        cursor.execute(_HOLD_OFF, [list(creditors)])
        return {creditors[portfolio_id] for (portfolio_id,) in cursor.fetchall()}


def _ask(question: str, portfolio_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(question, [portfolio_id])
        (answer,) = cursor.fetchone()
    return bool(answer)
