"""The outbox's own writes around handing messages over. All run inside the dispatcher's transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction
from django.db.models import F

from recobra.kit import tables
from recobra.messaging import reasons
from recobra.messaging.channels import Bounce, Outcome, OutcomeKind
from recobra.messaging.dispatch.prepare import NotSent, PreparedContact
from recobra.messaging.outbox.transitions import ENDED, RETURNING, record_ends
from recobra.portfolio.models import ContactPoint

MOST_TRIES: Final = 6
BACK_OFF_SECONDS: Final = (60, 300, 900, 2700, 7200)
FACT_KINDS: Final = {
    "SENT": "contact.sent",
    "FAILED": "contact.failed",
    "BLOCKED": "contact.blocked",
    "CANCELLED": "contact.cancelled",
    "UNCERTAIN": "contact.uncertain",
}
"""The fact that each status records; what is DUE again records none."""

_ALERTING: Final = frozenset({"BLOCKED", "FAILED"})
"""Ends whose reaction tells people about an answer that did not leave, and so locks its conversation."""
_ENDED_WITH_STATUS = ENDED.append(pa.field("status", pa.string()))

_END_NOT_SENT = f"""
    WITH ends AS (
        SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
            AS e(id, status, reason, rule, article, due_at)
    ), ours AS (
        SELECT m.id FROM messaging_contact m JOIN ends ON ends.id = m.id
        WHERE m.lease = %s AND m.status = 'LEASED' AND m.handed_over_at IS NULL ORDER BY m.id
        FOR UPDATE OF m SKIP LOCKED)
    UPDATE messaging_contact c
    SET status = e.status, reason = e.reason, rule = e.rule, article = e.article, judged_at = %s,
        due_at = coalesce(e.due_at, c.due_at), lease = NULL, leased_until = NULL
    FROM ends e JOIN ours ON ours.id = e.id WHERE c.id = e.id
    RETURNING {RETURNING}, c.status"""

# What a payment, a wish or a person has taken back meanwhile is no longer LEASED by us: then nothing is sent. What
# somebody is changing at this moment is not waited for: the hours of the others might end meanwhile. The silence is
# looked up once more for a wish that was committed between the last look and this moment. No column of an index changes
# here, so that the row stays where it is. JSON, because arrays of long texts are slow to write down.
_MARK = """
    WITH marked AS (
        SELECT * FROM json_to_recordset(%s::json) AS g(id bigint, local_date date, template_id bigint, variant text,
            message_id text, address text, subject text, body text, html text, verdict jsonb, judged_at timestamptz,
            provider_id bigint, price_micros bigint, price_currency text, kind text)
    ), ours AS (
        SELECT m.id FROM messaging_contact m JOIN marked g ON g.id = m.id
        WHERE m.lease = %s AND m.status = 'LEASED' AND m.handed_over_at IS NULL
            AND NOT EXISTS (SELECT FROM consent_silence s WHERE s.value = g.address AND s.kind = g.kind)
        ORDER BY m.id FOR UPDATE OF m SKIP LOCKED)
    UPDATE messaging_contact c
    SET handed_over_at = %s, judged_at = g.judged_at, local_date = g.local_date, attempts = c.attempts + 1,
        template_id = g.template_id, variant = g.variant, message_id = g.message_id, address = g.address,
        subject = g.subject, body = g.body, html = g.html, verdict = g.verdict, provider_id = g.provider_id,
        price_micros = g.price_micros, price_currency = g.price_currency, reason = '', rule = '', article = ''
    FROM marked g JOIN ours ON ours.id = g.id WHERE c.id = g.id
    RETURNING c.id"""

# UNCERTAIN: another dispatcher took us for dead; we know better.
_END_ATTEMPTS = f"""
    WITH ends AS (
        SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[],
            %s::boolean[]) AS e(id, status, reason, answer, reference, due_at, untried)
    ), ours AS (
        SELECT m.id FROM messaging_contact m JOIN ends ON ends.id = m.id
        WHERE m.lease = %s AND m.status IN ('LEASED', 'UNCERTAIN') ORDER BY m.id FOR UPDATE OF m)
    UPDATE messaging_contact c
    SET status = e.status, reason = e.reason, answer = e.answer, provider_reference = e.reference,
        sent_at = CASE WHEN e.status = 'SENT' THEN %s::timestamptz END, due_at = coalesce(e.due_at, c.due_at),
        leased_until = NULL, lease = NULL, attempts = c.attempts - e.untried::int,
        handed_over_at = CASE WHEN e.status IN ('SENT', 'UNCERTAIN') THEN c.handed_over_at END,
        local_date = CASE WHEN e.status IN ('SENT', 'UNCERTAIN') THEN c.local_date END
    FROM ends e JOIN ours ON ours.id = e.id WHERE c.id = e.id
    RETURNING {RETURNING}, c.status"""

# Whoever works on a conversation locks it first and its contacts then. In the other order we would block each other.
_LOCK_CONVERSATIONS = """
    SELECT v.id FROM conversations_conversation v
    WHERE v.id IN (SELECT c.conversation_id FROM messaging_contact c WHERE c.id = ANY(%s))
    ORDER BY v.id FOR NO KEY UPDATE"""

_SAVE_ITEMS = """
    INSERT INTO messaging_contactitem (contact_id, account_id, overdue_minor)
    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[])
    ON CONFLICT (contact_id, account_id) DO UPDATE SET overdue_minor = excluded.overdue_minor"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A contact that was handed over by its route, and the provider's outcome.

    `has_other_route` says that another route may be tried at once.
    """

    prepared: PreparedContact
    outcome: Outcome
    has_other_route: bool = False


@transaction.atomic
def end_not_sent(not_sent: Sequence[NotSent], *, lease: UUID, now: datetime, actor: str) -> Counter[str]:
    """End or put off contacts that may not go now; return how many by the dispatcher's figures."""
    if not not_sent:
        return Counter()
    _lock_conversations([end.contact_id for end in not_sent if end.status in _ALERTING])
    names = ("contact_id", "status", "reason", "rule", "article", "due_at")
    columns = [[getattr(end, name) for end in not_sent] for name in names]
    ended = tables.fetch(_END_NOT_SENT, [*columns, lease, now], _ENDED_WITH_STATUS)
    return _record_ends_by_status(ended, now=now, actor=actor)


