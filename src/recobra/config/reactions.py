"""Reactions: which operations follow which fact. The one place that sees all apps at once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date, timedelta

import pyarrow as pa
from django.utils.translation import gettext as _

from recobra.access.actors import Actor, Service, service_actor
from recobra.agreements.facts import PromiseRegistered
from recobra.compliance import incidents
from recobra.consent import operations as consent
from recobra.conversations import operations as conversations
from recobra.conversations.facts import (
    ComplaintReceived,
    ConversationReceived,
    DisputeOpened,
    PaymentReported,
    PersonAsked,
)
from recobra.intake.facts import LoadDone
from recobra.journal.facts import F
from recobra.journal.operations import Recorded, Subject, react
from recobra.messaging import operations as messaging
from recobra.messaging.facts import (
    ContactBlocked,
    ContactCancelled,
    ContactComplained,
    ContactFailed,
    ContactRefusedByDebtor,
)
from recobra.payments.facts import PaymentRecorded
from recobra.policy import portfolio_policies
from recobra.policy.settings import Policy
from recobra.portfolio import operations as portfolio
from recobra.portfolio.facts import HoldPlaced, PortfolioOpened
from recobra.strategy import operations as strategy
from recobra.strategy import schedule
from recobra.strategy.deciding_facts import DECIDED_ANEW
from recobra.strategy.operations.redecide import REDECIDE_LIMIT
from recobra.workbench import operations as workbench

_log = logging.getLogger(__name__)
_TASKS = pa.schema(
    [
        ("portfolio_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("account_id", pa.int64()),
        ("kind", pa.string()),
        ("title", pa.string()),
        ("due_date", pa.date32()),
        ("step_key", pa.string()),
    ]
)


def connect() -> None:
    """Register the reactions to each kind of fact; those of one kind run in this order."""
    react(PortfolioOpened, begin_policy)
    react(PaymentRecorded, cancel_contacts_of_payer)
    for ended in (ContactCancelled, ContactBlocked):
        react(ended, void_firings)
    react(ContactBlocked, record_attempts)
    react(ContactComplained, record_complaints)
    react(ContactRefusedByDebtor, opt_out_at_provider)
    react(ComplaintReceived, record_complaint)
    react(HoldPlaced, cancel_contacts_on_hold)
    react(LoadDone, apply_consent_to_new_points)
    react(ConversationReceived, cancel_contacts_of_writer)
    # After the cancellations above: what they took back is decided anew.
    for deciding in DECIDED_ANEW:
        react(deciding, redecide_debtors)
    for unsent in (ContactBlocked, ContactFailed):
        react(unsent, flag_unsent_replies)
    react(PromiseRegistered, hold_until_promise)
    react(DisputeOpened, hold_disputed_debt)
    react(PaymentReported, hold_until_payment_is_found)
    react(PersonAsked, assign_conversation)


def begin_policy(opened: Recorded[PortfolioOpened]) -> None:
    """Give a portfolio that was opened the first version of its policy."""
    for subject in opened.subjects:
        assert subject.portfolio_id is not None, "a portfolio that was opened"
        portfolio_policies.begin_policy(portfolio_id=subject.portfolio_id, actor=opened.actor)


def cancel_contacts_of_payer(recorded: Recorded[PaymentRecorded]) -> None:
    """Cancel what was planned for debtors who have paid."""
    debtor_ids = recorded.debtor_ids()
    actor = recorded.actor
    # The debtors of a whole load are not locked: they wait for the cycle that follows it.
    strategy.block_cycle_commit(debtor_ids=debtor_ids if len(debtor_ids) <= REDECIDE_LIMIT else ())
    messaging.cancel_planned(debtor_ids=debtor_ids, reason="payment", actor=actor)


def record_attempts(recorded: Recorded[ContactBlocked]) -> None:
    """Record attempted breaches: contacts that were on their way and were stopped."""
    # What the plan of a day leaves out is no attempt.
    incidents.record_attempts(contact_ids=_without_planned(recorded).contact_ids(), actor=recorded.actor)


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


def apply_consent_to_new_points(_recorded: Recorded[LoadDone]) -> None:
    """Apply earlier opt-outs of a number to the contact points that a load has just brought."""
    consent.apply_to_new_points()


def cancel_contacts_of_writer(recorded: Recorded[ConversationReceived]) -> None:
    """Cancel what was planned for debtors who have just written: they are answered first."""
    debtor_ids = recorded.debtor_ids()
    actor = recorded.actor
    strategy.block_cycle_commit(debtor_ids=debtor_ids)
    messaging.cancel_planned(debtor_ids=debtor_ids, reason="replied", keep_answers=True, actor=actor)


def cancel_contacts_on_hold(recorded: Recorded[HoldPlaced]) -> None:
    """Cancel what was planned for debtors on hold from today or earlier, as far as the hold is of the whole debtor."""
    actor = recorded.actor
    # A contact that a dispatcher has judged already is judged once more, so that it meets the hold.
    messaging.judge_again(debtor_ids=recorded.debtor_ids())
    today = schedule.today(actor.now)
    debtor_ids = []
    for subject, hold in recorded:
        is_current = hold.starts_on is None or hold.starts_on <= today
        # A hold of one account leaves the rest to be pursued, and the plan of a day knows the holds that it places.
        if subject.debtor_id is not None and subject.account_id is None and is_current and not hold.is_planned:
            debtor_ids.append(subject.debtor_id)
    if debtor_ids:
        messaging.cancel_planned(debtor_ids=debtor_ids, reason="hold", keep_answers=True, actor=actor)


def void_firings(recorded: Recorded[F]) -> None:
    """Let the steps of contacts that were cancelled or blocked fire again."""
    strategy.void_firings(contact_ids=recorded.contact_ids(), actor=recorded.actor)


def redecide_debtors(recorded: Recorded[F]) -> None:
    """Decide at once for the debtors of a fact; those of a whole load wait for the cycle that follows it."""
    debtor_ids = _without_planned(recorded).debtor_ids()
    if 0 < len(debtor_ids) <= REDECIDE_LIMIT:
        strategy.redecide_debtors(debtor_ids=debtor_ids, actor=recorded.actor)


def hold_until_promise(recorded: Recorded[PromiseRegistered]) -> None:
    """Place a hold until a promised day and its days of grace are over; then a person looks."""
    for subject, promise in recorded:
        ends_on = promise.promised_on + timedelta(days=promise.grace_days)
        _place_hold(recorded.actor, subject, "PROMISE", ends_on=ends_on)
        title = _("See whether the promised payment came")
        _create_task(recorded.actor, subject, "promise", title, due_date=ends_on + timedelta(days=1))


def hold_disputed_debt(recorded: Recorded[DisputeOpened]) -> None:
    """Place a hold on a contested debt; where the debtor's identity was not checked, a person judges first."""
    for subject, dispute in _about_debtors(recorded):
        if dispute.verified:
            _place_hold(recorded.actor, subject, "DISPUTE")
        _create_task(recorded.actor, subject, "dispute", _("Answer the debtor's objection"))


