"""Changes of a contact's status, many at a time: the row says why, and the journal keeps the fact."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.journal.facts import Fact
from recobra.journal.operations import record_facts
from recobra.kit import tables
from recobra.messaging.facts import ContactCancelled

ENDED = pa.schema(
    [
        ("contact_id", pa.int64()),
        ("portfolio_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("channel", pa.string()),
        ("step_key", pa.string()),
        ("reason", pa.string()),
    ]
)
"""A contact whose status has changed, as `RETURNING` gives it."""
RETURNING = "c.id, c.portfolio_id, c.debtor_id, c.channel, c.step_key, c.reason"
"""The columns of ENDED. In every statement of the outbox `c` is the contact that is written."""

# If a dispatcher is about to hand one over, the first of the two to lock the row wins, and the other sees the result.
_CANCEL = f"""
    WITH waiting AS (
        SELECT w.id FROM messaging_contact w
        WHERE {{which}} AND (w.status = 'DUE' OR (w.status = 'LEASED' AND w.handed_over_at IS NULL))
        ORDER BY w.id FOR UPDATE)
    UPDATE messaging_contact c
    SET status = 'CANCELLED', reason = %s, judged_at = %s, lease = NULL, leased_until = NULL
    FROM waiting WHERE c.id = waiting.id
    RETURNING {RETURNING}"""


@consequence
def cancel_where(which: str, parameters: Sequence[object], *, reason: str, actor: Actor) -> int:
    """Cancel contacts that wait or are leased, and were not handed over; return how many.

    `which` is a condition in SQL over the waiting contact `w`, such as `w.id = ANY(%s)`, and `parameters` are its
    values.
    """
    ended = change_contacts(_CANCEL.format(which=which), [*parameters, reason, actor.now])
    return record_ends(ContactCancelled, ended, actor=actor)


def change_contacts(statement: str, parameters: Sequence[object]) -> pa.Table:
    """Run an UPDATE or INSERT of contacts that ends in `RETURNING {RETURNING}`; return its rows (schema ENDED)."""
    return tables.fetch(statement, parameters, ENDED)


@consequence
def record_ends(kind: type[Fact], ended: pa.Table, *, actor: Actor) -> int:
    """Record one fact of a kind per contact of `ended` (schema ENDED) and return how many."""
    record_facts(kind, list_ends(ended), actor=actor)
    return ended.num_rows


def list_ends(ended: pa.Table) -> pa.Table:
    """Return the subjects and fields of the facts about contacts that ended."""
    return ended.select(ENDED.names).rename_columns({"step_key": "step"})
