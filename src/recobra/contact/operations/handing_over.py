"""The outbox's own writes around the handing over of a message. All run inside the dispatcher's transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction
from django.db.models import F

from recobra.contact import reasons
from recobra.contact.channels import CHANNELS, Bounce, Kind, Outcome
from recobra.journal.operations import record
from recobra.kit import tables
from recobra.portfolio.models import ContactPoint

from .ending import ENDED, RETURNING, record_ends
from .examining import Ready, Unsent

MOST_TRIES: Final = 6
BACK_OFF_SECONDS: Final = (60, 300, 900, 2700, 7200)
KINDS: Final = {
    "SENT": "contact.sent",
    "FAILED": "contact.failed",
    "BLOCKED": "contact.blocked",
    "CANCELLED": "contact.cancelled",
    "UNCERTAIN": "contact.uncertain",
}

_WITH_STATUS = ENDED.append(pa.field("status", pa.string()))

_END_UNSENT = f"""
    WITH ends AS (
        SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
            AS e(id, status, reason, rule, article, due_at)
    ), mine AS (
        SELECT m.id FROM contact_contact m JOIN ends ON ends.id = m.id
        WHERE m.lease = %s AND m.status = 'LEASED' AND m.handed_over_at IS NULL ORDER BY m.id FOR UPDATE OF m)
    UPDATE contact_contact c
    SET status = e.status, reason = e.reason, rule = e.rule, article = e.article, judged_at = %s,
        due_at = coalesce(e.due_at, c.due_at), lease = NULL, leased_until = NULL
    FROM ends e JOIN mine ON mine.id = e.id WHERE c.id = e.id
    RETURNING {RETURNING}, c.status"""

# What a payment, a wish or a person has taken back meanwhile is no longer LEASED by us: then nothing is sent.
_MARK = """
    UPDATE contact_contact
    SET handed_over_at = %s, judged_at = %s, local_date = %s, attempts = attempts + 1, template_id = %s,
        message_id = %s, address = %s, subject = %s, body = %s, reason = '', rule = '', article = '',
        leased_until = clock_timestamp() + make_interval(secs => %s)
    WHERE id = %s AND lease = %s AND status = 'LEASED' AND handed_over_at IS NULL"""

# UNCERTAIN: another dispatcher took us for dead; we know better.
_END = f"""
    UPDATE contact_contact c
    SET status = %s, reason = %s, answer = %s, sent_at = %s, due_at = coalesce(%s, c.due_at), leased_until = NULL,
        lease = NULL, attempts = c.attempts - CASE WHEN %s THEN 1 ELSE 0 END,
        handed_over_at = CASE WHEN %s THEN c.handed_over_at END,
        local_date = CASE WHEN %s THEN c.local_date END
    WHERE c.id = %s AND c.lease = %s AND c.status IN ('LEASED', 'UNCERTAIN')
    RETURNING {RETURNING}"""

_ITEMS = """
    INSERT INTO contact_contactitem (contact_id, account_id, overdue_minor)
    SELECT %s, account_id, overdue_minor FROM unnest(%s::bigint[], %s::bigint[]) AS i(account_id, overdue_minor)
    ON CONFLICT (contact_id, account_id) DO UPDATE SET overdue_minor = excluded.overdue_minor"""


@transaction.atomic
def end_unsent(unsent: Sequence[Unsent], *, lease: UUID, now: datetime, actor: str) -> Counter[str]:
    """End or put off what may not go now; return how many by the dispatcher's figures."""
    if not unsent:
        return Counter()
    names = ("contact_id", "status", "reason", "rule", "article", "due_at")
    columns = [[getattr(item, name) for item in unsent] for name in names]
    ended = tables.fetch(_END_UNSENT, [*columns, lease, now], _WITH_STATUS)
    figures: Counter[str] = Counter()
    for status, kind in KINDS.items():
        chosen = ended.filter(pc.equal(ended["status"], status))
        figures[status.lower()] += record_ends(kind, chosen.drop_columns("status"), at=now, actor=actor)
    return figures


def mark(item: Ready, *, lease: UUID, lease_seconds: int, now: datetime) -> bool:
    """Write down what is about to be handed over; False where the contact is no longer ours to send."""
    contact, message = item.contact, item.message
    message_id = CHANNELS[contact.channel].message_id(contact.public_id)
    values = [
        now, now, contact.local_date, item.template_id, message_id, message.address, message.subject, message.text,
        lease_seconds, contact.contact_id, lease,
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_MARK, values)
        return bool(cursor.rowcount == 1)


def end(item: Ready, outcome: Outcome, *, lease: UUID, now: datetime, actor: str) -> Kind:
    """Write how a handing over ended, and return that; a try that may be repeated goes back to the outbox."""
    kind, reason, due_at = outcome.kind, outcome.reason, None
    # A provider out of reach has seen nothing: that is no try of this message, however long it lasts.
    if kind is Kind.RETRY and outcome.unreachable:
        due_at = now + timedelta(seconds=BACK_OFF_SECONDS[0])
    elif kind is Kind.RETRY:
        tries = item.contact.attempts + 1
        if tries >= MOST_TRIES:
            kind, reason = Kind.FAILED, reasons.TOO_MANY_TRIES
        else:
            due_at = now + timedelta(seconds=BACK_OFF_SECONDS[tries - 1])
    status = "DUE" if kind is Kind.RETRY else kind.value
    may_have_arrived = kind in {Kind.SENT, Kind.UNCERTAIN}
    sent_at = now if kind is Kind.SENT else None
    values = [
        status, "" if status in {"DUE", "SENT"} else reason, outcome.answer, sent_at, due_at, outcome.unreachable,
        may_have_arrived, may_have_arrived, item.contact.contact_id, lease,
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_END, values)
        ended = cursor.fetchone()
    if ended is None or status == "DUE":
        return kind
    if kind is Kind.SENT:
        _name_documents(item)
    if outcome.bounce is not None:
        _bounced(item.contact.point_id, outcome.bounce, now)
    contact_id, portfolio_id, debtor_id, channel, step_key, why = ended
    record(
        KINDS[status], at=now, actor=actor, portfolio_id=portfolio_id, debtor_id=debtor_id, contact_id=contact_id,
        payload={"channel": channel, "step": step_key, "reason": why},
    )  # fmt: skip
    return kind


def _name_documents(item: Ready) -> None:
    owed: Counter[int] = Counter()
    for document in item.documents:
        owed[document.account_id] += document.owed_minor
    with connection.cursor() as cursor:
        cursor.execute(_ITEMS, [item.contact.contact_id, list(owed), list(owed.values())])


def _bounced(point_id: int | None, bounce: Bounce, now: datetime) -> None:
    point = ContactPoint.objects.filter(pk__in=[point_id or 0])
    if bounce is Bounce.HARD:
        point.update(retired_at=now, quality=0)
    else:
        point.update(quality=F("quality") / 2)
