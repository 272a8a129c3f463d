"""Receipts: what became of contacts after they were handed over, recorded many at a time and each event once.

The contact's own columns are derived from all its receipts, so the order in which these come makes no difference.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction

from recobra.access.actors import Actor
from recobra.access.permissions import consequence, requires
from recobra.access.roles import Right
from recobra.journal.facts import Fact
from recobra.journal.operations import record_fact, record_facts
from recobra.kit import tables
from recobra.messaging.channels.adapter import ReceiptEvent
from recobra.messaging.facts import (
    ContactClicked,
    ContactComplained,
    ContactDelivered,
    ContactRead,
    ContactRefusedByDebtor,
    ContactSent,
    ContactUndelivered,
)
from recobra.messaging.models import Contact, Receipt
from recobra.messaging.outbox.transitions import RETURNING, change_contacts, record_ends

MATCHED_WITHIN: Final = timedelta(days=3)
"""A receipt whose contact has not appeared by then is about a message that we did not send."""
_RECEIPTS = pa.schema([("receipt_id", pa.int64()), ("contact_id", pa.int64())])
_CHANGES: Final[Mapping[str, type[Fact]]] = {
    "delivered": ContactDelivered,
    "read": ContactRead,
    "clicked": ContactClicked,
    "undelivered": ContactUndelivered,
    "complained": ContactComplained,
}
"""Columns that say what receipts were the first to report, each with its fact."""
_DERIVED = pa.schema(
    [
        ("contact_id", pa.int64()),
        ("portfolio_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("channel", pa.string()),
        *((name, pa.bool_()) for name in _CHANGES),
    ]
)

_INSERT = """
    INSERT INTO messaging_receipt (
        contact_id, provider_id, provider_reference, kind, at, received_at, event_key, permanent, detail)
    SELECT coalesce(
            (SELECT c.id FROM messaging_contact c WHERE c.public_id = event.public_id),
            (SELECT c.id FROM messaging_contact c WHERE c.provider_reference = event.reference
                AND c.provider_reference <> '' AND c.provider_id IS NOT DISTINCT FROM %s ORDER BY c.id DESC LIMIT 1)),
        %s, event.reference, event.kind, least(event.at, %s), %s, event.event_key, event.permanent, event.detail
    FROM unnest(%s::text[], %s::uuid[], %s::text[], %s::timestamptz[], %s::text[], %s::bool[], %s::jsonb[])
        AS event(reference, public_id, kind, at, event_key, permanent, detail)
    ORDER BY event.event_key
    ON CONFLICT (event_key) DO NOTHING
    RETURNING id, contact_id"""

_MATCH_WAITING = """
    WITH waiting AS (
        SELECT receipt.id, c.id AS contact_id FROM messaging_receipt receipt
        JOIN messaging_contact c ON c.provider_reference = receipt.provider_reference AND c.provider_reference <> ''
            AND c.provider_id IS NOT DISTINCT FROM receipt.provider_id
        WHERE receipt.contact_id IS NULL AND receipt.received_at >= %s
        ORDER BY receipt.id FOR UPDATE OF receipt SKIP LOCKED)
    UPDATE messaging_receipt receipt SET contact_id = waiting.contact_id FROM waiting WHERE receipt.id = waiting.id
    RETURNING receipt.id, receipt.contact_id"""

_LOCK_CONTACTS = "SELECT id FROM messaging_contact WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"

# A provider that reports on a message has it. A contact that we were about to try again has then arrived after all, and
# must not be sent twice.
_END_AS_SENT = f"""
    UPDATE messaging_contact c
    SET status = 'SENT', reason = '', handed_over_at = coalesce(c.handed_over_at, %s),
        sent_at = coalesce(c.sent_at, c.handed_over_at, %s), local_date = coalesce(c.local_date, c.planned_for),
        lease = NULL, leased_until = NULL
    WHERE c.id = ANY(%s) AND (
        (c.status = 'UNCERTAIN'
            AND EXISTS (SELECT FROM messaging_receipt receipt WHERE receipt.contact_id = c.id))
        OR (c.status IN ('DUE', 'LEASED') AND c.handed_over_at IS NULL AND EXISTS (
            SELECT FROM messaging_receipt receipt
            WHERE receipt.contact_id = c.id AND receipt.kind NOT IN ('BOUNCED', 'FAILED'))))
    RETURNING {RETURNING}"""

# `before` is what was known before these receipts, to return what is new: in RETURNING `c` has the new values already.
_DERIVE_COLUMNS = """
    WITH before AS MATERIALIZED (
        SELECT id, delivered_at, read_at, clicked_at, undelivered_at, complained_at FROM messaging_contact
        WHERE id = ANY(%s)
    ), reported AS (
        SELECT contact_id AS id,
            min(at) FILTER (WHERE kind IN ('DELIVERED', 'READ', 'CLICKED', 'ANSWERED')) AS delivered_at,
            min(at) FILTER (WHERE kind = 'READ') AS read_at,
            min(at) FILTER (WHERE kind = 'CLICKED') AS clicked_at,
            min(at) FILTER (WHERE kind IN ('BOUNCED', 'FAILED')) AS undelivered_at,
            min(at) FILTER (WHERE kind = 'COMPLAINED') AS complained_at,
            bool_or(kind IN ('READ', 'CLICKED', 'ANSWERED')) AS reached,
            bool_or(kind IN ('NOT_ANSWERED', 'FAILED')) AS missed
        FROM messaging_receipt WHERE contact_id = ANY(%s) GROUP BY contact_id)
    UPDATE messaging_contact c
    SET delivered_at = least(c.delivered_at, reported.delivered_at), read_at = least(c.read_at, reported.read_at),
        clicked_at = least(c.clicked_at, reported.clicked_at),
        undelivered_at = least(c.undelivered_at, reported.undelivered_at),
        complained_at = least(c.complained_at, reported.complained_at),
        reached = CASE WHEN reported.reached THEN true WHEN reported.missed AND c.channel IN ('call', 'ivr')
            THEN coalesce(c.reached, false) ELSE c.reached END
    FROM before JOIN reported ON reported.id = before.id WHERE c.id = before.id
    RETURNING c.id, c.portfolio_id, c.debtor_id, c.channel,
        before.delivered_at IS NULL AND c.delivered_at IS NOT NULL,
        before.read_at IS NULL AND c.read_at IS NOT NULL,
        before.clicked_at IS NULL AND c.clicked_at IS NOT NULL,
        before.undelivered_at IS NULL AND c.undelivered_at IS NOT NULL,
        before.complained_at IS NULL AND c.complained_at IS NOT NULL"""

# An address that does not exist exists for nobody, and a number without a WhatsApp account has none for anybody: what
# one contact's receipt says holds for the same address of every debtor. Each failure that is not final halves the
# quality.
_UPDATE_POINTS = """
    WITH failures AS (
        SELECT point.kind, point.value, c.channel, receipt.at,
            coalesce(receipt.permanent, false) AND NOT receipt.detail ? 'unusable' AS dead,
            receipt.detail ? 'unusable' AS unusable
        FROM messaging_receipt receipt JOIN messaging_contact c ON c.id = receipt.contact_id
        JOIN portfolio_contactpoint point ON point.id = c.point_id
        WHERE receipt.id = ANY(%s) AND receipt.kind IN ('BOUNCED', 'FAILED')
    ), addresses AS (
        SELECT kind, value, min(at) FILTER (WHERE dead) AS dead_at,
            array_agg(DISTINCT channel) FILTER (WHERE unusable) AS unusable,
            count(*) FILTER (WHERE NOT dead AND NOT unusable) AS missed
        FROM failures GROUP BY kind, value
    ), locked AS (
        SELECT point.id, addresses.dead_at, addresses.unusable, addresses.missed FROM addresses
        JOIN portfolio_contactpoint point ON point.kind = addresses.kind AND point.value = addresses.value
        ORDER BY point.id FOR NO KEY UPDATE OF point)
    UPDATE portfolio_contactpoint point
    SET retired_at = least(point.retired_at, locked.dead_at),
        quality = CASE WHEN locked.dead_at IS NOT NULL THEN 0
            ELSE point.quality / power(2, least(locked.missed, 6))::int END,
        unusable_for = ARRAY(
            SELECT DISTINCT channel
            FROM unnest(point.unusable_for || coalesce(locked.unusable, '{}')::varchar[]) channel ORDER BY channel)
    FROM locked WHERE point.id = locked.id"""


@consequence
@transaction.atomic
def record_receipts(*, events: Sequence[ReceiptEvent], provider_id: int | None, actor: Actor) -> int:
    """Record what a provider reports of contacts, and apply it to them; return how many events were new.

    An event whose contact is not known yet (a call may be faster than our own commit) waits for
    `match_waiting_receipts`.
    """
    if not events:
        return 0
    details = []
    for event in events:
        detail = dict(event.detail)
        if event.unusable:
            detail["unusable"] = "yes"
        details.append(json.dumps(detail))
    # In the order of the columns of _INSERT.
    columns = [
        [event.provider_reference for event in events],
        [event.public_id for event in events],
        [event.kind for event in events],
        [event.at for event in events],
        [event_key(event.event_key, provider_id) for event in events],
        [event.permanent for event in events],
        details,
    ]
    receipts = tables.fetch(_INSERT, [provider_id, provider_id, actor.now, actor.now, *columns], _RECEIPTS)
    _apply_receipts(receipts, actor=actor)
    return receipts.num_rows


@requires(Right.SERVE)
@transaction.atomic
def match_waiting_receipts(*, actor: Actor) -> int:
    """Apply receipts that came before their contact's reference was written; return how many found their contact.

    It also ends contacts that turned uncertain after their receipt had come.
    """
    matched = tables.fetch(_MATCH_WAITING, [actor.now - MATCHED_WITHIN], _RECEIPTS)
    _apply_receipts(matched, actor=actor)
    uncertain = Contact.objects.filter(status=Contact.Status.UNCERTAIN, receipts__isnull=False)
    _end_as_sent(sorted(set(uncertain.values_list("pk", flat=True))), actor=actor)
    return matched.num_rows


def event_key(key: str, provider_id: int | None) -> str:
    """Return an event's key, one namespace per provider: two of them may number their events alike."""
    return key if provider_id is None else f"{provider_id}:{key}"


