"""Wrong answers to the identity question, counted per debtor over all the places that ask it.

The page of the statement, the bot and the automatic call ask for the same four figures: were each to count its own,
somebody who guesses would have the tries of all three.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from recobra.journal.models import Entry
from recobra.journal.operations import record
from recobra.journal.queries import audit_entries
from recobra.portfolio.identity import MAX_TRIES

ATTEMPT_WINDOW: Final = timedelta(hours=24)
_LOCK_SEED: Final = 7
WRONG_ANSWER: Final = "identity.refused"
WRONG_PAGE_ANSWER: Final = "statement.refused"


def lock_attempts(debtor_ids: Iterable[int]) -> None:
    """Lock the attempts about these debtors until commit, so that simultaneous answers are counted one by one."""
    with connection.cursor() as cursor:
        # Sorted, or two transactions about the same debtors could each wait for the other. The seed keeps these locks
        # apart from those of other modules.
        for debtor_id in sorted(set(debtor_ids)):
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [f"identity {debtor_id}", _LOCK_SEED]
            )


def recent_wrong_answers(debtor_id: int, *, now: datetime) -> list[Entry]:
    """Return the wrong answers about a debtor within the window, at most MAX_TRIES."""
    kinds = [WRONG_ANSWER, WRONG_PAGE_ANSWER]
    return audit_entries(
        portfolio_ids=None, kinds=kinds, debtor_id=debtor_id, since=now - ATTEMPT_WINDOW, limit=MAX_TRIES
    )


def is_exhausted(debtor_id: int, *, now: datetime) -> bool:
    """Return whether a debtor has no tries left."""
    return len(recent_wrong_answers(debtor_id, now=now)) >= MAX_TRIES


def record_wrong_answer(
    *,
    debtor_id: int,
    portfolio_id: int | None,
    channel: str,
    now: datetime,
    contact_id: int | None = None,
    turn: str = "",
) -> None:
    """Record a wrong answer; `turn` identifies a turn of a call, which the provider may repeat."""
    record(
        WRONG_ANSWER,
        at=now,
        actor="debtor",
        portfolio_id=portfolio_id,
        debtor_id=debtor_id,
        contact_id=contact_id,
        payload={"channel": channel, "turn": turn},
    )