def mark_handed_over(chunk: Sequence[PreparedContact], *, lease: UUID, now: datetime) -> set[int]:
    """Write down what is about to be handed over at `now`; return the ids of contacts that are still ours to send."""
    rows = []
    for prepared in chunk:
        contact, message, route = prepared.contact, prepared.message, prepared.route
        row = {
            "id": contact.contact_id,
            "local_date": contact.local_date and contact.local_date.isoformat(),
            "template_id": contact.template.pk if contact.template else None,
            "variant": contact.template.variant if contact.template else "",
            "message_id": route.adapter.message_id(contact.public_id, route.config),
            "address": message.address,
            "subject": message.subject,
            "body": message.text,
            "html": message.html,
            "verdict": prepared.verdict,
            "judged_at": prepared.judged_at.isoformat(),
            "provider_id": route.provider_id,
            "price_micros": route.price_micros,
            "price_currency": route.price_currency,
            "kind": contact.point_kind,
        }
        rows.append(row)
    with connection.cursor() as cursor:
        cursor.execute(_MARK, [json.dumps(rows), lease, now])
        return {row[0] for row in cursor.fetchall()}


def end_attempts(attempts: Sequence[Attempt], *, lease: UUID, now: datetime, actor: str) -> Counter[str]:
    """Write how handings over ended; return how many by the dispatcher's figures.

    A try that may be repeated goes back to the outbox.
    """
    rows = [_end_of_attempt(attempt, now) for attempt in attempts]
    _lock_conversations([contact_id for contact_id, status, *_rest in rows if status in _ALERTING])
    columns = [list(column) for column in zip(*rows, strict=True)]
    ended = tables.fetch(_END_ATTEMPTS, [*columns, lease, now], _ENDED_WITH_STATUS)
    sent_ids = set(ended.filter(pc.equal(ended["status"], "SENT"))["contact_id"].to_pylist())
    _save_items([attempt.prepared for attempt in attempts if attempt.prepared.contact.contact_id in sent_ids])
    for attempt in attempts:
        _update_point(attempt, now)
    return _record_ends_by_status(ended, now=now, actor=actor)


