"""Rosa, who owes and lives somewhere."""

from datetime import date, timedelta

import pytest

from recobra.messaging.models import Contact, ContactItem
from recobra.portfolio.models import Account, Debtor, Instalment, Posting


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


@pytest.fixture
def post(company, now):
    return Post(company, now)
