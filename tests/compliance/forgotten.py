"""People whose debts were paid long ago, with all that a product holds about them; and the figures of those days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.db import connection
from django.db.models import Count, Sum

from recobra.agreements.models import Promise
from recobra.consent.models import ConsentEntry, Silence
from recobra.conversations.models import Attachment, Conversation, ConversationMessage
from recobra.insight.queries import board, compliance
from recobra.insight.queries.message_results import ResultsQuery, message_results
from recobra.kit.personal_data import ERASED
from recobra.messaging.models import Contact, Receipt
from recobra.payments.models import Payment
from recobra.portfolio.models import Account, ContactPoint, Debtor, Hold, Instalment, Posting
from recobra.strategy.models import AccountState, KpiDay

LONG_AGO = datetime(2020, 3, 10, 15, 0, tzinfo=UTC)
DAY = LONG_AGO.date()
TABLES = (
    "portfolio_debtor",
    "portfolio_contactpoint",
    "portfolio_account",
    "portfolio_posting",
    "payments_payment",
    "messaging_contact",
    "messaging_receipt",
    "consent_consententry",
)
"""The larger tables that `settle` writes."""


def phone(number):
    return f"+5199{number:07}"


def settle(portfolio, count, *, first=0):
    """Debtors who were written to, spoke, some asked for silence, and paid all; return them."""
    numbers = range(first, first + count)
    debtors = Debtor.objects.bulk_create(
        Debtor(
            creditor=portfolio.creditor,
            external_id=f"4{number:07}",
            name=f"Persona Olvidada {number}",
            country="PE",
            national_id_kind="DNI",
            national_id=f"4{number:07}",
        )
        for number in numbers
    )
    by_number = list(zip(numbers, debtors, strict=True))
    points = ContactPoint.objects.bulk_create(
        ContactPoint(debtor=debtor, kind="PHONE", value=phone(number), valid=True) for number, debtor in by_number
    )
    accounts = Account.objects.bulk_create(
        Account(
            portfolio=portfolio,
            debtor=debtor,
            external_id=f"CRED-{number:07}",
            product="LOAN",
            status="PAID",
            contract=f"C-{number}",
            attributes={"empresa": f"Empleador de {number}"},
        )
        for number, debtor in by_number
    )
    parts = Instalment.objects.bulk_create(
        Instalment(account=account, number="1", due_date=DAY - timedelta(30)) for account in accounts
    )
    payments = Payment.objects.bulk_create(
        Payment(
            portfolio=portfolio,
            debtor=account.debtor,
            account=account,
            amount_minor=10_000 + at,
            paid_date=DAY,
            received_at=LONG_AGO,
            source="FILE",
            reference=f"Depósito de {account.debtor.name}",
            actor="intake",
        )
        for at, account in enumerate(accounts)
    )
    rows = []
    for part, payment in zip(parts, payments, strict=True):
        for kind, sign in (("CHARGE", 1), ("PAYMENT", -1)):
            rows.append(
                Posting(
                    account=part.account,
                    instalment=part,
                    kind=kind,
                    concept="PRINCIPAL",
                    amount_minor=sign * payment.amount_minor,
                    value_date=DAY - timedelta(30) if sign > 0 else DAY,
                    booked_at=LONG_AGO,
                    payment_id=payment.pk if sign < 0 else None,
                )
            )
    Posting.objects.bulk_create(rows)
    AccountState.objects.bulk_create(
        AccountState(
            account=account,
            portfolio_id=portfolio.pk,
            debtor_id=account.debtor_id,
            balance_minor=0,
            overdue_minor=0,
            bucket="0",
            stage="PREVENTIVE",
            segment="A",
            stage_since=DAY,
        )
        for account in accounts
    )
    _write_to(portfolio, points)
    with connection.cursor() as cursor:
        # As after every load: without it ten thousand rows are planned for as if there were a few.
        cursor.execute("ANALYZE")
    return debtors


def _write_to(portfolio, points):
    contacts = Contact.objects.bulk_create(
        Contact(
            debtor=point.debtor,
            portfolio=portfolio,
            point=point,
            channel="sms",
            template_code="recordatorio",
            status="SENT",
            planned_for=DAY - timedelta(3),
            planned_at=LONG_AGO - timedelta(3),
            due_at=LONG_AGO - timedelta(3),
            zones="America/Lima",
            handed_over_at=LONG_AGO - timedelta(3),
            sent_at=LONG_AGO - timedelta(3),
            replied_at=LONG_AGO - timedelta(2),
            local_date=DAY - timedelta(3),
            address=point.value,
            body=f"Hola {point.debtor.name}, debe S/ 100.00.",
            provider_reference=f"SM-{point.pk}",
        )
        for point in points
    )
    Receipt.objects.bulk_create(
        Receipt(contact=each, kind="DELIVERED", at=LONG_AGO, received_at=LONG_AGO, event_key=f"old-{each.pk}")
        for each in contacts
    )
    talks = Conversation.objects.bulk_create(
        Conversation(
            channel="sms",
            address=each.address,
            debtor=each.debtor,
            status="CLOSED",
            opened_at=LONG_AGO - timedelta(2),
            last_at=LONG_AGO - timedelta(2),
            bot_state={"nombre": each.debtor.name},
        )
        for each in contacts
    )
    messages = ConversationMessage.objects.bulk_create(
        ConversationMessage(
            conversation=talk,
            direction="IN",
            text=f"Soy {talk.debtor.name}",
            at=LONG_AGO - timedelta(2),
            received_at=LONG_AGO - timedelta(2),
            provider_reference=f"IN-{talk.pk}",
        )
        for talk in talks
    )
    Attachment.objects.bulk_create(
        Attachment(message=message, name=f"{message.conversation.debtor.name}.pdf") for message in messages[::5]
    )
    Promise.objects.bulk_create(
        Promise(
            portfolio=portfolio,
            debtor=each.debtor,
            amount_minor=10_000,
            currency="PEN",
            promised_on=DAY,
            grace_days=2,
            channel="sms",
            registered_on=DAY - timedelta(2),
            registered_at=LONG_AGO - timedelta(2),
            registered_by="bot",
        )
        for each in contacts[::7]
    )
    Hold.objects.bulk_create(
        Hold(
            debtor=each.debtor,
            reason="ILLNESS",
            starts_on=DAY - timedelta(9),
            ends_on=DAY - timedelta(5),
            note=f"Habló la hija de {each.debtor.name}",
            author="ana",
            created_at=LONG_AGO - timedelta(9),
        )
        for each in contacts[::4]
    )
    for each in contacts[::3]:
        silence(each.address, debtor=each.debtor, contact=each)


def silence(value, *, debtor=None, contact=None, at=LONG_AGO - timedelta(2)):
    """An opt-out as the ledger keeps it."""
    entry = ConsentEntry.objects.create(
        at=at,
        kind="PHONE",
        value=value,
        channel="sms",
        act="OPTED_OUT",
        source="KEYWORD",
        said="BAJA por favor, soy su hija",
        debtor=debtor,
        contact=contact,
        actor="debtor",
    )
    Silence.objects.create(kind="PHONE", value=value, since=at, entry=entry)
    ContactPoint.objects.filter(value=value).update(opted_out_at=at)
    return entry


def figures(portfolio, user):
    """Every figure of the days in which these people owed, paid and were written to."""
    month = compliance.compliance_month(user, country="PE", month=date(2020, 3, 1))
    query = ResultsQuery(
        portfolios=[portfolio], from_day=date(2020, 2, 1), to_day=date(2020, 4, 1), today=date(2020, 4, 2)
    )
    results = [message_results(query), *(message_results(_by(query, by)) for by in ("plantilla", "cartera", "pais"))]
    postings = Posting.objects.filter(account__portfolio=portfolio)
    return {
        "month": month,
        "results": results,
        "cash": board.cash_received([portfolio], LONG_AGO),
        "ledger": list(
            postings.values("account_id", "kind", "concept", "value_date")
            .annotate(minor=Sum("amount_minor"), lines=Count("id"))
            .order_by("account_id", "kind", "concept", "value_date")
        ),
        "payments": list(
            Payment.objects.values("paid_date", "source").annotate(minor=Sum("amount_minor"), n=Count("id"))
        ),
        "contacts": list(
            Contact.objects.values("planned_for", "channel", "status", "debtor_id")
            .annotate(n=Count("id"))
            .order_by("debtor_id")
        ),
        "talks": list(ConversationMessage.objects.values("at", "direction").annotate(n=Count("id"))),
        "states": list(AccountState.objects.order_by("account_id").values()),
        "kpis": list(KpiDay.objects.order_by("pk").values()),
        "promises": list(Promise.objects.order_by("pk").values()),
        "consent": list(ConsentEntry.objects.order_by("pk").values("at", "act", "source", "channel", "debtor_id")),
    }


def _by(query, by):
    return ResultsQuery(
        portfolios=query.portfolios, from_day=query.from_day, to_day=query.to_day, today=query.today, by=by
    )


def erased_marks():
    """How many numbers of debtors stand there as erased."""
    return Debtor.objects.filter(external_id__startswith=ERASED).count()
