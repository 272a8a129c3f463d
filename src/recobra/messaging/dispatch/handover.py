"""The outbox's own writes around the handing over of messages. All run inside the dispatcher's transaction."""

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
from recobra.messaging.dispatch.prepare import Ready, Unsent
from recobra.messaging.outbox.transitions import ENDED, RETURNING, record_ends
from recobra.messaging.providers.routing import Route
from recobra.portfolio.models import ContactPoint

MOST_TRIES: Final = 6
BACK_OFF_SECONDS: Final = (60, 300, 900, 2700, 7200)
KINDS: Final = {
    "SENT": "contact.sent",
    "FAILED": "contact.failed",
    "BLOCKED": "contact.blocked",
    "CANCELLED": "contact.cancelled",
    "UNCERTAIN": "contact.uncertain",
}

_TOLD: Final = frozenset({"BLOCKED", "FAILED"})
_WITH_STATUS = ENDED.append(pa.field("status", pa.string()))

_END_UNSENT = f"""
    WITH ends AS (
        SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
            AS e(id, status, reason, rule, article, due_at)
    ), mine AS (
        SELECT m.id FROM messaging_contact m JOIN ends ON ends.id = m.id
        WHERE m.lease = %s AND m.status = 'LEASED' AND m.handed_over_at IS NULL ORDER BY m.id
        FOR UPDATE OF m SKIP LOCKED)
    UPDATE messaging_contact c
    SET status = e.status, reason = e.reason, rule = e.rule, article = e.article, judged_at = %s,
        due_at = coalesce(e.due_at, c.due_at), lease = NULL, leased_until = NULL
    FROM ends e JOIN mine ON mine.id = e.id WHERE c.id = e.id
    RETURNING {RETURNING}, c.status"""

# What a payment, a wish or a person has taken back meanwhile is no longer LEASED by us: then nothing is sent. What
# somebody is changing at this moment is not waited for: the hours of the others might end meanwhile. The silence is
# looked up once more for a wish that was committed between the last look and this moment. No column of an index changes
# here, so that the row stays where it is. JSON, because arrays of long texts are slow to write down.
_MARK = """
    WITH going AS (
        SELECT * FROM json_to_recordset(%s::json) AS g(id bigint, local_date date, template_id bigint, variant text,
            message_id text, address text, subject text, body text, html text, verdict jsonb, judged_at timestamptz,
            provider_id bigint, price_micros bigint, price_currency text, kind text)
    ), mine AS (
        SELECT m.id FROM messaging_contact m JOIN going g ON g.id = m.id
        WHERE m.lease = %s AND m.status = 'LEASED' AND m.handed_over_at IS NULL
            AND NOT EXISTS (SELECT FROM consent_silence s WHERE s.value = g.address AND s.kind = g.kind)
        ORDER BY m.id FOR UPDATE OF m SKIP LOCKED)
    UPDATE messaging_contact c
    SET handed_over_at = %s, judged_at = g.judged_at, local_date = g.local_date, attempts = c.attempts + 1,
        template_id = g.template_id, variant = g.variant, message_id = g.message_id, address = g.address,
        subject = g.subject, body = g.body, html = g.html, verdict = g.verdict, provider_id = g.provider_id,
        price_micros = g.price_micros, price_currency = g.price_currency, reason = '', rule = '', article = ''
    FROM going g JOIN mine ON mine.id = g.id WHERE c.id = g.id
    RETURNING c.id"""

# UNCERTAIN: another dispatcher took us for dead; we know better.
_END = f"""
    WITH ends AS (
        SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[],
            %s::boolean[]) AS e(id, status, reason, answer, reference, due_at, untried)
    ), mine AS (
        SELECT m.id FROM messaging_contact m JOIN ends ON ends.id = m.id
        WHERE m.lease = %s AND m.status IN ('LEASED', 'UNCERTAIN') ORDER BY m.id FOR UPDATE OF m)
    UPDATE messaging_contact c
    SET status = e.status, reason = e.reason, answer = e.answer, provider_reference = e.reference,
        sent_at = CASE WHEN e.status = 'SENT' THEN %s::timestamptz END, due_at = coalesce(e.due_at, c.due_at),
        leased_until = NULL, lease = NULL, attempts = c.attempts - e.untried::int,
        handed_over_at = CASE WHEN e.status IN ('SENT', 'UNCERTAIN') THEN c.handed_over_at END,
        local_date = CASE WHEN e.status IN ('SENT', 'UNCERTAIN') THEN c.local_date END
    FROM ends e JOIN mine ON mine.id = e.id WHERE c.id = e.id
    RETURNING {RETURNING}, c.status"""

# People are told of an answer that did not leave. Whoever works on a conversation locks it first and its contacts
# then, so that we do too.
_CONVERSATIONS = """
    SELECT v.id FROM conversations_conversation v
    WHERE v.id IN (SELECT c.conversation_id FROM messaging_contact c WHERE c.id = ANY(%s))
    ORDER BY v.id FOR NO KEY UPDATE"""

_ITEMS = """
    INSERT INTO messaging_contactitem (contact_id, account_id, overdue_minor)
    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[])
    ON CONFLICT (contact_id, account_id) DO UPDATE SET overdue_minor = excluded.overdue_minor"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """A message and the way it leaves by."""

    item: Ready
    way: Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A message, the way it left by and what became of it. `elsewhere`: another way may be tried at once."""

    item: Ready
    way: Route
    outcome: Outcome
    elsewhere: bool = False


