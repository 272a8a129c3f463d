"""Writes to the outbox around a handover: the mark before it, the end after it, and the end of what may not go.

All run inside the dispatcher's transaction.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction
from django.db.models import F

from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.journal.facts import Fact
from recobra.kit import tables
from recobra.kit.statistics import refresh_after_commit
from recobra.messaging import reasons
from recobra.messaging.channels import Bounce, Outcome, OutcomeKind
from recobra.messaging.dispatch.prepare import NotSent, PreparedContact
from recobra.messaging.facts import (
    ContactBlocked,
    ContactCancelled,
    ContactFailed,
    ContactSent,
    ContactUncertain,
)
from recobra.messaging.models import Contact
from recobra.messaging.outbox.transitions import ENDED, RETURNING, record_ends
from recobra.portfolio.models import ContactPoint

MOST_TRIES: Final = 6
BACK_OFF_SECONDS: Final = (60, 300, 900, 2700, 7200)
FACT_KINDS: Final[Mapping[str, type[Fact]]] = {
    "SENT": ContactSent,
    "FAILED": ContactFailed,
    "BLOCKED": ContactBlocked,
    "CANCELLED": ContactCancelled,
    "UNCERTAIN": ContactUncertain,
}
"""The journal's fact for each status; a contact that is DUE again has none."""

_ALERTING: Final = frozenset({"BLOCKED", "FAILED"})
"""Statuses whose reaction alerts people to an unsent answer, and therefore locks its conversation."""
_ENDED_WITH_STATUS = ENDED.append(pa.field("status", pa.string()))

_END_NOT_SENT = f"""
    WITH ends AS (
        SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
            AS given(id, status, reason, rule, article, due_at)
    ), ours AS (
        SELECT leased.id FROM messaging_contact leased JOIN ends ON ends.id = leased.id
        WHERE leased.lease = %s AND leased.status = 'LEASED' AND leased.handed_over_at IS NULL ORDER BY leased.id
        FOR UPDATE OF leased SKIP LOCKED)
    UPDATE messaging_contact c
    SET status = ends.status, reason = ends.reason, rule = ends.rule, article = ends.article, judged_at = %s,
        due_at = coalesce(ends.due_at, c.due_at), lease = NULL, leased_until = NULL
    FROM ends JOIN ours ON ours.id = ends.id WHERE c.id = ends.id
    RETURNING {RETURNING}, c.status"""

# A contact that a payment, an opt-out or a person has cancelled in the meantime is no longer LEASED by us, and is not
# sent. Rows that somebody is changing right now are skipped: while we wait, the permitted hours of the others might
# end. Silences are looked up once more for an opt-out committed since the contact was judged. No column of an index
# changes here, so that PostgreSQL leaves the indexes alone. JSON, because arrays of long texts are slow to write.
_MARK = """
    WITH marked AS (
        SELECT * FROM json_to_recordset(%s::json) AS given(id bigint, local_date date, template_id bigint, variant text,
            message_id text, address text, subject text, body text, html text, verdict jsonb, judged_at timestamptz,
            provider_id bigint, price_micros bigint, price_currency text, kind text)
    ), ours AS (
        SELECT leased.id FROM messaging_contact leased JOIN marked ON marked.id = leased.id
        WHERE leased.lease = %s AND leased.status = 'LEASED' AND leased.handed_over_at IS NULL
            AND NOT EXISTS (
                SELECT FROM consent_silence silence
                WHERE silence.value = marked.address AND silence.kind = marked.kind)
            AND NOT EXISTS (SELECT FROM messaging_sendingstop WHERE ended_at IS NULL)
        ORDER BY leased.id FOR UPDATE OF leased SKIP LOCKED)
    UPDATE messaging_contact c
    SET handed_over_at = %s, judged_at = marked.judged_at, local_date = marked.local_date, attempts = c.attempts + 1,
        template_id = marked.template_id, variant = marked.variant, message_id = marked.message_id,
        address = marked.address, subject = marked.subject, body = marked.body, html = marked.html,
        verdict = marked.verdict, provider_id = marked.provider_id, price_micros = marked.price_micros,
        price_currency = marked.price_currency, reason = '', rule = '', article = ''
    FROM marked JOIN ours ON ours.id = marked.id WHERE c.id = marked.id
    RETURNING c.id"""

