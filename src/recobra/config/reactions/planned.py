"""Facts that the plan of a day makes itself: reactions to what surprises leave them out."""

from __future__ import annotations

from recobra.journal.facts import F
from recobra.journal.reactions import Recorded
from recobra.messaging.facts import ContactBlocked
from recobra.portfolio.facts import HoldLifted, HoldPlaced


def without_planned(recorded: Recorded[F]) -> Recorded[F]:
    """Leave out what the plan of a day placed, blocked or took back itself: it knows that, and nobody is surprised."""
    unplanned = [
        (subject, fact)
        for subject, fact in recorded
        if not (isinstance(fact, HoldPlaced | HoldLifted | ContactBlocked) and fact.is_planned)
    ]
    subjects = [subject for subject, _fact in unplanned]
    facts = [fact for _subject, fact in unplanned]
    return Recorded(actor=recorded.actor, subjects=subjects, facts=facts)
