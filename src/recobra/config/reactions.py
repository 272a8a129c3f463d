"""Fact -> operations: the one place that sees all apps at once."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final

import pyarrow as pa
from django.utils.translation import gettext as _

from recobra.compliance import incidents
from recobra.consent import operations as consent
from recobra.conversations import operations as conversations
from recobra.journal.operations import Facts, register_reaction
from recobra.messaging import operations as messaging
from recobra.portfolio import operations as portfolio
from recobra.strategy import operations as strategy
from recobra.strategy import schedule
from recobra.strategy.operations.redecide import REDECIDE_LIMIT
from recobra.workbench import operations as workbench

_log = logging.getLogger(__name__)
PAYMENT_LOOKED_FOR_DAYS: Final = 5
COMPLAINT_DAYS: Final = 15
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
    """Register what follows from each kind of fact, in order."""
    register_reaction("payment.recorded", _cancel_pursuit)
    for kind in ("contact.cancelled", "contact.blocked"):
        register_reaction(kind, _let_steps_fire_again)
    register_reaction("contact.blocked", _note_attempts)
    register_reaction("contact.complained", _note_complaints)
    register_reaction("contact.refused_by_debtor", _stop_contact_after_refusal)
    register_reaction("complaint.received", _register_complaint)
    register_reaction("hold.placed", _stop_for_the_hold)
    register_reaction("load.done", _carry_wishes_over)
    register_reaction("conversation.received", _pause_for_the_answer)
    for kind in ("payment.recorded", "payment.reversed", "hold.placed", "hold.lifted", "conversation.received"):
        register_reaction(kind, _decide_again)
    for kind in ("contact.blocked", "contact.failed"):
        register_reaction(kind, _tell_of_unsent_answers)
    register_reaction("promise.registered", _wait_for_promise)
    register_reaction("dispute.opened", _pause_for_dispute)
    register_reaction("payment.reported", _look_for_payment)
    register_reaction("person.asked", _call_person)


def _cancel_pursuit(facts: Facts) -> None:
    debtors = facts.debtor_ids()
    strategy.block_cycle_commit(debtor_ids=debtors if len(debtors) <= REDECIDE_LIMIT else ())
    messaging.cancel_planned(debtor_ids=debtors, reason="payment", at=facts.at, actor=facts.actor)


def _note_attempts(facts: Facts) -> None:
    """What the plan of a day leaves out is no attempt; what was on its way and was stopped is one."""
    if facts.actor != "cycle":
        incidents.record_attempts(contact_ids=_contacts(facts), at=facts.at, actor=facts.actor)


def _note_complaints(facts: Facts) -> None:
    incidents.record_complaints(contact_ids=_contacts(facts), at=facts.at, actor=facts.actor)


def _register_complaint(facts: Facts) -> None:
    """Enter a complaint made in a conversation; of somebody nobody knows yet only the country is known."""
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


def _stop_contact_after_refusal(facts: Facts) -> None:
    """Who complains to the provider, or asks it for silence, asks us."""
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


def _contacts(facts: Facts) -> list[int]:
    return [pk for pk in facts.rows["contact_id"].to_pylist() if pk is not None]


def _carry_wishes_over(_facts: Facts) -> None:
    """What was said of a number before holds for the points that a load has just brought."""
    consent.apply_to_new_points()


def _pause_for_the_answer(facts: Facts) -> None:
    """Who has just written is answered first: no message that was planned before comes in between."""
    debtors = facts.debtor_ids()
    strategy.block_cycle_commit(debtor_ids=debtors)
    messaging.cancel_planned(debtor_ids=debtors, reason="replied", but_answers=True, at=facts.at, actor=facts.actor)


def _stop_for_the_hold(facts: Facts) -> None:
    """What waits for a debtor on hold is taken back; what a dispatcher has judged already meets the hold once more.

    A hold of one account leaves the rest to be asked for, and the plan of a day knows its own holds.
    """
    messaging.judge_again(debtor_ids=facts.debtor_ids())
    debtors = [row["debtor_id"] for row in facts.rows.to_pylist() if _holds_all_today(row, facts)]
    if debtors and facts.actor != "cycle":
        messaging.cancel_planned(debtor_ids=debtors, reason="hold", but_answers=True, at=facts.at, actor=facts.actor)


def _holds_all_today(row: dict[str, Any], facts: Facts) -> bool:
    begins = json.loads(row["payload"]).get("starts_on")
    return row["account_id"] is None and (begins is None or date.fromisoformat(begins) <= schedule.today(facts.at))


def _let_steps_fire_again(facts: Facts) -> None:
    strategy.void_firings(contact_ids=facts.rows["contact_id"].to_pylist(), now=facts.at)


def _decide_again(facts: Facts) -> None:
    """Decide at once for the debtors of a fact; those of a whole load wait for the cycle that follows it."""
    debtors = facts.debtor_ids()
    if facts.actor != "cycle" and 0 < len(debtors) <= REDECIDE_LIMIT:
        strategy.redecide_debtors(debtor_ids=debtors, now=facts.at, actor=facts.actor)


def _wait_for_promise(facts: Facts) -> None:
    """Nobody is pursued before a promised day and its days of grace are over; then a person looks."""
    for row, told in _told(facts):
        day = date.fromisoformat(told["date"])
        ends_on = day + timedelta(days=told.get("grace_days", 0))
        _hold(facts, row, "PROMISE", ends_on=ends_on)
        _task(facts, row, "promise", _("See whether the promised payment came"), due_date=ends_on + timedelta(days=1))


def _pause_for_dispute(facts: Facts) -> None:
    """A debt that its debtor contests is not asked for; where identity was not checked a person judges first."""
    for row, told in _told(facts):
        if told.get("verified"):
            _hold(facts, row, "DISPUTE")
        _task(facts, row, "dispute", _("Answer the debtor's objection"))


def _look_for_payment(facts: Facts) -> None:
    """A payment that its debtor tells of is looked for before anybody is pursued again."""
    for row, told in _told(facts):
        if told.get("verified"):
            ends_on = schedule.today(facts.at) + timedelta(days=PAYMENT_LOOKED_FOR_DAYS)
            _hold(facts, row, "PAYMENT_IN_PROCESS", ends_on=ends_on)
        _task(facts, row, "payment", _("Look for the payment that the debtor tells of"))


def _tell_of_unsent_answers(facts: Facts) -> None:
    if facts.actor != "cycle":
        conversations.flag_unsent_replies(contact_ids=_contacts(facts))


def _call_person(facts: Facts) -> None:
    """A person answers; who complains is left alone by everything automatic until then."""
    for row, told in _told(facts):
        if told.get("reason") == "complaint":
            _hold(facts, row, "OTHER", ends_on=schedule.today(facts.at) + timedelta(days=COMPLAINT_DAYS))
        _task(facts, row, "conversation", _("Answer the conversation"))


def _told(facts: Facts) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the facts about somebody known, each with its payload; the rest waits in the inbox."""
    for row in facts.rows.to_pylist():
        if row["debtor_id"] is not None and row["portfolio_id"] is not None:
            yield row, json.loads(row["payload"])


def _hold(facts: Facts, row: dict[str, Any], reason: str, *, ends_on: date | None = None) -> None:
    portfolio.place_hold(
        debtor_id=row["debtor_id"],
        reason=reason,
        starts_on=min(schedule.today(facts.at), ends_on or date.max),
        ends_on=ends_on,
        actor=facts.actor,
        actor_id=facts.actor_id,
        now=facts.at,
    )


def _task(facts: Facts, row: dict[str, Any], kind: str, title: str, *, due_date: date | None = None) -> None:
    task = {
        "portfolio_id": row["portfolio_id"],
        "debtor_id": row["debtor_id"],
        "account_id": None,
        "kind": kind,
        "title": title,
        "due_date": due_date or schedule.today(facts.at),
        "step_key": "",
    }
    workbench.create_tasks(rows=pa.Table.from_pylist([task], _TASKS), actor=facts.actor, now=facts.at)
