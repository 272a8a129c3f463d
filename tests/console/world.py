"""A small company with debts of every kind of age, written straight into the tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import transaction

from recobra.intake.models import Load
from recobra.journal.operations import record_fact
from recobra.messaging.facts import ContactSent
from recobra.messaging.models import Contact, Template
from recobra.payments.models import Payment
from recobra.payments.operations import record_payment
from recobra.portfolio.models import Account, ContactPoint, Debtor, Hold, Instalment, Portfolio, Posting
from recobra.portfolio.operations import place_hold
from recobra.strategy.models import AccountState, Alarm
from recobra.workbench.models import Task
from tests.people import acting

# name, national id, phone, overdue days and overdue, not yet due (céntimos)
PEOPLE = [
    ("María Ñahui Quispe", "45678912", "+51987654321", 12, 45_050, 120_000),
    ("José Pérez Núñez", "40112233", "+51911222333", 45, 130_000, 80_000),
    ("Comercial Andina S.A.C.", "20512345678", "+5114441234", 75, 980_000, 0),
    ("Lucía Rojas", "41999888", "+51900111222", 130, 260_075, 0),
    ("Pedro Huamán", "", "+51933444555", 0, 0, 310_000),
]


@dataclass(frozen=True)
class World:
    """What the tests speak about: the portfolio, and debtors and accounts by the debtor's first name."""

    portfolio: Portfolio
    debtors: dict[str, Debtor]
    accounts: dict[str, Account]
    sent: Contact
    payment: Payment
    hold: Hold
    task: Task


def build(portfolio: Portfolio, now: datetime) -> World:
    """Write five debtors with one account each; María also has a message sent, one planned and an open task."""
    today = (now - timedelta(hours=5)).date()
    debtors, accounts = {}, {}
    for order, person in enumerate(PEOPLE, start=1):
        debtor, account = _person(portfolio, order, person, today)
        first = person[0].split()[0]
        debtors[first], accounts[first] = debtor, account
    sent = _contacts(portfolio, debtors["María"], accounts["María"], today)
    task = Task.objects.create(
        portfolio=portfolio,
        debtor=debtors["María"],
        account=accounts["María"],
        kind="call",
        title="Llamar a María",
        due_date=today,
        created_at=now,
        created_by="cycle",
    )
    text = "The last load is older than the portfolio allows: its debtors are not contacted."
    Alarm.objects.create(portfolio=portfolio, kind="stale_load", text=text, raised_at=now)
    Load.objects.create(
        portfolio=portfolio,
        file_name="cartera-2026-11-20.csv",
        file_sha256="0" * 64,
        as_of=today - timedelta(days=3),
        status=Load.Status.DONE,
        figures={"rows": 5},
        started_at=now,
        finished_at=now,
        actor="ana",
    )
    payment = _payment(portfolio, debtors["José"], accounts["José"], now)
    hold = place_hold(
        debtor_id=debtors["Lucía"].pk,
        reason="ILLNESS",
        starts_on=today,
        note="Hospitalizada",
        actor=acting("ana", now=now),
    )
    return World(portfolio, debtors, accounts, sent, payment, hold, task)


def _person(portfolio: Portfolio, order: int, person: tuple, today: date) -> tuple[Debtor, Account]:
    name, national_id, phone, days, overdue, rest = person
    kind = Debtor.Kind.COMPANY if "S.A." in name else Debtor.Kind.PERSON
    debtor = Debtor.objects.create(
        creditor=portfolio.creditor,
        external_id=f"CLI-{order:04}",
        kind=kind,
        name=name,
        national_id=national_id,
        national_id_kind="DNI" if national_id else "",
        country=portfolio.country,
    )
    ContactPoint.objects.create(debtor=debtor, kind="PHONE", value=phone, valid=True, quality=80)
    mail = f"persona{order}@correo.example"
    ContactPoint.objects.create(debtor=debtor, kind="EMAIL", value=mail, valid=True, quality=60)
    product = Account.Product.INVOICE if kind == Debtor.Kind.COMPANY else Account.Product.LOAN
    account = Account.objects.create(
        portfolio=portfolio, debtor=debtor, external_id=f"PR-{1000 + order}", product=product
    )
    due = today - timedelta(days=days) if days else None
    _charges(account, due, overdue, today + timedelta(days=20), rest)
    _state(account, due, overdue, rest, today)
    return debtor, account