def _apply_receipts(receipts: pa.Table, *, actor: Actor) -> None:
    """Apply the receipts whose contact is known to the contact and its point, and record what is new as facts."""
    known = receipts.filter(pc.is_valid(receipts["contact_id"]))
    if known.num_rows == 0:
        return
    contact_ids = sorted(set(known["contact_id"].to_pylist()))
    receipt_ids = known["receipt_id"].to_pylist()
    _end_as_sent(contact_ids, actor=actor)
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE_POINTS, [receipt_ids])
    derived = tables.fetch(_DERIVE_COLUMNS, [contact_ids, contact_ids], _DERIVED)
    for name, fact in _CHANGES.items():
        changed = derived.filter(derived[name]).drop_columns(list(_CHANGES))
        record_facts(fact, changed, actor=actor)
    _record_refusals(receipt_ids, actor)


def _end_as_sent(contact_ids: Sequence[int], *, actor: Actor) -> None:
    """End as sent those of the contacts that a receipt shows to have arrived."""
    if contact_ids:
        with connection.cursor() as cursor:
            # In the order of their ids, like everybody who locks several contacts.
            cursor.execute(_LOCK_CONTACTS, [list(contact_ids)])
        ended = change_contacts(_END_AS_SENT, [actor.now, actor.now, list(contact_ids)])
        record_ends(ContactSent, ended, actor=actor)


def _record_refusals(receipt_ids: Iterable[int], actor: Actor) -> None:
    """Record that debtors complained to their provider or asked it for silence; consent follows by a reaction."""
    kinds = [Receipt.Kind.COMPLAINED, Receipt.Kind.OPTED_OUT]
    receipts = Receipt.objects.filter(pk__in=receipt_ids, kind__in=kinds).select_related("contact")
    for receipt in receipts.order_by("at", "pk"):
        assert receipt.contact is not None
        refused = ContactRefusedByDebtor(
            public_id=str(receipt.contact.public_id), receipt_kind=receipt.kind, at=receipt.at
        )
        record_fact(
            refused,
            actor=actor,
            portfolio_id=receipt.contact.portfolio_id,
            debtor_id=receipt.contact.debtor_id,
            contact_id=receipt.contact_id,
        )
