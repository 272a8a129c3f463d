"""States, firings and events as tables for the core."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from django.db.models import Count, Exists, Max, OuterRef, Q

from recobra.agreements.snapshot import read_last_promises
from recobra.conversations import snapshot as conversations
from recobra.kit import tables
from recobra.messaging.models import Contact, Template
from recobra.messaging.templates import selection
from recobra.payments.models import Payment
from recobra.portfolio.models import Account
from recobra.portfolio.snapshot import Scope

from .models import Firing

STATES = pa.schema(
    [
        ("account_id", pa.int64()),
        ("debtor_id", pa.int64()),
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
    """Return the state of the accounts as last written, with the debtor of then (schema STATES)."""
    where, ids = "portfolio_id = ANY(%s)", list(scope.portfolio_ids)
    if scope.debtor_ids is not None:
        # A load may have moved an account since: it is found by whose it is now.
        accounts = Account.objects.filter(scope.condition(debtor="debtor_id"))
        where, ids = "account_id = ANY(%s)", list(accounts.values_list("pk", flat=True))
    query = f"SELECT {', '.join(STATES.names)} FROM strategy_accountstate WHERE {where}"
    return tables.fetch(query, [ids], STATES)


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
    in_scope = scope.condition(debtor="account__debtor_id", portfolio="account__portfolio_id")
    firings = Firing.objects.filter(in_scope, voided_at__isnull=True, account__status=Account.Status.OPEN)
    carried = Contact.objects.filter(pk=OuterRef("contact_id"), status=Contact.Status.DUE, planned_for__lt=as_of)
    return tables.fetch_queryset(firings.filter(~Exists(carried)).values_list(*FIRINGS.names), FIRINGS)


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
    in_scope = scope.condition(debtor="debtor_id", portfolio="portfolio_id")
    waiting = Contact.objects.filter(in_scope, status=Contact.Status.DUE, planned_for__lt=as_of)
    # What a person or the bot has written is no plan: it waits for its hour.
    planned = waiting.exclude(purpose__in=[Contact.Purpose.REPLY, Contact.Purpose.MANUAL])
    return tables.fetch_queryset(planned.values_list("pk", "debtor_id", "channel", "step_key", "point_id"), CARRIED)


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
_PAYMENT_EVENTS = pa.schema([EVENTS.field(name) for name in ("debtor_id", "last_payment_on", "payments_90d")])


def read_events(scope: Scope, *, as_of: date) -> pa.Table:
    """Return each debtor's latest payment, promise, dispute and reply up to a day (schema EVENTS)."""
    oldest = as_of - timedelta(EVENTS_DAYS)
    in_scope = scope.condition(debtor="debtor_id", portfolio="portfolio_id")
    payments = Payment.objects.filter(in_scope, reversed_at__isnull=True, paid_date__gt=oldest, paid_date__lte=as_of)
    is_recent = Q(paid_date__gt=as_of - timedelta(RECENT_PAYMENTS_DAYS))
    paid = payments.order_by().values("debtor_id").annotate(last=Max("paid_date"), recent=Count("pk", filter=is_recent))
    payment_events = tables.fetch_queryset(paid.values_list("debtor_id", "last", "recent"), _PAYMENT_EVENTS)
    # A debtor may have any of them.
    promises = read_last_promises(scope, since=oldest, as_of=as_of)
    said = conversations.read_events(scope, since=oldest, until=as_of + timedelta(1))
    events = payment_events
    for table in (promises, said):
        events = events.join(table, keys="debtor_id", join_type="full outer")
    counts = pc.coalesce(events["payments_90d"], pa.scalar(0, pa.int64()))
    return events.set_column(events.schema.get_field_index("payments_90d"), "payments_90d", counts).select(EVENTS.names)


PLANNED = pa.schema([("debtor_id", pa.int64()), ("channel", pa.string())])


def read_contacted_debtors(scope: Scope, *, as_of: date) -> pa.Table:
    """Return the debtors who have a contact of this day, sent, due or blocked (schema PLANNED)."""
    contacts = Contact.objects.filter(scope.condition(debtor="debtor_id")).occupying(as_of)
    return tables.fetch_queryset(contacts.values_list("debtor_id", "channel"), PLANNED)


def read_template_channels(codes: Sequence[str]) -> pa.Table:
    """Return which of the template codes are in force, and for which channel (template_code, channel)."""
    schema = pa.schema([("template_code", pa.string()), ("channel", pa.string())])
    templates = Template.objects.filter(status=Template.Status.APPROVED, retired_at__isnull=True, code__in=list(codes))
    # Meta must have approved a WhatsApp template before anything is planned with it.
    templates = templates.exclude(selection.needs_registration())
    return tables.fetch_queryset(templates.order_by().values_list("code", "channel").distinct(), schema)