def _charges(account: Account, due: date | None, overdue: int, next_due: date, rest: int) -> None:
    for number, day, amount in (("1", due, overdue), ("2", next_due, rest)):
        if amount:
            instalment = Instalment.objects.create(account=account, number=number, due_date=day)
            Posting.objects.create(
                account=account,
                instalment=instalment,
                kind="CHARGE",
                concept="PRINCIPAL",
                amount_minor=amount,
                value_date=date(2026, 1, 15),
                booked_at=datetime(2026, 1, 15, 12, tzinfo=UTC),
            )


BUCKETS = ((0, "not_due"), (30, "early_30"), (60, "early_60"), (90, "early_90"), (9999, "late"))


def _state(account: Account, due: date | None, overdue: int, rest: int, today: date) -> None:
    days = (today - due).days if due else 0
    bucket = next(key for limit, key in BUCKETS if days <= limit)
    stage = "PREVENTIVE" if days < 1 else "ADMINISTRATIVE" if days < 61 else "EXTRAJUDICIAL"
    AccountState.objects.create(
        account=account,
        portfolio_id=account.portfolio_id,
        debtor_id=account.debtor_id,
        balance_minor=overdue + rest,
        overdue_minor=overdue,
        oldest_due_date=due,
        next_due_date=today + timedelta(days=20),
        bucket=bucket,
        stage=stage,
        segment="minorista",
        cycle_date=due,
        stage_since=today,
    )


def _contacts(portfolio: Portfolio, debtor: Debtor, account: Account, today: date) -> Contact:
    template = Template.objects.create(
        code="recordatorio",
        version=1,
        channel="email",
        name="Recordatorio",
        subject="Su cuota",
        text="…",
        html="…",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        created_by="carla",
    )
    yesterday = today - timedelta(days=1)
    at = datetime(yesterday.year, yesterday.month, yesterday.day, 15, tzinfo=UTC)
    point = debtor.points.get(kind="EMAIL")
    common = {
        "debtor": debtor,
        "portfolio": portfolio,
        "channel": "email",
        "template_code": "recordatorio",
        "zones": "America/Lima",
        "point": point,
        "template": template,
    }
    sent = Contact.objects.create(
        **common,
        status="SENT",
        planned_for=yesterday,
        planned_at=at,
        due_at=at,
        handed_over_at=at,
        sent_at=at,
        address=point.value,
        subject="Su cuota venció",
        body="Estimada María: su cuota de S/ 450.50 venció.",
    )
    sent.items.create(account=account, overdue_minor=45_050)
    Contact.objects.create(
        **common, status="DUE", planned_for=today, planned_at=at, due_at=at + timedelta(days=1, hours=2)
    )
    with transaction.atomic():
        record_fact(
            ContactSent(channel=sent.channel, step="", reason=""),
            actor=acting("dispatch", now=at),
            portfolio_id=portfolio.pk,
            debtor_id=debtor.pk,
            contact_id=sent.pk,
        )
    return sent


def _payment(portfolio: Portfolio, debtor: Debtor, account: Account, now: datetime) -> Payment:
    return record_payment(
        portfolio_id=portfolio.pk,
        debtor_id=debtor.pk,
        account_id=account.pk,
        amount_minor=30_000,
        paid_date=(now - timedelta(days=2)).date(),
        reference="OP-0001",
        source="SCREEN",
        actor=acting("ana", now=now),
    )