@transaction.atomic
def end_unsent(unsent: Sequence[Unsent], *, lease: UUID, now: datetime, actor: str) -> Counter[str]:
    """End or put off what may not go now; return how many by the dispatcher's figures."""
    if not unsent:
        return Counter()
    _lock_conversations([item.contact_id for item in unsent if item.status in _TOLD])
    names = ("contact_id", "status", "reason", "rule", "article", "due_at")
    columns = [[getattr(item, name) for item in unsent] for name in names]
    ended = tables.fetch(_END_UNSENT, [*columns, lease, now], _WITH_STATUS)
    return _record(ended, now=now, actor=actor)


def mark(going: Sequence[Going], *, lease: UUID, now: datetime) -> set[int]:
    """Write down what is about to be handed over at `now`; return the contacts that are still ours to send."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK, [json.dumps([_marked(each) for each in going]), lease, now])
        return {row[0] for row in cursor.fetchall()}


def _marked(going: Going) -> dict[str, Any]:
    contact, message, way = going.item.contact, going.item.message, going.way
    return {
        "id": contact.contact_id,
        "local_date": contact.local_date and contact.local_date.isoformat(),
        "template_id": going.item.template_id,
        "variant": going.item.variant,
        "message_id": way.adapter.message_id(contact.public_id, way.config),
        "address": message.address,
        "subject": message.subject,
        "body": message.text,
        "html": message.html,
        "verdict": going.item.verdict,
        "judged_at": going.item.judged_at.isoformat(),
        "provider_id": way.provider_id,
        "price_micros": way.price_micros,
        "price_currency": way.price_currency,
        "kind": contact.kind,
    }


def end(gone: Sequence[Gone], *, lease: UUID, now: datetime, actor: str) -> Counter[str]:
    """Write how handings over ended; return how many by the dispatcher's figures.

    A try that may be repeated goes back to the outbox.
    """
    rows = [_end(each, now) for each in gone]
    _lock_conversations([row[0] for row in rows if row[1] in _TOLD])
    columns = [list(column) for column in zip(*rows, strict=True)]
    ended = tables.fetch(_END, [*columns, lease, now], _WITH_STATUS)
    sent = set(ended.filter(pc.equal(ended["status"], "SENT"))["contact_id"].to_pylist())
    _name_documents([each.item for each in gone if each.item.contact.contact_id in sent])
    for each in gone:
        _note_of_point(each, now)
    return _record(ended, now=now, actor=actor)


def _end(gone: Gone, now: datetime) -> tuple[Any, ...]:
    """Return id, status, reason, answer, reference, next try and whether this one counts for nothing."""
    outcome, due_at = gone.outcome, None
    status, reason = outcome.kind.value, "" if outcome.kind is OutcomeKind.SENT else outcome.reason
    # A provider out of reach has seen nothing: that is no try of this message, however long it lasts.
    if outcome.kind is OutcomeKind.RETRY and outcome.unreachable:
        wait = 0.0 if gone.elsewhere else max(BACK_OFF_SECONDS[0], outcome.retry_after or 0.0)
        status, reason, due_at = "DUE", "", now + timedelta(seconds=wait)
    elif outcome.kind is OutcomeKind.RETRY:
        tries = gone.item.contact.attempts + 1
        if tries >= MOST_TRIES:
            status, reason = "FAILED", reasons.TOO_MANY_TRIES
        else:
            wait = max(BACK_OFF_SECONDS[tries - 1], outcome.retry_after or 0.0)
            status, reason, due_at = "DUE", "", now + timedelta(seconds=wait)
    return (
        gone.item.contact.contact_id,
        status,
        reason,
        outcome.answer,
        outcome.provider_reference,
        due_at,
        outcome.unreachable,
    )


def _lock_conversations(contact_ids: Sequence[int]) -> None:
    if contact_ids:
        with connection.cursor() as cursor:
            cursor.execute(_CONVERSATIONS, [list(contact_ids)])


def _record(ended: pa.Table, *, now: datetime, actor: str) -> Counter[str]:
    figures: Counter[str] = Counter()
    for status, kind in KINDS.items():
        chosen = ended.filter(pc.equal(ended["status"], status))
        if chosen.num_rows:
            figures[status.lower()] += record_ends(kind, chosen.drop_columns("status"), at=now, actor=actor)
    return figures


def _name_documents(items: Sequence[Ready]) -> None:
    owed: Counter[tuple[int, int]] = Counter()
    for item in items:
        for document in item.documents:
            owed[item.contact.contact_id, document.account_id] += document.owed_minor
    if owed:
        with connection.cursor() as cursor:
            contacts, accounts = zip(*owed, strict=True)
            cursor.execute(_ITEMS, [list(contacts), list(accounts), list(owed.values())])


def _note_of_point(gone: Gone, now: datetime) -> None:
    """Let the contact point know what the provider said about the address itself."""
    outcome, contact = gone.outcome, gone.item.contact
    if outcome.bounce is None and not outcome.unusable:
        return
    point = ContactPoint.objects.filter(pk__in=[contact.point_id or 0])
    if outcome.bounce is Bounce.HARD:
        point.update(retired_at=now, quality=0)
    elif outcome.bounce is Bounce.SOFT:
        point.update(quality=F("quality") / 2)
    if outcome.unusable:
        for found in point.exclude(unusable_for__contains=[contact.channel]):
            found.unusable_for = [*found.unusable_for, contact.channel]
            found.save(update_fields=["unusable_for"])
