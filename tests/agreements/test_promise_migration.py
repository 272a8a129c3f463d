"""Promises that an older installation kept in its journal, or as the hold of a visit, become rows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from tests import receivables

from recobra.agreements.models import Promise
from recobra.agreements.queries import judge_promises
from recobra.conversations.models import Conversation
from recobra.journal.models import Entry
from recobra.messaging.models import Contact
from recobra.portfolio.models import Hold
from recobra.workbench.models import Visit

AT = datetime(2026, 11, 24, 2, tzinfo=UTC)  # still the 23rd in Lima
OLD_JOURNAL = """INSERT INTO journal_entry (at, kind, actor, actor_id, portfolio_id, debtor_id, contact_id, version, payload)
    VALUES (%s, 'promise.registered', %s, NULL, %s, %s, %s, '', %s)"""


def migrate(*targets):
    """Migrate inside the test's transaction, which a rollback undoes."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    MigrationExecutor(connection).migrate(list(targets))


@pytest.fixture
def rosa(company):
    debtor = receivables.debtor(company, "Rosa")
    receivables.account(company, debtor, "PR-1", (date(2026, 11, 20), 45_050), (date(2026, 12, 20), 50_000))
    return debtor


@pytest.fixture
def told(company):
    """Write an entry as it was written before promises were rows."""

    def write(debtor, payload, *, actor="bot", contact=None, portfolio=company, at=AT):
        with connection.cursor() as cursor:
            cursor.execute("SELECT journal_open_month(%s)", [at.date()])
            ids = [portfolio and portfolio.pk, debtor and debtor.pk, contact and contact.pk]
            cursor.execute(OLD_JOURNAL, [at, actor, *ids, payload])

    return write


def a_visit(company, debtor, **result):
    contact = Contact.objects.create(
        debtor=debtor,
        portfolio=company,
        channel="visit",
        status="SENT",
        handed_over_at=AT,
        sent_at=AT,
        planned_for=AT.date(),
        planned_at=AT,
        due_at=AT,
        zones="America/Lima",
    )
    return Visit.objects.create(contact=contact, route_date=AT.date(), noted_at=AT, noted_by="ana", **result)


@pytest.mark.usefixtures("as_migration")
# `tests/kept` brings the promises of an installation as old over in every run.
@pytest.mark.long
def test_promises_of_the_journal_and_of_visits_become_rows_and_the_payments_judge_them(company, rosa, told):
    migrate(("workbench", "0002_task_queue"), ("agreements", "0001_initial"))
    talk = Conversation.objects.create(channel="sms", address="+51999", debtor=rosa, opened_at=AT, last_at=AT)
    typed = f'{{"date": "2026-11-27", "amount_minor": 20000, "currency": "PEN", "grace_days": 2, "conversation_id": {talk.pk}}}'
    told(rosa, typed)
    told(rosa, '{"date": "2026-11-26", "grace_days": 1, "channel": "ivr"}', actor="debtor", at=AT + timedelta(1))
    told(
        receivables.debtor(company, "Nadie"), '{"date": "2026-11-26", "channel": "ivr"}', actor="debtor"
    )  # owes nothing
    told(None, typed, portfolio=None)  # nobody knew who wrote
    facts = [entry.fact() for entry in Entry.objects.filter(kind="promise.registered", debtor_id=rosa.pk)]
    assert [(fact.promised_on, fact.amount_minor, fact.promise_id) for fact in facts] == [
        (date(2026, 11, 27), 20_000, None),
        (date(2026, 11, 26), None, None),
    ]
    visit = a_visit(company, rosa, result="PROMISE")
    a_visit(company, receivables.debtor(company, "Luis"), result="MET")
    Hold.objects.create(
        debtor=rosa, reason="PROMISE", starts_on="2026-11-23", ends_on="2026-11-28", author="ana", created_at=AT
    )

    migrate(*MigrationExecutor(connection).loader.graph.leaf_nodes())
    names = ("channel", "amount_minor", "promised_on", "grace_days", "registered_on", "registered_by", "contact_id")
    assert list(Promise.objects.order_by("id").values_list(*names)) == [
        ("sms", 20_000, date(2026, 11, 27), 2, date(2026, 11, 23), "bot", None),
        ("ivr", 45_050, date(2026, 11, 26), 1, date(2026, 11, 24), "debtor", None),
        ("visit", 45_050, date(2026, 11, 28), 0, date(2026, 11, 23), "ana", visit.contact_id),
    ]
    assert {judged.state for judged in judge_promises([rosa.pk], as_of=date(2026, 12, 1))} == {"BROKEN"}

    migrate(("workbench", "0002_task_queue"), ("agreements", "0001_initial"))
    assert not Promise.objects.exists()
