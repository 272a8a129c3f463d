"""Planning of contacts in the outbox, and their cancellation before they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import uuid4

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction

from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.journal.operations import record_facts
from recobra.kit import tables
from recobra.messaging import reasons
from recobra.messaging.facts import ContactBlocked, ContactCancelled
from recobra.messaging.models import Contact
from recobra.messaging.outbox import wake_up
from recobra.messaging.outbox.transitions import RETURNING, cancel_where, change_contacts, list_ends, record_ends

PLANNED = pa.schema(
    [
        ("debtor_id", pa.int64()),
        ("portfolio_id", pa.int64()),
        ("point_id", pa.int64()),
        ("channel", pa.string()),
        ("template_code", pa.string()),
        ("strategy_version_id", pa.int64()),
        ("step_key", pa.string()),
        ("status", pa.string()),
        ("planned_for", pa.date32()),
        ("due_at", pa.timestamp("us", tz="UTC")),
        ("closes_at", pa.timestamp("us", tz="UTC")),
        ("zones", pa.string()),
        ("reason", pa.string()),
        ("rule", pa.string()),
        ("article", pa.string()),
    ]
)
"""A contact to plan. `status` is DUE or BLOCKED, the latter with `reason`, `rule` and `article`."""

PLANNED_OPTIONAL = pa.schema(
    [
        ("purpose", pa.string()),
        ("priority", pa.int16()),
        ("campaign_id", pa.int64()),
        ("fallback_of_id", pa.int64()),
        ("conversation_id", pa.int64()),
        ("replies_to_at", pa.timestamp("us", tz="UTC")),
        ("subject", pa.string()),
        ("body", pa.string()),
        ("author", pa.string()),
        ("author_id", pa.int64()),
        ("tone", pa.string()),
    ]
)
"""Further columns of a contact to plan; without them it is a claim of the strategy at the usual priority.

