"""Receivables for tests: accounts with instalments and postings, and a fresh load behind them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from recobra.agreements.models import Promise
from recobra.intake.models import Load
from recobra.portfolio.models import Account, Concept, ContactPoint, Debtor, Instalment, Portfolio, Posting

BOOKED = datetime(2026, 1, 1, tzinfo=UTC)


def debtor(portfolio: Portfolio, name: str, *, email: str | None = "", **more: object) -> Debtor:
    """A debtor of the portfolio's creditor; with an e-mail address of their own unless None is asked for."""
    person = Debtor.objects.create(
        creditor=portfolio.creditor, external_id=name, name=name, country=portfolio.country, **more
    )
    if email is not None:
        ContactPoint.objects.create(
            debtor=person, kind="EMAIL", value=email or f"{name}@example.com".lower().replace(" ", "."), valid=True
        )
    return person


def account(
    portfolio: Portfolio, person: Debtor, number: str, *dues: tuple[date, int], product: str = "LOAN"
) -> Account:
    """An account with one instalment per (due date, principal in minor units)."""
    made = Account.objects.create(portfolio=portfolio, debtor=person, external_id=number, product=product)
    for at, (due_date, amount_minor) in enumerate(dues, start=1):
        part = Instalment.objects.create(account=made, number=str(at), due_date=due_date)
        Posting.objects.create(
            account=made,
            instalment=part,
            kind="CHARGE",
            concept=Concept.PRINCIPAL,
            amount_minor=amount_minor,
            value_date=min(due_date - timedelta(30), BOOKED.date()),
            booked_at=BOOKED,
        )
    return made


def fresh_load(portfolio: Portfolio, *, as_of: date, now: datetime) -> Load:
    """A load of the day, so that the portfolio may be contacted."""
    return Load.objects.create(
        portfolio=portfolio,
        file_name="cartera.csv",
        file_sha256="0" * 64,
        as_of=as_of,
        status=Load.Status.DONE,
        started_at=now,
        finished_at=now,
        actor="intake",
    )


def promise(portfolio: Portfolio, person: Debtor, at: datetime, **more: object) -> Promise:
    """A promise of 100.00 for the third day after an instant."""
    fields = {
        "amount_minor": 10_000,
        "currency": portfolio.currency,
        "promised_on": at.date() + timedelta(3),
        "grace_days": 2,
        "channel": "whatsapp",
        "registered_on": at.date(),
        "registered_at": at,
        "registered_by": "bot",
    }
    return Promise.objects.create(portfolio=portfolio, debtor=person, **fields | more)
