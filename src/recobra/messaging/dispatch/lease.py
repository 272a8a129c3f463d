"""Leases on contacts: several dispatchers take them at once, and the others give them back when one dies.

Leases live by the database's clock, which all dispatchers share. A dispatcher also holds an advisory lock named
after its lease as long as it lives, so that the others need not wait for `leased_until` to see that it was killed.
Behind a pooler that hands sessions around the lock may seem free too early: then a contact not handed over goes to
someone else, and one handed over turns uncertain until its dispatcher, which is alive, records its end.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from django.db import DatabaseError, connection, transaction

from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.messaging import reasons
from recobra.messaging.facts import ContactUncertain
from recobra.messaging.outbox.transitions import RETURNING, change_contacts, record_ends
from recobra.messaging.sending_stop import is_stopped

LEASE_SECONDS: Final = 120

# One contact of a debtor at a time: two judged side by side would not count each other against the caps. The lock
# on the debtor's row keeps a second dispatcher from leasing another contact of the same debtor meanwhile.
_LEASE = """
    WITH picked AS MATERIALIZED (
        SELECT c.id, c.debtor_id, c.priority, c.due_at
        FROM messaging_contact c JOIN portfolio_debtor debtor ON debtor.id = c.debtor_id
        WHERE c.status = 'DUE' AND c.due_at <= %(now)s AND {channel_condition}
            AND NOT EXISTS (
                SELECT FROM messaging_contact leased
                WHERE leased.debtor_id = c.debtor_id AND leased.status = 'LEASED')
        ORDER BY c.priority, c.due_at, c.id LIMIT %(limit)s
        FOR NO KEY UPDATE OF c, debtor SKIP LOCKED)
    UPDATE messaging_contact c
    SET status = 'LEASED', lease = %(lease)s, leased_until = clock_timestamp() + make_interval(secs => %(seconds)s)
    FROM (SELECT DISTINCT ON (debtor_id) id FROM picked ORDER BY debtor_id, priority, due_at, id) most_urgent
    WHERE c.id = most_urgent.id AND c.status = 'DUE'
    RETURNING c.id"""

# A lease committed between the start of _LEASE and its lock was not visible to it; here it is.
_YIELD = """
    UPDATE messaging_contact c SET status = 'DUE', lease = NULL, leased_until = NULL
    WHERE c.id = ANY(%s) AND EXISTS (
        SELECT FROM messaging_contact other
        WHERE other.debtor_id = c.debtor_id AND other.status = 'LEASED' AND other.lease <> c.lease)
    RETURNING c.id"""

# A row that somebody else is changing stays leased until the lease ends.
_GIVE_BACK = """
    WITH ours AS (
        SELECT id FROM messaging_contact
        WHERE id = ANY(%s) AND lease = %s AND status = 'LEASED' AND handed_over_at IS NULL
        ORDER BY id FOR UPDATE SKIP LOCKED)
    UPDATE messaging_contact c SET status = 'DUE', lease = NULL, leased_until = NULL FROM ours WHERE c.id = ours.id"""

_ABANDONED = """
    SELECT id FROM messaging_contact
    WHERE status = 'LEASED' AND (lease = ANY(%s) OR leased_until < clock_timestamp())
        AND handed_over_at IS {state} ORDER BY id FOR UPDATE SKIP LOCKED"""

_BACK_TO_DUE = f"""
    WITH abandoned AS ({_ABANDONED.format(state="NULL")})
    UPDATE messaging_contact c SET status = 'DUE', lease = NULL, leased_until = NULL
    FROM abandoned WHERE c.id = abandoned.id"""

# The lease stays on the row: a dispatcher that was only slow may still say how it ended.
_TO_UNCERTAIN = f"""
    WITH abandoned AS ({_ABANDONED.format(state="NOT NULL")})
    UPDATE messaging_contact c SET status = 'UNCERTAIN', reason = %s, leased_until = NULL
    FROM abandoned WHERE c.id = abandoned.id
    RETURNING {RETURNING}"""


@contextlib.contextmanager
def hold_lease() -> Iterator[uuid.UUID]:
    """Yield a new lease, which the other dispatchers see to be alive as long as the block runs."""
    lease = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_lock_number(lease)])
    try:
        yield lease
    finally:
        # A connection that broke has let go of the lock already, and the error that broke it is the one to raise.
        with contextlib.suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_lock_number(lease)])


@transaction.atomic
def lease_contacts(
    *, lease: uuid.UUID, now: datetime, limit: int, only_channel: str | None = None, except_channels: Sequence[str] = ()
) -> list[int]:
    """Lease up to `limit` due contacts, at most one per debtor, the most urgent first; return their ids.

    None while sending is stopped.
    `only_channel` leases of one channel alone; without it, of all channels but `except_channels`.
    """
    if is_stopped():
        return []
    # The condition is left out where it does not narrow, so that PostgreSQL plans the statement without it.
    if only_channel:
        channel_condition = "c.channel = %(only_channel)s"
    elif except_channels:
        channel_condition = "c.channel <> ALL(%(except_channels)s)"
    else:
        channel_condition = "true"
    with connection.cursor() as cursor:
        cursor.execute(
            _LEASE.format(channel_condition=channel_condition),
            {
                "now": now,
                "limit": limit,
                "lease": lease,
                "seconds": LEASE_SECONDS,
                "only_channel": only_channel,
                "except_channels": list(except_channels),
            },
        )
        leased_ids = {contact_id for (contact_id,) in cursor.fetchall()}
        cursor.execute(_YIELD, [list(leased_ids)])
        yielded_ids = {contact_id for (contact_id,) in cursor.fetchall()}
    return sorted(leased_ids - yielded_ids)


def give_back(contact_ids: Sequence[int], *, lease: uuid.UUID) -> None:
    """Put leased contacts that were not handed over back into the outbox."""
    if contact_ids:
        with connection.cursor() as cursor:
            cursor.execute(_GIVE_BACK, [list(contact_ids), lease])


@consequence
@transaction.atomic
def recover_abandoned(*, lease: uuid.UUID, actor: Actor) -> int:
    """Take over what dead dispatchers left; return how many contacts became uncertain.

    Contacts that they had not handed over are due again. Those that they had are never sent again.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT lease FROM messaging_contact WHERE status = 'LEASED' AND lease <> %s", [lease])
        dead = []
        for (other_lease,) in cursor.fetchall():
            # A living dispatcher holds the lock of its lease. Those that we get are released with this transaction.
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_lock_number(other_lease)])
            (is_dead,) = cursor.fetchone()
            if is_dead:
                dead.append(other_lease)
        cursor.execute(_BACK_TO_DUE, [dead])
    uncertain = change_contacts(_TO_UNCERTAIN, [dead, reasons.DISPATCHER_DIED])
    return record_ends(ContactUncertain, uncertain, actor=actor)


def _lock_number(lease: uuid.UUID) -> int:
    """Return the number of the advisory lock of a lease."""
    return lease.int & (2**63 - 1)  # PostgreSQL takes signed 64-bit numbers
