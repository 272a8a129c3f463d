"""Small portfolios with people who owe: what a test needs of the outbox, and of the post."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest
from django.db import connection

from recobra.messaging import operations as messaging
from recobra.messaging.models import Contact, ContactItem, Template
from recobra.messaging.outbox.plan import PLANNED, PLANNED_OPTIONAL
from recobra.portfolio.models import Account, ContactPoint, Debtor, Instalment, Posting
from tests.people import acting

TODAY = date(2026, 11, 23)


_library: dict[tuple[str, datetime], bytes] = {}
"""Database and instant -> the rows of the starter templates."""


def add_library(now):
    """Give the database its starter templates: read, judged and written by the product once, copied from then on.

    Three hundred tests want them, and none of those the journal's entries about them.
    """
    table = Template._meta.db_table
    key = (connection.settings_dict["NAME"], now)
    if Template.objects.exists():
        messaging.ensure_library(actor=acting("library", now=now))
        return
    if key not in _library:
        messaging.ensure_library(actor=acting("library", now=now))
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} TO STDOUT (FORMAT binary)") as copy:
            _library[key] = b"".join(copy)
        return
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)") as copy:
            copy.write(_library[key])
        # A database that was copied anew counts from its beginning again.
        sequence = f"pg_get_serial_sequence('{table}', 'id')"
        cursor.execute(f"SELECT setval({sequence}, greatest(nextval({sequence}), max(id))) FROM {table}")


class World:
    """Builds what a story needs and looks at what became of it."""

    def __init__(self, company, now):
        self.company, self.now = company, now
        # The journal only grows, also from test to test.
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(id), 0) FROM journal_entry")
            (self._earlier,) = cursor.fetchone()
        add_library(now)

    def debtor(self, name="Rosa Quispe", email="", portfolio=None, **fields):
        portfolio = portfolio or self.company
        count = Debtor.objects.count() + 1
        debtor = Debtor.objects.create(
            creditor=portfolio.creditor, external_id=f"D{count}", name=name, country=portfolio.country, **fields
        )
        ContactPoint.objects.create(
            debtor=debtor, kind="EMAIL", value=email or f"deudor{count}@correo.example", valid=True
        )
        return debtor

    def owes(self, debtor, *, amount_minor=12_345, days=10, number="", portfolio=None, instalment="1"):
        portfolio = portfolio or self.company
        number = number or f"F-{Account.objects.count() + 1:04}"
        account, _ = Account.objects.get_or_create(
            portfolio=portfolio, debtor=debtor, external_id=number, product="INVOICE"
        )
        part = Instalment.objects.create(account=account, number=instalment, due_date=TODAY - timedelta(days=days))
        Posting.objects.create(
            account=account,
            instalment=part,
            kind="CHARGE",
            concept="PRINCIPAL",
            amount_minor=amount_minor,
            value_date=TODAY - timedelta(days=60),
            booked_at=self.now,
        )
        return account

    def pays(self, account):
        part = account.instalments.get()
        owed = sum(account.postings.values_list("amount_minor", flat=True))
        Posting.objects.create(
            account=account,
            instalment=part,
            kind="PAYMENT",
            concept="PRINCIPAL",
            amount_minor=-owed,
            payment_id=1,
            value_date=TODAY,
            booked_at=self.now,
        )

    def row(self, debtor, **changes):
        return {
            "debtor_id": debtor.pk,
            "portfolio_id": self.company.pk,
            "point_id": debtor.points.earliest("pk").pk,
            "channel": "email",
            "template_code": "recordatorio",
            "strategy_version_id": None,
            "step_key": "recordatorio",
            "status": "DUE",
            "planned_for": TODAY,
            "due_at": self.now,
            "closes_at": None,
            "zones": "America/Lima",
            "reason": None,
            "rule": None,
            "article": None,
            **changes,
        }

    def planned(self, debtor, **changes):
        return self.plan_rows([self.row(debtor, **changes)])[0]

    def plan_rows(self, rows):
        schema = pa.schema([*PLANNED, *PLANNED_OPTIONAL])
        written = messaging.plan_contacts(
            contacts=pa.Table.from_pylist(rows, schema=schema), actor=acting("cycle", now=self.now)
        )
        ids = written["contact_id"].to_pylist()
        return [Contact.objects.get(pk=i) for i in ids] if len(ids) < 10 else ids

    def someone_due(self, **changes):
        debtor = self.debtor()
        self.owes(debtor)
        return self.planned(debtor, **changes)

    def dispatch(self, **changes):
        return messaging.dispatch_once(actor=acting("dispatch", now=changes.pop("now", self.now)), **changes)

    def facts(self, kind):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT contact_id, payload->>'reason' FROM journal_entry WHERE kind = %s AND id > %s ORDER BY id",
                [kind, self._earlier],
            )
            return cursor.fetchall()


def soon(begin):
    """What a clock says a short time after a dispatcher began: its own work takes time."""
    return pytest.approx(begin, abs=timedelta(minutes=1))


class Post:
    """Makes debtors with an address, and contacts that were handed over."""

    def __init__(self, company, now):
        self.company, self.now = company, now

    def debtor(self, name="Rosa Quispe", address="Av. Los Próceres 1250, Urb. San Martín, 15046 Lima", minor=12_345):
        number = Debtor.objects.count() + 1
        debtor = Debtor.objects.create(
            creditor=self.company.creditor, external_id=f"D{number}", name=name, country="PE", subdivision="PE-LIM"
        )
        debtor.points.create(kind="ADDRESS", value=address, valid=True)
        account = Account.objects.create(
            portfolio=self.company, debtor=debtor, external_id=f"F-{number:04}", product="INVOICE"
        )
        part = Instalment.objects.create(account=account, number="1", due_date=date(2026, 11, 1))
        self.posts(account, part, minor, "CHARGE")
        return debtor

    def posts(self, account, part, minor, kind):
        Posting.objects.create(
            account=account,
            instalment=part,
            kind=kind,
            concept="PRINCIPAL",
            amount_minor=minor,
            value_date=date(2026, 11, 1),
            booked_at=self.now,
            payment_id=1 if kind == "PAYMENT" else None,
        )

    def pays(self, debtor, minor):
        account = debtor.accounts.get()
        self.posts(account, account.instalments.get(), -minor, "PAYMENT")

    def sent(self, debtor, channel="letter", **changes):
        point = debtor.points.first()
        facts = {
            "debtor": debtor,
            "portfolio": self.company,
            "point": point,
            "channel": channel,
            "template_code": "carta",
            "status": "SENT",
            "planned_for": self.now.date(),
            "planned_at": self.now,
            "due_at": self.now,
            "zones": "America/Lima",
            "handed_over_at": self.now,
            "sent_at": self.now,
            "address": point.value,
            "local_date": self.now.date(),
            "body": "Estimada señora:\n\nLe escribimos.",
            "subject": "Su cuenta",
        }
        contact = Contact.objects.create(**facts | changes)
        ContactItem.objects.create(contact=contact, account=debtor.accounts.get(), overdue_minor=12_345)
        return contact

    def later(self, **time):
        return self.now + timedelta(**time)