# UNCERTAIN: another dispatcher took us for dead, but we know how the attempt ended. A message that would be tried again
# ends where its debtor was joined meanwhile with one who has had that day's message: one person does not get both.
_END_ATTEMPTS = f"""
    WITH ends AS (
        SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[],
            %s::boolean[]) AS given(id, status, reason, answer, reference, due_at, untried)
    ), ours AS (
        SELECT leased.id, ends.status = 'DUE' AND leased.purpose NOT IN ('REPLY', 'MANUAL') AND (
            leased.is_doubled OR EXISTS (
                SELECT FROM messaging_contact twin
                WHERE twin.debtor_id = leased.debtor_id AND twin.channel = leased.channel
                    AND twin.planned_for = leased.planned_for AND twin.is_doubled
                    AND twin.status IN ('LEASED', 'SENT', 'UNCERTAIN'))) AS is_with_other
        FROM messaging_contact leased JOIN ends ON ends.id = leased.id
        WHERE leased.lease = %s AND leased.status IN ('LEASED', 'UNCERTAIN') ORDER BY leased.id FOR UPDATE OF leased)
    UPDATE messaging_contact c
    SET status = CASE WHEN ours.is_with_other THEN 'CANCELLED' ELSE ends.status END,
        reason = CASE WHEN ours.is_with_other THEN '{reasons.JOINED}' ELSE ends.reason END,
        answer = ends.answer, provider_reference = ends.reference,
        sent_at = CASE WHEN ends.status = 'SENT' THEN %s::timestamptz END, due_at = coalesce(ends.due_at, c.due_at),
        leased_until = NULL, lease = NULL, attempts = c.attempts - ends.untried::int,
        handed_over_at = CASE WHEN ends.status IN ('SENT', 'UNCERTAIN') THEN c.handed_over_at END,
        local_date = CASE WHEN ends.status IN ('SENT', 'UNCERTAIN') THEN c.local_date END
    FROM ends JOIN ours ON ours.id = ends.id WHERE c.id = ends.id
    RETURNING {RETURNING}, c.status"""

# Everybody locks a conversation before its contacts: two transactions in opposite orders would deadlock.
_LOCK_CONVERSATIONS = """
    SELECT id FROM conversations_conversation
    WHERE id IN (SELECT conversation_id FROM messaging_contact WHERE id = ANY(%s))
    ORDER BY id FOR NO KEY UPDATE"""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _AttemptEnd:
    """How an attempt ends its contact; the fields are the columns of _END_ATTEMPTS, in their order.

    `due_at` is when the contact is tried again. `untried` says that this attempt does not count as one.
    """

    contact_id: int
    status: str
    reason: str
    answer: str
    reference: str
    due_at: datetime | None
    untried: bool


_ATTEMPT_END_COLUMNS: Final = tuple(field.name for field in fields(_AttemptEnd))


@consequence
@transaction.atomic
def end_not_sent(not_sent: Sequence[NotSent], *, lease: UUID, actor: Actor) -> Counter[str]:
    """End or put off contacts that may not go now; return how many ended, by the names of the dispatcher's figures."""
    if not not_sent:
        return Counter()
    _lock_conversations([end.contact_id for end in not_sent if end.status in _ALERTING])
    # In the order of the columns of _END_NOT_SENT.
    names = ("contact_id", "status", "reason", "rule", "article", "due_at")
    columns = [[getattr(end, name) for end in not_sent] for name in names]
    ended = tables.fetch(_END_NOT_SENT, [*columns, lease, actor.now], _ENDED_WITH_STATUS)
    return _record_ends_by_status(ended, actor=actor)


