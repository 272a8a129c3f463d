"""Reactions: which operations follow which fact. The one place that sees all apps at once."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
from django.utils.translation import gettext as _

from recobra.access.actors import Actor, Service
from recobra.compliance import incidents
from recobra.consent import operations as consent
from recobra.conversations import operations as conversations
from recobra.journal.operations import Facts, Recorded, react, register_reaction
from recobra.messaging import operations as messaging
from recobra.policy import portfolio_policies
from recobra.portfolio import operations as portfolio
from recobra.portfolio.facts import PortfolioOpened
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
    register_reaction("payment.recorded", cancel_contacts_of_payer)
    for kind in ("contact.cancelled", "contact.blocked"):
        register_reaction(kind, void_firings)
    register_reaction("contact.blocked", record_attempts)
    register_reaction("contact.complained", record_complaints)
    register_reaction("contact.refused_by_debtor", opt_out_at_provider)
    register_reaction("complaint.received", record_complaint)
    register_reaction("hold.placed", cancel_contacts_on_hold)
    register_reaction("load.done", apply_consent_to_new_points)
    register_reaction("conversation.received", cancel_contacts_of_writer)
    # After the cancellations above: what they took back is decided anew.
    for kind in DECIDED_ANEW:
        register_reaction(kind, redecide_debtors)
    for kind in ("contact.blocked", "contact.failed"):
        register_reaction(kind, flag_unsent_replies)
    register_reaction("promise.registered", hold_until_promise)
    register_reaction("dispute.opened", hold_disputed_debt)
    register_reaction("payment.reported", hold_until_payment_is_found)
    register_reaction("person.asked", assign_conversation)


def begin_policy(opened: Recorded[PortfolioOpened]) -> None:
    """Give a portfolio that was opened the first version of its policy."""
    for subject in opened.subjects:
        assert subject.portfolio_id is not None, "a portfolio that was opened"
        portfolio_policies.begin_policy(portfolio_id=subject.portfolio_id, actor=opened.actor)


def cancel_contacts_of_payer(facts: Facts) -> None:
    """Cancel what was planned for debtors who have paid."""
    debtor_ids = facts.debtor_ids()
    # The debtors of a whole load are not locked: they wait for the cycle that follows it.
    strategy.block_cycle_commit(debtor_ids=debtor_ids if len(debtor_ids) <= REDECIDE_LIMIT else ())
    messaging.cancel_planned(debtor_ids=debtor_ids, reason="payment", at=facts.at, actor=facts.actor)


def record_attempts(facts: Facts) -> None:
    """Record attempted breaches: contacts that were on their way and were stopped."""
    # What the plan of a day leaves out is no attempt.
    if facts.actor != "cycle":
        incidents.record_attempts(contact_ids=_contact_ids(facts), at=facts.at, actor=facts.actor)


def record_complaints(facts: Facts) -> None:
    """Record complaints that debtors made to a provider."""
    incidents.record_complaints(contact_ids=_contact_ids(facts), at=facts.at, actor=facts.actor)


def record_complaint(facts: Facts) -> None:
    """Record complaints that were made in a conversation; of unknown people only the country is known."""
    for row in facts.rows.to_pylist():
        complaint = json.loads(row["payload"])
        incidents.record_incident(
            kind="COMPLAINT",
            country=complaint["country"],
            happened_at=datetime.fromisoformat(complaint["at"]),
            description=complaint["description"],
            debtor_id=row["debtor_id"],
            portfolio_id=row["portfolio_id"],
            actor=facts.actor,
            now=facts.at,
        )


def opt_out_at_provider(facts: Facts) -> None:
    """Record an opt-out for debtors who complained to the provider or unsubscribed there."""
    for row in facts.rows.to_pylist():
        refusal = json.loads(row["payload"])
        try:
            consent.record_opt_out(
                public_id=refusal["public_id"],
                source="PROVIDER",
                said=refusal["kind"],
                at=datetime.fromisoformat(refusal["at"]),
                now=facts.at,
            )
        except consent.OptOutRefused:
            _log.warning("Contact %s, refused by its debtor at the provider, has no address.", row["contact_id"])


def apply_consent_to_new_points(_facts: Facts) -> None:
    """Apply earlier opt-outs of a number to the contact points that a load has just brought."""
    consent.apply_to_new_points()


def cancel_contacts_of_writer(facts: Facts) -> None:
    """Cancel what was planned for debtors who have just written: they are answered first."""
    debtor_ids = facts.debtor_ids()
    strategy.block_cycle_commit(debtor_ids=debtor_ids)
    messaging.cancel_planned(debtor_ids=debtor_ids, reason="replied", keep_answers=True, at=facts.at, actor=facts.actor)


def cancel_contacts_on_hold(facts: Facts) -> None:
    """Cancel what was planned for debtors on hold from today or earlier, as far as the hold is of the whole debtor."""
    # A contact that a dispatcher has judged already is judged once more, so that it meets the hold.
    messaging.judge_again(debtor_ids=facts.debtor_ids())
    debtor_ids = []
    for row in facts.rows.to_pylist():
        starts_on = json.loads(row["payload"]).get("starts_on")
        is_current = starts_on is None or date.fromisoformat(starts_on) <= schedule.today(facts.at)
        # A hold of one account leaves the rest to be pursued.
        if row["account_id"] is None and is_current:
            debtor_ids.append(row["debtor_id"])
    # The plan of a day knows the holds that it places itself.
    if debtor_ids and facts.actor != "cycle":
        messaging.cancel_planned(
            debtor_ids=debtor_ids, reason="hold", keep_answers=True, at=facts.at, actor=facts.actor
        )


def void_firings(facts: Facts) -> None:
    """Let the steps of contacts that were cancelled or blocked fire again."""
    strategy.void_firings(contact_ids=facts.rows["contact_id"].to_pylist(), actor=_actor_of(facts))


def redecide_debtors(facts: Facts) -> None:
    """Decide at once for the debtors of a fact; those of a whole load wait for the cycle that follows it."""
    debtor_ids = facts.debtor_ids()
    if facts.actor != "cycle" and 0 < len(debtor_ids) <= REDECIDE_LIMIT:
        strategy.redecide_debtors(debtor_ids=debtor_ids, actor=_actor_of(facts))


def hold_until_promise(facts: Facts) -> None:
    """Place a hold until a promised day and its days of grace are over; then a person looks."""
    for row, promise in _facts_of_debtors(facts):
        grace = timedelta(days=promise.get("grace_days", 0))
        ends_on = date.fromisoformat(promise["date"]) + grace
        _place_hold(facts, row, "PROMISE", ends_on=ends_on)
        title = _("See whether the promised payment came")
        _create_task(facts, row, "promise", title, due_date=ends_on + timedelta(days=1))


def hold_disputed_debt(facts: Facts) -> None:
    """Place a hold on a contested debt; where the debtor's identity was not checked, a person judges first."""
    for row, dispute in _facts_of_debtors(facts):
        if dispute.get("verified"):
            _place_hold(facts, row, "DISPUTE")
        _create_task(facts, row, "dispute", _("Answer the debtor's objection"))


