"""Reactions that place a hold and give people a task."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pyarrow as pa
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.agreements.facts import PromiseRegistered
from recobra.conversations.facts import DisputeOpened, PaymentReported, PersonAsked
from recobra.journal.facts import F
from recobra.journal.reactions import Recorded, Subject
from recobra.policy import portfolio_policies
from recobra.policy.settings import Policy
from recobra.portfolio import operations as portfolio
from recobra.strategy import schedule
from recobra.workbench import operations as workbench

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
