"""States, firings and events as tables for the core."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pyarrow as pa
from django.conf import settings

from recobra.kit import tables
from recobra.portfolio.snapshot import Scope

STATES = pa.schema(
    [
        ("account_id", pa.int64()),
        ("stage", pa.string()),
        ("stage_since", pa.date32()),
        ("cycle_date", pa.date32()),
        ("bucket", pa.string()),
        ("segment", pa.string()),
        ("balance_minor", pa.int64()),
        ("overdue_minor", pa.int64()),
        ("oldest_due_date", pa.date32()),
        ("next_due_date", pa.date32()),
    ]
)


def read_states(scope: Scope) -> pa.Table:
    """Return the state of the accounts as last written (schema STATES)."""
    where, parameters = scope.where(debtor="debtor_id", portfolio="portfolio_id")
    query = f"SELECT {', '.join(STATES.names)} FROM strategy_accountstate WHERE {where}"
    return tables.fetch(query, parameters, STATES)


FIRINGS = pa.schema(
    [
        ("account_id", pa.int64()),
        ("strategy_code", pa.string()),
        ("step_key", pa.string()),
        ("cycle_date", pa.date32()),
        ("occurrence", pa.int64()),
        ("fired_on", pa.date32()),
    ]
)


def read_firings(scope: Scope, *, as_of: date) -> pa.Table:
    """Return the firings in force (schema FIRINGS), without those of `read_carried_contacts`."""
    where, parameters = scope.where(debtor="account.debtor_id", portfolio="account.portfolio_id")
    query = f"""SELECT firing.account_id, firing.strategy_code, firing.step_key, firing.cycle_date, firing.occurrence,
            firing.fired_on
        FROM strategy_firing firing JOIN portfolio_account account ON account.id = firing.account_id
        WHERE firing.voided_at IS NULL AND account.status = 'OPEN' AND {where} AND NOT EXISTS (
            SELECT FROM messaging_contact contact
            WHERE contact.id = firing.contact_id AND contact.status = 'DUE' AND contact.planned_for < %s)"""
    return tables.fetch(query, [*parameters, as_of], FIRINGS)


CARRIED = pa.schema(
    [
        ("contact_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("channel", pa.string()),
        ("step_key", pa.string()),
        ("contact_point_id", pa.int64()),
    ]
)


def read_carried_contacts(scope: Scope, *, as_of: date) -> pa.Table:
    """Return the contacts that an earlier day planned and nobody has sent (schema CARRIED).

    Their firings are left out of `firings`: the day plans anew, and a contact that comes out the same stays as it is.
    """
    # What a person or the bot has written is no plan: it waits for its hour.
    where, parameters = scope.where(debtor="debtor_id", portfolio="portfolio_id")
    query = f"""SELECT id, debtor_id, channel, step_key, point_id FROM messaging_contact
        WHERE status = 'DUE' AND planned_for < %s AND purpose NOT IN ('REPLY', 'MANUAL') AND {where}"""
    return tables.fetch(query, [as_of, *parameters], CARRIED)


EVENTS = pa.schema(
    [
        ("debtor_id", pa.int64()),
        ("last_payment_on", pa.date32()),
        ("payments_90d", pa.int64()),
        ("last_promise_on", pa.date32()),
        ("last_dispute_on", pa.date32()),
        ("last_reply_on", pa.date32()),
    ]
)
EVENTS_DAYS = 400
"""How far back events are looked for."""
RECENT_PAYMENTS_DAYS = 90


def read_events(scope: Scope, *, as_of: date) -> pa.Table:
    """Return each debtor's latest payment, promise, dispute and reply up to a day (schema EVENTS)."""
    payment_where, payment_parameters = scope.where(debtor="debtor_id", portfolio="portfolio_id")
    entry_where, entry_parameters = scope.where(debtor="debtor_id")
    # Payments by the day they were paid, the rest by the journal; a debtor may have either or both.
    query = f"""
        WITH paid AS (
            SELECT debtor_id, max(paid_date) AS last_on, count(*) FILTER (WHERE paid_date > %s) AS recent
            FROM payments_payment
            WHERE reversed_at IS NULL AND paid_date <= %s AND paid_date > %s AND {payment_where} GROUP BY debtor_id
        ), fact AS (
            SELECT debtor_id, max(at) FILTER (WHERE kind = 'promise.registered')::date AS promise_on,
                max(at) FILTER (WHERE kind = 'dispute.opened')::date AS dispute_on,
                max(at) FILTER (WHERE kind = 'conversation.received')::date AS reply_on
            FROM journal_entry WHERE kind IN ('promise.registered', 'dispute.opened', 'conversation.received')
                AND at < %s AND at > %s AND {entry_where} GROUP BY debtor_id
        )
        SELECT debtor_id, paid.last_on, coalesce(paid.recent, 0), fact.promise_on, fact.dispute_on, fact.reply_on
        FROM paid FULL JOIN fact USING (debtor_id)"""
    oldest = as_of - timedelta(EVENTS_DAYS)
    # In the order of their places in the query.
    parameters = [
        as_of - timedelta(RECENT_PAYMENTS_DAYS),
        as_of,
        oldest,
        *payment_parameters,
        as_of + timedelta(1),
        oldest,
        *entry_parameters,
    ]
    return tables.fetch(query, parameters, EVENTS)


PLANNED = pa.schema([("debtor_id", pa.int64()), ("channel", pa.string())])


def read_contacted_debtors(scope: Scope, *, as_of: date) -> pa.Table:
    """Return the debtors who have a contact of this day, sent, due or blocked (schema PLANNED)."""
    # A message that could not be delivered to a point that is out of use since is no contact: the day looks for a
    # fallback channel.
    where, parameters = scope.where(debtor="contact.debtor_id")
    query = f"""SELECT contact.debtor_id, contact.channel FROM messaging_contact contact
        WHERE contact.planned_for = %s AND contact.status <> 'CANCELLED' AND contact.purpose <> 'REPLY' AND {where}
            AND NOT ((contact.status = 'FAILED' OR contact.undelivered_at IS NOT NULL) AND EXISTS (
                SELECT FROM portfolio_contactpoint point WHERE point.id = contact.point_id
                    AND (point.retired_at IS NOT NULL OR contact.channel = ANY(point.unusable_for))))"""
    return tables.fetch(query, [as_of, *parameters], PLANNED)


def read_template_channels(codes: Sequence[str]) -> pa.Table:
    """Return which of the template codes are in force, and for which channel (template_code, channel)."""
    # Meta must have approved a WhatsApp template before anything is planned with it; a demonstration asks nobody.
    schema = pa.schema([("template_code", pa.string()), ("channel", pa.string())])
    query = """SELECT DISTINCT code, channel FROM messaging_template
        WHERE retired_at IS NULL AND status = 'APPROVED' AND code = ANY(%s)
            AND (channel <> 'whatsapp' OR provider_status = 'APPROVED' OR %s)"""
    return tables.fetch(query, [list(codes), settings.DEMO], schema)