def _end_of_attempt(attempt: Attempt, now: datetime) -> tuple[Any, ...]:
    """Return id, status, reason, answer, reference, next try and whether this one counts for nothing."""
    contact, outcome, due_at = attempt.prepared.contact, attempt.outcome, None
    status, reason = outcome.kind.value, "" if outcome.kind is OutcomeKind.SENT else outcome.reason
    if outcome.kind is OutcomeKind.RETRY:
        tries = contact.attempts + 1
        # A provider out of reach has seen nothing: that is no try of this message, however long it lasts.
        if outcome.unreachable:
            wait_seconds = 0.0 if attempt.has_other_route else max(BACK_OFF_SECONDS[0], outcome.retry_after or 0.0)
            status, reason, due_at = "DUE", "", now + timedelta(seconds=wait_seconds)
        elif tries >= MOST_TRIES:
            status, reason = "FAILED", reasons.TOO_MANY_TRIES
        else:
            wait_seconds = max(BACK_OFF_SECONDS[tries - 1], outcome.retry_after or 0.0)
            status, reason, due_at = "DUE", "", now + timedelta(seconds=wait_seconds)
    answer, reference = outcome.answer, outcome.provider_reference
    return contact.contact_id, status, reason, answer, reference, due_at, outcome.unreachable


def _lock_conversations(contact_ids: Sequence[int]) -> None:
    if contact_ids:
        with connection.cursor() as cursor:
            cursor.execute(_LOCK_CONVERSATIONS, [list(contact_ids)])


def _record_ends_by_status(ended: pa.Table, *, now: datetime, actor: str) -> Counter[str]:
    figures: Counter[str] = Counter()
    for status, kind in FACT_KINDS.items():
        rows = ended.filter(pc.equal(ended["status"], status))
        if rows.num_rows:
            figures[status.lower()] += record_ends(kind, rows.drop_columns("status"), at=now, actor=actor)
    return figures


def _save_items(sent: Sequence[PreparedContact]) -> None:
    """Keep with each contact the accounts that its message named, and the amounts."""
    owed_minor: Counter[tuple[int, int]] = Counter()
    for prepared in sent:
        for document in prepared.contact.documents:
            owed_minor[prepared.contact.contact_id, document.account_id] += document.owed_minor
    if owed_minor:
        with connection.cursor() as cursor:
            contact_ids, account_ids = zip(*owed_minor, strict=True)
            cursor.execute(_SAVE_ITEMS, [list(contact_ids), list(account_ids), list(owed_minor.values())])


def _update_point(attempt: Attempt, now: datetime) -> None:
    """Write on the contact point what the provider said about the address itself."""
    outcome, contact = attempt.outcome, attempt.prepared.contact
    if outcome.bounce is None and not outcome.unusable:
        return
    points = ContactPoint.objects.filter(pk__in=[contact.point_id or 0])
    if outcome.bounce is Bounce.HARD:
        points.update(retired_at=now, quality=0)
    elif outcome.bounce is Bounce.SOFT:
        points.update(quality=F("quality") / 2)
    if outcome.unusable:
        for point in points.exclude(unusable_for__contains=[contact.channel]):
            point.unusable_for = [*point.unusable_for, contact.channel]
            point.save(update_fields=["unusable_for"])
