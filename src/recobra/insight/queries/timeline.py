"""What happened to a debtor, newest first: the journal with the rows its facts speak of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db.models import Model, Q

from recobra.access.queries import User
from recobra.journal.models import Entry
from recobra.messaging.models import Contact
from recobra.payments.models import Payment
from recobra.portfolio.models import Account, Debtor, Hold, Portfolio
from recobra.portfolio.queries import portfolios_for
from recobra.workbench.models import Task

PAGE_SIZE: Final = 25


@dataclass(frozen=True, kw_only=True)
class Event:
    """One fact with what it is about; `place` says in which zone and format to write it."""

    entry: Entry
    place: Portfolio
    contact: Contact | None
    payment: Payment | None
    task: Task | None
    hold: Hold | None
    account: Account | None

    @property
    def promised_on(self) -> date | None:
        """The day for which a payment was promised, None for any other fact."""
        payload = self.entry.payload if self.entry.kind == "promise.registered" else {}
        return date.fromisoformat(payload["date"]) if "date" in payload else None

    @property
    def promised_minor(self) -> int | None:
        """The amount promised, in minor units of `place`; None where none was named, as on a keypad."""
        return self.entry.payload.get("amount_minor") if self.promised_on else None


def debtor_events(
    user: User, debtor: Debtor, *, before: int | None = None, size: int = PAGE_SIZE
) -> tuple[list[Event], int | None]:
    """Return one page of events and the id to go on before, None at the end.

    Facts of portfolios the user may not see are left out; the debtor must come from a query of the same user.
    """
    portfolios = {portfolio.pk: portfolio for portfolio in portfolios_for(user)}
    seen = Q(portfolio_id__isnull=True) | Q(portfolio_id__in=list(portfolios))
    rows = Entry.objects.filter(seen, debtor_id=debtor.pk)
    rows = rows if before is None else rows.filter(id__lt=before)
    # Facts without a portfolio of their own follow their account's.
    entries = list(rows.order_by("-id")[: size + 1])
    shown = entries[:size]
    return _build_events(shown, portfolios, _home_portfolio(debtor, portfolios)), shown[-1].pk if len(
        entries
    ) > size else None


def _home_portfolio(debtor: Debtor, portfolios: dict[int, Portfolio]) -> Portfolio:
    """Return where facts about the whole debtor are told: the portfolio of the oldest account the user may see."""
    first = debtor.accounts.filter(portfolio_id__in=list(portfolios)).order_by("id").first()
    return portfolios[first.portfolio_id] if first is not None else next(iter(portfolios.values()))


def _build_events(entries: Sequence[Entry], portfolios: dict[int, Portfolio], home: Portfolio) -> list[Event]:
    contacts = _rows_by_id(Contact, [entry.contact_id for entry in entries])
    payments = _rows_by_id(Payment, [entry.payload.get("payment_id") for entry in entries])
    tasks = _rows_by_id(Task, [entry.payload.get("task_id") for entry in entries])
    holds = _rows_by_id(Hold, [entry.payload.get("hold_id") for entry in entries])
    accounts = _rows_by_id(Account, [entry.account_id for entry in entries])
    found = []
    for entry in entries:
        account = accounts.get(entry.account_id)
        if account is not None and account.portfolio_id not in portfolios:
            continue
        of_entry = portfolios.get(entry.portfolio_id or (account.portfolio_id if account else 0), home)
        found.append(
            Event(
                entry=entry,
                place=of_entry,
                account=account,
                contact=contacts.get(entry.contact_id),
                payment=payments.get(entry.payload.get("payment_id")),
                task=tasks.get(entry.payload.get("task_id")),
                hold=holds.get(entry.payload.get("hold_id")),
            )
        )
    return found


def _rows_by_id(model: type[Model], ids: Sequence[int | None]) -> dict[int | None, Any]:
    return dict(model._default_manager.in_bulk([each for each in ids if each is not None]))  # noqa: SLF001 - the generic way to a table's rows