def mark_handed_over(chunk: Sequence[PreparedContact], *, lease: UUID, now: datetime) -> set[int]:
    """Mark contacts as handed over at `now`, with their messages; return the ids of those that we may still send."""
    rows = []
    ids = [str(prepared.contact.public_id) for prepared in chunk]
    subjects = Contact.seal_column("subject", ids, [prepared.message.subject for prepared in chunk])
    bodies = Contact.seal_column("body", ids, [prepared.message.text for prepared in chunk])
    htmls = Contact.seal_column("html", ids, [prepared.message.html for prepared in chunk])
    for prepared, subject, body, html in zip(chunk, subjects, bodies, htmls, strict=True):
        contact = prepared.contact
        message = prepared.message
        route = prepared.route
        row = {
            "id": contact.contact_id,
            "local_date": contact.local_date and contact.local_date.isoformat(),
            "template_id": contact.template.pk if contact.template else None,
            "variant": contact.template.variant if contact.template else "",
            "message_id": route.adapter.message_id(contact.public_id, route.config),
            "address": message.address,
            "subject": subject,
            "body": body,
            "html": html,
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
        return {contact_id for (contact_id,) in cursor.fetchall()}


@consequence
def end_attempts(attempts: Sequence[Attempt], *, lease: UUID, actor: Actor) -> Counter[str]:
    """Record how attempts ended; return how many contacts ended, by the names of the dispatcher's figures.

    A contact that may be tried again goes back to the outbox.
    """
    ends = [_end_of_attempt(attempt, actor.now) for attempt in attempts]
    _lock_conversations([end.contact_id for end in ends if end.status in _ALERTING])
    columns = {name: [getattr(end, name) for end in ends] for name in _ATTEMPT_END_COLUMNS}
    ids = [str(attempt.prepared.contact.public_id) for attempt in attempts]
    columns["answer"] = Contact.seal_column("answer", ids, [end.answer for end in ends])
    ended = tables.fetch(_END_ATTEMPTS, [*columns.values(), lease, actor.now], _ENDED_WITH_STATUS)
    sent_ids = set(ended.filter(pc.equal(ended["status"], "SENT"))["contact_id"].to_pylist())
    _save_items([attempt.prepared for attempt in attempts if attempt.prepared.contact.contact_id in sent_ids])
    for attempt in attempts:
        _update_point(attempt, actor.now)
    return _record_ends_by_status(ended, actor=actor)


def _end_of_attempt(attempt: Attempt, now: datetime) -> _AttemptEnd:
    """Return how an attempt ends its contact: as the outcome says, or due again later where it may be repeated."""
    outcome = attempt.outcome
    end = _AttemptEnd(
        contact_id=attempt.prepared.contact.contact_id,
        status=outcome.kind.value,
        reason="" if outcome.kind is OutcomeKind.SENT else outcome.reason,
        answer=outcome.answer,
        reference=outcome.provider_reference,
        due_at=None,
        untried=outcome.unreachable,
    )
    if outcome.kind is not OutcomeKind.RETRY:
        return end
    tries = attempt.prepared.contact.attempts + 1
    if outcome.unreachable:
        # A provider out of reach has seen nothing: that is no try of this message, however long it lasts.
        wait_seconds = 0.0 if attempt.has_other_route else _wait_seconds(outcome, BACK_OFF_SECONDS[0])
    elif tries >= MOST_TRIES:
        return replace(end, status="FAILED", reason=reasons.TOO_MANY_TRIES)
    else:
        wait_seconds = _wait_seconds(outcome, BACK_OFF_SECONDS[tries - 1])
    return replace(end, status="DUE", reason="", due_at=now + timedelta(seconds=wait_seconds))


def _wait_seconds(outcome: Outcome, at_least: float) -> float:
    """Return how long to wait for the next try: as the provider asked, but never less than `at_least`."""
    return max(at_least, outcome.retry_after or 0.0)


def _lock_conversations(contact_ids: Sequence[int]) -> None:
    """Lock the conversations of contacts before the contacts themselves."""
    if contact_ids:
        with connection.cursor() as cursor:
            cursor.execute(_LOCK_CONVERSATIONS, [list(contact_ids)])


def _record_ends_by_status(ended: pa.Table, *, actor: Actor) -> Counter[str]:
    """Record the facts of contacts that ended; return how many by status in small letters."""
    figures: Counter[str] = Counter()
    for status, kind in FACT_KINDS.items():
        rows = ended.filter(pc.equal(ended["status"], status))
        if rows.num_rows:
            figures[status.lower()] += record_ends(kind, rows.drop_columns("status"), actor=actor)
    return figures


def _save_items(sent: Sequence[PreparedContact]) -> None:
    """Keep with each contact the accounts that its message named, and the amounts."""
    owed_minor: Counter[tuple[int, int]] = Counter()
    for prepared in sent:
        for document in prepared.contact.documents:
            owed_minor[prepared.contact.contact_id, document.account_id] += document.owed_minor
    if not owed_minor:
        return
    contact_ids = [contact_id for contact_id, _account_id in owed_minor]
    account_ids = [account_id for _contact_id, account_id in owed_minor]
    with connection.cursor() as cursor:
        cursor.execute(_SAVE_ITEMS, [contact_ids, account_ids, list(owed_minor.values())])
    refresh_after_commit("messaging_contactitem", rows=len(contact_ids))


def _update_point(attempt: Attempt, now: datetime) -> None:
    """Record on the contact point what the provider says about the address itself: gone, doubtful, unusable."""
    outcome = attempt.outcome
    contact = attempt.prepared.contact
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