def hold_until_payment_is_found(recorded: Recorded[PaymentReported]) -> None:
    """Place a short hold while a person looks for the payment that a debtor reports."""
    for subject, report in _about_debtors(recorded):
        if report.verified:
            today = schedule.today(recorded.actor.now)
            ends_on = today + timedelta(days=_policy_of(subject, today).payment_search_days)
            _place_hold(recorded.actor, subject, "PAYMENT_IN_PROCESS", ends_on=ends_on)
        _create_task(recorded.actor, subject, "payment", _("Look for the payment that the debtor tells of"))


def flag_unsent_replies(recorded: Recorded[F]) -> None:
    """Show in their conversation the replies that could not be sent."""
    conversations.flag_unsent_replies(contact_ids=_without_planned(recorded).contact_ids())


def assign_conversation(recorded: Recorded[PersonAsked]) -> None:
    """Give a conversation to a person; until a complaint is answered, nothing automatic writes to its debtor."""
    for subject, handover in _about_debtors(recorded):
        if handover.reason == "complaint":
            today = schedule.today(recorded.actor.now)
            ends_on = today + timedelta(days=_policy_of(subject, today).complaint_days)
            _place_hold(recorded.actor, subject, "OTHER", ends_on=ends_on)
        _create_task(recorded.actor, subject, "conversation", _("Answer the conversation"))


def _policy_of(subject: Subject, day: date) -> Policy:
    """Return the policy of a subject's portfolio on a day."""
    assert subject.portfolio_id is not None
    return portfolio_policies.policy_on(subject.portfolio_id, day)


def _without_planned(recorded: Recorded[F]) -> Recorded[F]:
    """Leave out what the plan of a day placed or blocked itself: it knows that already, and nobody is surprised."""
    unplanned = [
        (subject, fact)
        for subject, fact in recorded
        if not (isinstance(fact, HoldPlaced | ContactBlocked) and fact.is_planned)
    ]
    subjects = [subject for subject, _fact in unplanned]
    facts = [fact for _subject, fact in unplanned]
    return Recorded(actor=recorded.actor, subjects=subjects, facts=facts)


def _about_debtors(recorded: Recorded[F]) -> Iterator[tuple[Subject, F]]:
    """Yield each fact that names a debtor and a portfolio, with its subject.

    A conversation with somebody unknown waits in the inbox until a person says who it is.
    """
    for subject, fact in recorded:
        if subject.debtor_id is not None and subject.portfolio_id is not None:
            yield subject, fact


def _place_hold(actor: Actor, subject: Subject, reason: str, *, ends_on: date | None = None) -> None:
    """Place a hold on all of a debtor's accounts from today on, without `ends_on` until a person lifts it."""
    assert subject.debtor_id is not None
    starts_on = schedule.today(actor.now)
    # A day promised in the past is over already: the hold still needs a beginning before its end.
    if ends_on is not None and ends_on < starts_on:
        starts_on = ends_on
    portfolio.hold_debtor(debtor_id=subject.debtor_id, reason=reason, starts_on=starts_on, ends_on=ends_on, actor=actor)


def _create_task(actor: Actor, subject: Subject, kind: str, title: str, *, due_date: date | None = None) -> None:
    """Create a task about a debtor, due today unless a day is given."""
    task = {
        "portfolio_id": subject.portfolio_id,
        "debtor_id": subject.debtor_id,
        "account_id": None,
        "kind": kind,
        "title": title,
        "due_date": due_date or schedule.today(actor.now),
        "step_key": "",
    }
    workbench.create_tasks(rows=pa.Table.from_pylist([task], _TASKS), actor=actor)