With a `body` the message goes as it is written, without a template. `priority` 0 goes first.
"""
_WORDS: Final = ("subject", "body")

INSERTED = pa.schema([("debtor_id", pa.int64()), ("channel", pa.string()), ("contact_id", pa.int64())])

_COLUMN_VALUES: Final = {
    "step_key": "",
    "zones": "",
    "reason": "",
    "rule": "",
    "article": "",
    "purpose": "CLAIM",
    "priority": 5,
    "subject": "",
    "body": "",
    "author": "",
    "tone": "",
    "attempts": 0,
    "message_id": "",
    "address": "",
    "answer": "",
}
"""What columns of the outbox hold where a contact to plan says nothing of them."""

# Two plans of a day meet in the same slot: a live contact has that of its debtor, channel and day, a refusal that of
# its step besides. Answers have none: each of them is written. `contact_one_per_debtor_channel_day` is the same rule.
_SLOT: Final = pa.schema(
    [
        ("debtor_id", pa.int64()),
        ("channel", pa.string()),
        ("planned_for", pa.date32()),
        ("is_refusal", pa.bool_()),
        ("step_key", pa.string()),
    ]
)
_TAKEN_SLOTS = """
    SELECT debtor_id, channel, planned_for, status = 'BLOCKED', CASE WHEN status = 'BLOCKED' THEN step_key ELSE '' END
    FROM messaging_contact
    WHERE planned_for = ANY(%s) AND debtor_id = ANY(%s) AND (
        status = 'BLOCKED' OR (status IN ('DUE', 'LEASED', 'SENT', 'UNCERTAIN') AND purpose <> 'REPLY'))"""
_ONE_PER_SLOT = "contact_one_per_debtor_channel_day"

# Waits for a row that a dispatcher is marking at this moment; once marked, it is sent.
_JUDGE_AGAIN = """
    WITH judged AS (
        SELECT id FROM messaging_contact
        WHERE debtor_id = ANY(%s) AND status = 'LEASED' AND handed_over_at IS NULL ORDER BY id FOR UPDATE)
    UPDATE messaging_contact c SET status = 'DUE', lease = NULL, leased_until = NULL
    FROM judged WHERE c.id = judged.id"""

# The same contacts as `ContactQuerySet.planned_by_cycle`.
_PLAN_OF_DAY = """
    w.planned_for = %s AND w.fallback_of_id IS NULL AND w.purpose NOT IN ('REPLY', 'MANUAL')
    AND (w.campaign_id IS NULL OR w.planned_at = ANY(%s))"""
_CANCEL_REFUSED = f"""
    WITH refused AS (
        SELECT w.id FROM messaging_contact w WHERE {_PLAN_OF_DAY} AND w.status = 'BLOCKED' ORDER BY w.id FOR UPDATE)
    UPDATE messaging_contact c SET status = 'CANCELLED', reason = %s FROM refused WHERE c.id = refused.id
    RETURNING {RETURNING}"""


@consequence
@transaction.atomic
def plan_contacts(*, contacts: pa.Table, actor: Actor) -> pa.Table:
    """Put contacts (schema PLANNED, any of PLANNED_OPTIONAL) into the outbox; return the new ones (schema INSERTED).

    A debtor has one live contact per channel and day, answers apart: a second one is not written, nor is a refusal of
    the same step.
    """
    if contacts.num_rows == 0:
        return INSERTED.empty_table()
    optional_fields = [field for field in PLANNED_OPTIONAL if field.name in contacts.column_names]
    schema = pa.schema([*PLANNED, *optional_fields])
    planned = contacts.select(schema.names).cast(schema).sort_by("debtor_id")
    rows = _complete_rows(planned, now=actor.now)
    written = None
    while written is None:
        # Each further round means that somebody else has committed a contact of these meanwhile.
        written = _write_free(rows)
    blocked = written.filter(pc.equal(written["status"], "BLOCKED"))
    if blocked.num_rows < written.num_rows:
        wake_up.call_dispatchers()
    is_planned = pa.array([True] * blocked.num_rows, pa.bool_())
    record_facts(ContactBlocked, list_ends(blocked).append_column("is_planned", is_planned), actor=actor)
    return written.select(INSERTED.names)


def _complete_rows(planned: pa.Table, *, now: datetime) -> pa.Table:
    """Return contacts to plan with all columns of the outbox that COPY cannot leave to a default."""
    count = planned.num_rows
    columns = {name: planned[name] for name in planned.column_names}
    for name, value in _COLUMN_VALUES.items():
        columns[name] = pc.fill_null(columns[name], value) if name in columns else pa.repeat(value, count)
    if any(name in planned.column_names for name in _WORDS):
        # Words are encrypted for their row, so the row gets its id here and not from the database.
        public_ids = [str(uuid4()) for _row in range(count)]
        columns["public_id"] = pa.array(public_ids, pa.string())
        for name in _WORDS:
            columns[name] = Contact.seal_column(name, public_ids, columns[name].to_pylist())
    instants = pa.repeat(pa.scalar(now, pa.timestamp("us", tz="UTC")), count)
    return pa.table({**columns, "planned_at": instants, "judged_at": instants})


def _write_free(rows: pa.Table) -> pa.Table | None:
    """Write the rows whose slot is free and return them with their `contact_id`.

    None if another transaction took one of the slots before this one could: nothing is written then.
    """
    free = _without_doubles(rows)
    if free.num_rows == 0:
        return free.append_column("contact_id", pa.array([], pa.int64()))
    # Not `reserve_ids`: its lock would let a debtor's answer wait until a cycle has committed.
    ids = tables.take_ids("messaging_contact", free.num_rows)
    try:
        with transaction.atomic():
            tables.copy_in("messaging_contact", free.append_column("id", ids))
    except psycopg.errors.UniqueViolation as violation:
        if violation.diag.constraint_name == _ONE_PER_SLOT:
            return None
        raise
    return free.append_column("contact_id", ids)


def _without_doubles(rows: pa.Table) -> pa.Table:
    """Return the rows, in their order, whose slot neither an earlier row has nor a contact in the outbox."""
    is_refusal = pc.equal(rows["status"], "BLOCKED")
    is_answer = pc.and_(pc.equal(rows["purpose"], "REPLY"), pc.invert(is_refusal))
    columns = {
        **{name: rows[name] for name in ("debtor_id", "channel", "planned_for")},
        "is_refusal": is_refusal,
        "step_key": pc.if_else(is_refusal, rows["step_key"], ""),
        "position": pa.array(range(rows.num_rows), pa.int64()),
    }
    slots = pa.table(columns).filter(pc.invert(is_answer))
    days = pc.unique(rows["planned_for"]).to_pylist()
    taken = tables.fetch(_TAKEN_SLOTS, [days, rows["debtor_id"].to_pylist()], _SLOT)
    if taken.num_rows:
        slots = slots.join(taken, keys=_SLOT.names, join_type="left anti")
    first = slots.group_by(_SLOT.names).aggregate([("position", "min")])
    positions = pa.concat_arrays(
        [first["position_min"].combine_chunks(), pc.indices_nonzero(is_answer).cast(pa.int64())]
    )
    return rows.take(positions.take(pc.sort_indices(positions)))


@consequence
@transaction.atomic
def cancel_planned(*, debtor_ids: Sequence[int], reason: str, keep_answers: bool = False, actor: Actor) -> int:
    """Cancel the contacts of debtors that were not handed over yet; return how many.

    `keep_answers` keeps answers to the debtor and messages that a person wrote.
    """
    which = "w.debtor_id = ANY(%s)"
    if keep_answers:
        which = f"{which} AND w.purpose NOT IN ('REPLY', 'MANUAL')"
    return cancel_where(which, [list(debtor_ids)], reason=reason, actor=actor)


@consequence
@transaction.atomic
def cancel_to_points(*, debtor_ids: Sequence[int], point_ids: Sequence[int], reason: str, actor: Actor) -> int:
    """Cancel whatever waits for some contact points of debtors and was not handed over yet; return how many."""
    parameters = [list(debtor_ids), list(point_ids)]
    return cancel_where("w.debtor_id = ANY(%s) AND w.point_id = ANY(%s)", parameters, reason=reason, actor=actor)


@consequence
@transaction.atomic
def cancel_planned_of_portfolio(*, portfolio_id: int, reason: str, actor: Actor) -> int:
    """Cancel the contacts of a portfolio that were not handed over yet, answers to debtors apart; return how many."""
    which = "w.portfolio_id = %s AND w.purpose <> 'REPLY'"
    return cancel_where(which, [portfolio_id], reason=reason, actor=actor)


@consequence
@transaction.atomic
def withdraw_contacts(*, contact_ids: Sequence[int], reason: str, actor: Actor) -> int:
    """Cancel contacts that are no longer in the plan of the day and were not handed over yet; return how many."""
    if not contact_ids:
        return 0
    return cancel_where("w.id = ANY(%s)", [list(contact_ids)], reason=reason, actor=actor)


@consequence
@transaction.atomic
def take_back_planned(*, as_of: date, planned_at: Sequence[datetime], actor: Actor) -> int:
    """Cancel what the cycle planned for a day and nobody has handed over yet, refusals too; return how many contacts.

    `planned_at` are the instants at which its runs began. Without its refusals the day can be planned anew.
    """
    parameters = [as_of, list(planned_at)]
    cancelled = cancel_where(_PLAN_OF_DAY, parameters, reason=reasons.TAKEN_BACK, actor=actor)
    refused = change_contacts(_CANCEL_REFUSED, [*parameters, reasons.TAKEN_BACK])
    record_ends(ContactCancelled, refused, actor=actor)
    return cancelled


def judge_again(*, debtor_ids: Sequence[int]) -> None:
    """Make contacts of debtors due again that a dispatcher has judged and not handed over: something has changed."""
    with connection.cursor() as cursor:
        cursor.execute(_JUDGE_AGAIN, [list(debtor_ids)])
