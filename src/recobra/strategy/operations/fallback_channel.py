"""Fallback channels for messages that could not be delivered to a number or address that is out of use since."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.kit import tables
from recobra.strategy.operations.firings import void_firings
from recobra.strategy.operations.redecide import REDECIDE_LIMIT, redecide_debtors

LOOK_BACK = timedelta(days=3)

_UNDELIVERED = """
    SELECT DISTINCT contact.id AS contact_id, contact.debtor_id FROM messaging_contact contact
    JOIN portfolio_contactpoint point ON point.id = contact.point_id
    JOIN strategy_firing firing ON firing.contact_id = contact.id AND firing.voided_at IS NULL
    WHERE contact.planned_for >= %s AND (contact.status = 'FAILED' OR contact.undelivered_at IS NOT NULL)
        AND (point.retired_at IS NOT NULL OR contact.channel = ANY(point.unusable_for))
    ORDER BY contact.debtor_id"""
_SCHEMA = pa.schema([("contact_id", pa.int64()), ("debtor_id", pa.int64())])


@requires(Right.SERVE)
def plan_fallback_channels(*, as_of: date, actor: Actor) -> int:
    """Let the steps of undelivered contacts fire again and decide for their debtors; return how many debtors."""
    # Each number and address is lost once, so this comes to an end: by the next channel of the step, within the caps,
    # or by the task that asks a person to find the debtor. What was sent before it bounced still counts for the caps.
    undelivered = tables.fetch(_UNDELIVERED, [as_of - LOOK_BACK], _SCHEMA)
    void_firings(contact_ids=undelivered["contact_id"].to_pylist(), actor=actor)
    debtor_ids = sorted(set(undelivered["debtor_id"].to_pylist()))
    for start in range(0, len(debtor_ids), REDECIDE_LIMIT):
        redecide_debtors(debtor_ids=debtor_ids[start : start + REDECIDE_LIMIT], actor=actor)
    return len(debtor_ids)
