"""The debtor's wish not to be written to any more."""

from __future__ import annotations

import json
import uuid
from datetime import datetime

import pyarrow as pa
from django.db import transaction
from django.utils.translation import gettext as _

from recobra.contact import reasons
from recobra.contact.models import Contact
from recobra.journal.operations import Facts, record_all
from recobra.kit import tables
from recobra.portfolio.models import ContactPoint

from .planning import cancel_to_points

_POINTS = pa.schema([("point_id", pa.int64()), ("debtor_id", pa.int64()), ("contact_id", pa.int64())])


class OptOutRefused(Exception):
    """There is nothing to opt out of; the text is shown as it is."""


@transaction.atomic
def opt_out(
    *, public_id: uuid.UUID | str | None = None, point_id: int | None = None, source: str, now: datetime
) -> int:
    """Stop writing to an address for every debtor that has it; return how many contact points it was.

    The address is that of a contact (`public_id`) or of a contact point. What was planned to it is cancelled.
    Doing it again changes nothing. Raises OptOutRefused.
    """
    point, contact_id = _point(public_id, point_id)
    query = """
        WITH same AS (
            SELECT p.id FROM portfolio_contactpoint p
            WHERE p.value = %s AND p.kind = %s AND p.opted_out_at IS NULL ORDER BY p.id FOR UPDATE)
        UPDATE portfolio_contactpoint p SET opted_out_at = %s FROM same WHERE p.id = same.id
        RETURNING p.id, p.debtor_id, %s::bigint"""
    stopped = tables.fetch(query, [point.value, point.kind, now, contact_id], _POINTS)
    payload = pa.array([json.dumps({"point_id": p, "source": source}) for p in stopped["point_id"].to_pylist()])
    rows = stopped.select(["debtor_id", "contact_id"]).append_column("payload", payload.cast(pa.string()))
    record_all(Facts(kind="optout.received", at=now, actor=source, rows=rows))
    point_ids = stopped["point_id"].to_pylist()
    cancel_to_points(point_ids=point_ids, reason=reasons.OPTED_OUT, at=now, actor=source)
    return stopped.num_rows


def _point(public_id: uuid.UUID | str | None, point_id: int | None) -> tuple[ContactPoint, int | None]:
    if (public_id is None) == (point_id is None):
        raise TypeError("Give a contact's public id or a contact point, one of both.")
    if public_id is None:
        found = ContactPoint.objects.filter(pk__in=[point_id or 0]).first()
        contact_id = None
    else:
        contact = Contact.objects.select_related("point").filter(public_id=public_id).first()
        found, contact_id = (contact.point, contact.pk) if contact else (None, None)
    if found is None:
        raise OptOutRefused(_("There is no such message or address."))
    return found, contact_id
