"""Reactions of the register of incidents."""

from __future__ import annotations

from recobra.compliance import incidents
from recobra.conversations.facts import ComplaintReceived
from recobra.journal.reactions import Recorded
from recobra.messaging.facts import ContactBlocked, ContactComplained

from .planned import without_planned


def record_attempts(recorded: Recorded[ContactBlocked]) -> None:
    """Record attempted breaches: contacts that were on their way and were stopped."""
    # What the plan of a day leaves out is no attempt.
    incidents.record_attempts(contact_ids=without_planned(recorded).contact_ids(), actor=recorded.actor)


def record_complaints(recorded: Recorded[ContactComplained]) -> None:
    """Record complaints that debtors made to a provider."""
    actor = recorded.actor
    incidents.record_complaints(contact_ids=recorded.contact_ids(), actor=actor)


def record_complaint(recorded: Recorded[ComplaintReceived]) -> None:
    """Record complaints that were made in a conversation; of unknown people only the country is known."""
    for subject, complaint in recorded:
        incidents.enter_incident(
            kind="COMPLAINT",
            country=complaint.country,
            happened_at=complaint.at,
            description=complaint.description,
            debtor_id=subject.debtor_id,
            portfolio_id=subject.portfolio_id,
            actor=recorded.actor,
        )
