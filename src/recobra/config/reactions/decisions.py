"""Reactions that let a strategy decide anew."""

from __future__ import annotations

from recobra.journal.facts import F
from recobra.journal.reactions import Recorded
from recobra.strategy import operations as strategy
from recobra.strategy.operations.redecide import REDECIDE_LIMIT

from .planned import without_planned


def void_firings(recorded: Recorded[F]) -> None:
    """Let the steps of contacts that were cancelled or blocked fire again."""
    strategy.void_firings(contact_ids=recorded.contact_ids(), actor=recorded.actor)


def redecide_debtors(recorded: Recorded[F]) -> None:
    """Decide at once for the debtors of a fact; those of a whole load wait for the cycle that follows it."""
    debtor_ids = without_planned(recorded).debtor_ids()
    if 0 < len(debtor_ids) <= REDECIDE_LIMIT:
        strategy.redecide_debtors(debtor_ids=debtor_ids, actor=recorded.actor)
