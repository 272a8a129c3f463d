"""Planning of contacts in the outbox, and their cancellation before they are sent."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction

from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.journal.operations import record_facts
from recobra.kit import tables
from recobra.kit.statistics import refresh_after_commit
from recobra.messaging.facts import ContactBlocked
from recobra.messaging.outbox import wake_up
from recobra.messaging.outbox.transitions import ENDED, RETURNING, cancel_where, list_ends

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
    ]
)
"""Further columns of a contact to plan; without them it is a claim of the strategy at the usual priority.

With a `body` the message goes as it is written, without a template. `priority` 0 goes first.
"""

INSERTED = pa.schema([("debtor_id", pa.int64()), ("channel", pa.string()), ("contact_id", pa.int64())])

# A second run of the same day finds its live contacts by the table's unique constraint and its refusals by the
# NOT EXISTS: neither is written twice.
_INSERT = """
    INSERT INTO messaging_contact AS c (
        public_id, debtor_id, portfolio_id, point_id, channel, template_code, strategy_version_id, step_key, status,
        planned_for, planned_at, due_at, closes_at, zones, reason, rule, article, judged_at, attempts, message_id,
        address, subject, body, answer, purpose, priority, campaign_id, fallback_of_id, conversation_id, replies_to_at,
        author, author_id)
    SELECT gen_random_uuid(), incoming.debtor_id, incoming.portfolio_id, incoming.point_id, incoming.channel,
        incoming.template_code, incoming.strategy_version_id, coalesce(incoming.step_key, ''), incoming.status,
        incoming.planned_for, %s, incoming.due_at, incoming.closes_at, coalesce(incoming.zones, ''),
        coalesce(incoming.reason, ''), coalesce(incoming.rule, ''), coalesce(incoming.article, ''), %s, 0, '',
        '', coalesce(incoming.subject, ''), coalesce(incoming.body, ''), '', coalesce(incoming.purpose, 'CLAIM'),
        coalesce(incoming.priority, 5), incoming.campaign_id, incoming.fallback_of_id, incoming.conversation_id,
        incoming.replies_to_at, coalesce(incoming.author, ''), incoming.author_id
    FROM messaging_incoming incoming
    WHERE incoming.status = 'DUE' OR NOT EXISTS (
        SELECT FROM messaging_contact refused
        WHERE refused.debtor_id = incoming.debtor_id AND refused.planned_for = incoming.planned_for
            AND refused.status = 'BLOCKED' AND refused.channel = incoming.channel
            AND refused.step_key = coalesce(incoming.step_key, ''))
    ORDER BY incoming.debtor_id
    ON CONFLICT DO NOTHING
    RETURNING """

_STAGING = """
    CREATE TEMPORARY TABLE IF NOT EXISTS messaging_incoming (
        debtor_id bigint, portfolio_id bigint, point_id bigint, channel text, template_code text,
        strategy_version_id bigint, step_key text, status text, planned_for date, due_at timestamptz,
        closes_at timestamptz, zones text, reason text, rule text, article text, purpose text, priority smallint,
        campaign_id bigint, fallback_of_id bigint, conversation_id bigint, replies_to_at timestamptz, subject text,
        body text, author text, author_id bigint) ON COMMIT DROP"""

# Waits for a row that a dispatcher is marking at this moment; once marked, it is sent.
_JUDGE_AGAIN = """
    WITH judged AS (
        SELECT id FROM messaging_contact
        WHERE debtor_id = ANY(%s) AND status = 'LEASED' AND handed_over_at IS NULL ORDER BY id FOR UPDATE)
    UPDATE messaging_contact c SET status = 'DUE', lease = NULL, leased_until = NULL
    FROM judged WHERE c.id = judged.id"""


@consequence
@transaction.atomic
def plan_contacts(*, contacts: pa.Table, actor: Actor) -> pa.Table:
    """Put contacts (schema PLANNED, any of PLANNED_OPTIONAL) into the outbox; return the new ones (schema INSERTED).

    A debtor has one live contact per channel and day, answers apart: a second one is not written.
    """
    if contacts.num_rows == 0:
        return INSERTED.empty_table()
    optional_fields = [field for field in PLANNED_OPTIONAL if field.name in contacts.column_names]
    schema = pa.schema([*PLANNED, *optional_fields])
    with connection.cursor() as cursor:
        # A transaction may plan more than once: then the table exists already, with the rows of the earlier call.
        cursor.execute(_STAGING)
        cursor.execute("TRUNCATE messaging_incoming")
    tables.copy_in("messaging_incoming", contacts.select(schema.names).cast(schema))
    inserted_schema = ENDED.append(pa.field("status", pa.string()))
    inserted = tables.fetch(f"{_INSERT} {RETURNING}, c.status", [actor.now, actor.now], inserted_schema)
    refresh_after_commit("messaging_contact", rows=inserted.num_rows)
    blocked = inserted.filter(pc.equal(inserted["status"], "BLOCKED"))
    if blocked.num_rows < inserted.num_rows:
        wake_up.call_dispatchers()
    is_planned = pa.array([True] * blocked.num_rows, pa.bool_())
    record_facts(ContactBlocked, list_ends(blocked).append_column("is_planned", is_planned), actor=actor)
    return inserted.select(INSERTED.names)


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
def withdraw_contacts(*, contact_ids: Sequence[int], reason: str, actor: Actor) -> int:
    """Cancel contacts that are no longer in the plan of the day and were not handed over yet; return how many."""
    if not contact_ids:
        return 0
    return cancel_where("w.id = ANY(%s)", [list(contact_ids)], reason=reason, actor=actor)


def judge_again(*, debtor_ids: Sequence[int]) -> None:
    """Make contacts of debtors due again that a dispatcher has judged and not handed over: something has changed."""
    with connection.cursor() as cursor:
        cursor.execute(_JUDGE_AGAIN, [list(debtor_ids)])
