"""Fact -> operations: the one place that sees all apps at once."""

from __future__ import annotations

from recobra.contact import operations as contact
from recobra.journal.operations import Facts, react
from recobra.strategy import operations as strategy
from recobra.strategy.operations.redecide import FEW


def connect() -> None:
    """Register what follows from each kind of fact, in order."""
    react("payment.recorded", _cancel_pursuit)
    for kind in ("contact.cancelled", "contact.blocked"):
        react(kind, _let_steps_fire_again)
    react("load.done", _carry_wishes_over)
    react("conversation.received", _pause_for_the_answer)
    for kind in ("payment.recorded", "payment.reversed", "hold.placed", "hold.lifted", "conversation.received"):
        react(kind, _decide_again)


def _cancel_pursuit(facts: Facts) -> None:
    debtors = facts.debtor_ids()
    strategy.share_decisions(debtor_ids=debtors if len(debtors) <= FEW else ())
    contact.cancel_planned(debtor_ids=debtors, reason="payment", at=facts.at, actor=facts.actor)


def _carry_wishes_over(_facts: Facts) -> None:
    """What was said of a number before holds for the points that a load has just brought."""
    contact.carry_over()


def _pause_for_the_answer(facts: Facts) -> None:
    """Who has just written is answered first: no message that was planned before comes in between."""
    debtors = facts.debtor_ids()
    strategy.share_decisions(debtor_ids=debtors)
    contact.cancel_planned(debtor_ids=debtors, reason="replied", but_answers=True, at=facts.at, actor=facts.actor)


def _let_steps_fire_again(facts: Facts) -> None:
    strategy.void_firings(contact_ids=facts.rows["contact_id"].to_pylist(), now=facts.at)


def _decide_again(facts: Facts) -> None:
    """Decide at once for the debtors of a fact; those of a whole load wait for the cycle that follows it."""
    debtors = facts.debtor_ids()
    if facts.actor != "cycle" and len(debtors) <= FEW:
        strategy.redecide(debtor_ids=debtors, now=facts.at, actor=facts.actor)
