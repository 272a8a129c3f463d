"""Timeline of a debtor, newest first: journal entries with the rows that they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Model, Q

from recobra.access.queries import User
from recobra.agreements.facts import PromiseRegistered
from recobra.journal.models import Entry
from recobra.messaging.models import Contact
from recobra.payments.models import Payment
from recobra.portfolio.models import Account, Debtor, Hold, Portfolio
from recobra.portfolio.queries import portfolios_for
from recobra.workbench.models import Task

PAGE_SIZE: Final = 25


@dataclass(frozen=True, kw_only=True)
class Event:
    """One fact with the rows that it is about; `place` has the time zone and the format to show it in."""

    entry: Entry
    place: Portfolio
    contact: Contact | None
    payment: Payment | None
    task: Task | None
    hold: Hold | None
    account: Account | None

    @property
    def promise(self) -> PromiseRegistered | None:
        """What was promised, None for any other fact; an amount is in minor units of `place`, None on a keypad."""
        fact = self.entry.fact() if self.entry.kind == PromiseRegistered.kind else None
        return fact if isinstance(fact, PromiseRegistered) else None


def debtor_events(
    user: User, debtor: Debtor, *, before: int | None = None, size: int = PAGE_SIZE
) -> tuple[list[Event], int | None]:
    """Return one page of events, and the id before which the next page begins, None at the end.

    The debtor must come from a query of the same user.
    """
    portfolios = {portfolio.pk: portfolio for portfolio in portfolios_for(user)}
    # A fact without a portfolio is visible here; _build_events drops it where its account is out of scope.
    visible = Q(portfolio_id__isnull=True) | Q(portfolio_id__in=list(portfolios))
    rows = Entry.objects.filter(visible, debtor_id=debtor.pk)
    if before is not None:
        rows = rows.filter(id__lt=before)
    # One more than a page, to know whether another follows.
    entries = list(rows.order_by("-id")[: size + 1])
    shown = entries[:size]
    # Facts about the whole debtor belong to the portfolio of the oldest account that the user may see.
    oldest = debtor.accounts.filter(portfolio_id__in=list(portfolios)).order_by("id").first()
    home = portfolios[oldest.portfolio_id] if oldest is not None else next(iter(portfolios.values()))
    next_before = shown[-1].pk if len(entries) > size else None
    return _build_events(shown, portfolios, home), next_before


def _build_events(entries: Sequence[Entry], portfolios: dict[int, Portfolio], home: Portfolio) -> list[Event]:
    """Return journal entries with the rows they name, without those about accounts outside `portfolios`.

    `portfolios` are those the user may see, by id; `home` is the place of a fact that belongs to none of them.
    """
    contacts = _rows_by_id(Contact, [entry.contact_id for entry in entries])
    payments = _rows_by_id(Payment, [entry.payload.get("payment_id") for entry in entries])
    tasks = _rows_by_id(Task, [entry.payload.get("task_id") for entry in entries])
    holds = _rows_by_id(Hold, [entry.payload.get("hold_id") for entry in entries])
    accounts = _rows_by_id(Account, [entry.account_id for entry in entries])
    events = []
    for entry in entries:
        account = accounts.get(entry.account_id)
        if account is not None and account.portfolio_id not in portfolios:
            continue
        # A fact without a portfolio of its own belongs to its account's.
        portfolio_id = entry.portfolio_id
        if not portfolio_id and account is not None:
            portfolio_id = account.portfolio_id
        place = portfolios.get(portfolio_id, home) if portfolio_id else home
        events.append(
            Event(
                entry=entry,
                place=place,
                account=account,
                contact=contacts.get(entry.contact_id),
                payment=payments.get(entry.payload.get("payment_id")),
                task=tasks.get(entry.payload.get("task_id")),
                hold=holds.get(entry.payload.get("hold_id")),
            )
        )
    return events


def _rows_by_id(model: type[Model], ids: Sequence[int | None]) -> dict[int | None, Any]:
    """Return the rows of a table with some ids, by id; ids that are None are ignored."""
    return dict(model._default_manager.in_bulk([pk for pk in ids if pk is not None]))  # noqa: SLF001 - the generic way to a table's rows
