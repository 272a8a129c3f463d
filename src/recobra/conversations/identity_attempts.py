"""Wrong answers to the identity question, counted per debtor over all the places that ask it.

The page of the statement, the bot and the automatic call ask for the same four figures: were each to count its own,
somebody who guesses would have the tries of all three.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.conversations.facts import IdentityRefused, StatementRefused
from recobra.conversations.models import IdentityAttempt
from recobra.journal.operations import record_fact
from recobra.portfolio.identity import MAX_TRIES

ATTEMPT_WINDOW: Final = timedelta(hours=24)
_LOCK_SEED: Final = 7


def lock_attempts(debtor_ids: Iterable[int]) -> None:
    """Lock the attempts about these debtors until commit, so that simultaneous answers are counted one by one."""
    with connection.cursor() as cursor:
        # Sorted, or two transactions about the same debtors could each wait for the other. The seed keeps these locks
        # apart from those of other modules.
        for debtor_id in sorted(set(debtor_ids)):
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [f"identity {debtor_id}", _LOCK_SEED]
            )


def recent_wrong_answers(debtor_id: int, *, now: datetime) -> list[IdentityAttempt]:
    """Return the wrong answers about a debtor within the window, at most MAX_TRIES."""
    attempts = IdentityAttempt.objects.filter(debtor=debtor_id, at__gte=now - ATTEMPT_WINDOW)
    return list(attempts.order_by("-id")[:MAX_TRIES])


def is_exhausted(debtor_id: int, *, now: datetime) -> bool:
    """Return whether a debtor has no tries left."""
    return len(recent_wrong_answers(debtor_id, now=now)) >= MAX_TRIES


@consequence
def record_wrong_answer(
    fact: IdentityRefused | StatementRefused,
    *,
    debtor_id: int,
    portfolio_id: int | None,
    contact_id: int | None = None,
    actor: Actor,
) -> None:
    """Count a wrong answer against a debtor and record it; the fact says where it was given."""
    turn = fact.turn if isinstance(fact, IdentityRefused) else ""
    IdentityAttempt.objects.create(debtor_id=debtor_id, contact_id=contact_id, turn=turn, at=actor.now)
    record_fact(fact, actor=actor, portfolio_id=portfolio_id, debtor_id=debtor_id, contact_id=contact_id)
