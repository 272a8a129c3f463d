"""Reactions: which operations follow which fact. The one place that sees all apps at once."""

from __future__ import annotations

from recobra.access.facts import UserShutOut
from recobra.agreements.facts import PromiseRegistered
from recobra.conversations.facts import (
    ComplaintReceived,
    ConversationReceived,
    DisputeOpened,
    PaymentReported,
    PersonAsked,
)
from recobra.intake.facts import LoadDone
from recobra.journal.reactions import react
from recobra.messaging.facts import (
    ContactBlocked,
    ContactCancelled,
    ContactComplained,
    ContactFailed,
    ContactRefusedByDebtor,
)
from recobra.payments.facts import PaymentRecorded
from recobra.portfolio.facts import (
    ContactPointAdded,
    ContactPointCorrected,
    ContactPointPlaced,
    ContactPointRetired,
    DebtorJoined,
    DebtorPartedAgain,
    HoldPlaced,
    PortfolioDisabled,
    PortfolioOpened,
    PreferencesSet,
)
from recobra.strategy.deciding_facts import DECIDED_ANEW


def connect() -> None:
    """Register the reactions to each kind of fact; those of one kind run in this order.

    They are named and not imported: a process loads the apps behind a reaction when its fact comes.
    """
    react(PortfolioOpened, "recobra.config.reactions.policies.begin_policy")
    react(PaymentRecorded, "recobra.config.reactions.contacts.cancel_contacts_of_payer")
    for ended in (ContactCancelled, ContactBlocked):
        react(ended, "recobra.config.reactions.decisions.void_firings")
    react(ContactBlocked, "recobra.config.reactions.incidents.record_attempts")
    react(ContactComplained, "recobra.config.reactions.incidents.record_complaints")
    react(ContactRefusedByDebtor, "recobra.config.reactions.consent.opt_out_at_provider")
    react(ComplaintReceived, "recobra.config.reactions.incidents.record_complaint")
    react(HoldPlaced, "recobra.config.reactions.contacts.cancel_contacts_on_hold")
    react(PortfolioDisabled, "recobra.config.reactions.contacts.cancel_contacts_of_portfolio")
    react(LoadDone, "recobra.config.reactions.consent.apply_consent_to_new_points")
    react(LoadDone, "recobra.config.reactions.pairs.compare_debtors")
    react(ConversationReceived, "recobra.config.reactions.contacts.cancel_contacts_of_writer")
    react(DebtorJoined, "recobra.config.reactions.contacts.cancel_contacts_of_joined")
    react(DebtorPartedAgain, "recobra.config.reactions.contacts.cancel_contacts_of_parted")
    react(ContactPointAdded, "recobra.config.reactions.consent.apply_consent_to_added")
    react(ContactPointCorrected, "recobra.config.reactions.consent.apply_consent_to_corrected")
    react(ContactPointCorrected, "recobra.config.reactions.contacts.cancel_contacts_to_corrected")
    react(ContactPointRetired, "recobra.config.reactions.contacts.cancel_contacts_to_retired")
    react(ContactPointPlaced, "recobra.config.reactions.contacts.cancel_contacts_to_placed")
    react(PreferencesSet, "recobra.config.reactions.contacts.cancel_contacts_of_preferring")
    # After the cancellations above: what they took back is decided anew.
    for deciding in DECIDED_ANEW:
        react(deciding, "recobra.config.reactions.decisions.redecide_debtors")
    for unsent in (ContactBlocked, ContactFailed):
        react(unsent, "recobra.config.reactions.conversations.flag_unsent_replies")
    react(PromiseRegistered, "recobra.config.reactions.holds.hold_until_promise")
    react(DisputeOpened, "recobra.config.reactions.holds.hold_disputed_debt")
    react(PaymentReported, "recobra.config.reactions.holds.hold_until_payment_is_found")
    react(PersonAsked, "recobra.config.reactions.holds.assign_conversation")
    react(UserShutOut, "recobra.config.reactions.users.hand_over_work")