def hold_until_payment_is_found(facts: Facts) -> None:
    """Place a short hold while a person looks for the payment that a debtor reports."""
    for row, report in _facts_of_debtors(facts):
        if report.get("verified"):
            today = schedule.today(facts.at)
            policy = portfolio_policies.policy_on(row["portfolio_id"], today)
            ends_on = today + timedelta(days=policy.payment_search_days)
            _place_hold(facts, row, "PAYMENT_IN_PROCESS", ends_on=ends_on)
        _create_task(facts, row, "payment", _("Look for the payment that the debtor tells of"))


def flag_unsent_replies(facts: Facts) -> None:
    """Show in their conversation the replies that could not be sent."""
    if facts.actor != "cycle":
        conversations.flag_unsent_replies(contact_ids=_contact_ids(facts))


def assign_conversation(facts: Facts) -> None:
    """Give a conversation to a person; until a complaint is answered, nothing automatic writes to its debtor."""
    for row, handover in _facts_of_debtors(facts):
        if handover.get("reason") == "complaint":
            today = schedule.today(facts.at)
            policy = portfolio_policies.policy_on(row["portfolio_id"], today)
            ends_on = today + timedelta(days=policy.complaint_days)
            _place_hold(facts, row, "OTHER", ends_on=ends_on)
        _create_task(facts, row, "conversation", _("Answer the conversation"))


def _actor_of(facts: Facts) -> Actor:
    """Return who recorded facts, as the operations take it that follow from them."""
    service = Service(facts.actor) if facts.actor in set(Service) else None
    return Actor(name=facts.actor, user_id=facts.actor_id, now=facts.at, rights=frozenset(), service=service)


def _contact_ids(facts: Facts) -> list[int]:
    """Return the contacts of some facts, without the facts that name none."""
    return [pk for pk in facts.rows["contact_id"].to_pylist() if pk is not None]


def _facts_of_debtors(facts: Facts) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the row of the journal and the payload of each fact that names a debtor and a portfolio.

    A conversation with somebody unknown waits in the inbox until a person says who it is.
    """
    for row in facts.rows.to_pylist():
        if row["debtor_id"] is not None and row["portfolio_id"] is not None:
            yield row, json.loads(row["payload"])


def _place_hold(facts: Facts, row: dict[str, Any], reason: str, *, ends_on: date | None = None) -> None:
    """Place a hold on all of a debtor's accounts from today on, without `ends_on` until a person lifts it."""
    starts_on = schedule.today(facts.at)
    # A day promised in the past is over already: the hold still needs a beginning before its end.
    if ends_on is not None and ends_on < starts_on:
        starts_on = ends_on
    portfolio.hold_debtor(
        debtor_id=row["debtor_id"],
        reason=reason,
        starts_on=starts_on,
        ends_on=ends_on,
        actor=_actor_of(facts),
    )


def _create_task(facts: Facts, row: dict[str, Any], kind: str, title: str, *, due_date: date | None = None) -> None:
    """Create a task about a debtor of a fact, due today unless a day is given."""
    task = {
        "portfolio_id": row["portfolio_id"],
        "debtor_id": row["debtor_id"],
        "account_id": None,
        "kind": kind,
        "title": title,
        "due_date": due_date or schedule.today(facts.at),
        "step_key": "",
    }
    workbench.create_tasks(rows=pa.Table.from_pylist([task], _TASKS), actor=_actor_of(facts))
