"""Reactions of the ledger of consent."""

from __future__ import annotations

import logging

from recobra.access.actors import Service, service_actor
from recobra.consent import operations as consent
from recobra.intake.facts import LoadDone
from recobra.journal.reactions import Recorded
from recobra.messaging.facts import ContactRefusedByDebtor
from recobra.portfolio.facts import ContactPointAdded, ContactPointCorrected

_log = logging.getLogger(__name__)


def opt_out_at_provider(recorded: Recorded[ContactRefusedByDebtor]) -> None:
    """Record an opt-out for debtors who complained to the provider or unsubscribed there."""
    for subject, refusal in recorded:
        try:
            consent.record_opt_out(
                public_id=refusal.public_id,
                source="PROVIDER",
                said=refusal.receipt_kind,
                at=refusal.at,
                actor=service_actor(Service.PROVIDER, now=recorded.actor.now),
            )
        except consent.OptOutRefused:
            _log.warning("Contact %s, refused by its debtor at the provider, has no address.", subject.contact_id)


def apply_consent_to_new_points(recorded: Recorded[LoadDone]) -> None:
    """Apply earlier opt-outs of a number to the contact points that a load has just brought."""
    consent.apply_to_new_points(load_ids=[done.load_id for _subject, done in recorded])


def apply_consent_to_added(recorded: Recorded[ContactPointAdded]) -> None:
    """Apply what people wished about a number to the contact points that staff has just added."""
    consent.apply_to_points(point_ids=[added.point_id for _subject, added in recorded])


def apply_consent_to_corrected(recorded: Recorded[ContactPointCorrected]) -> None:
    """Apply what people wished about a number to the contact points in whose favour others were corrected."""
    consent.apply_to_points(point_ids=[corrected.corrected_by for _subject, corrected in recorded])
