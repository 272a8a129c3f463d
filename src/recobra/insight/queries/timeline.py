"""Timeline of a debtor, newest first: journal entries with the rows that they are about."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Model, Q

from recobra.access.queries import User
from recobra.agreements.facts import PromiseRegistered
from recobra.journal.facts import Fact, FactRefused
from recobra.journal.models import Entry
from recobra.journal.queries import OPENED
from recobra.messaging.models import Contact
from recobra.payments.facts import PaymentRecorded, PaymentReversed
from recobra.payments.models import Payment
from recobra.portfolio.facts import (
    ContactPointAdded,
    ContactPointCorrected,
    ContactPointPlaced,
    ContactPointRetired,
    DebtorJoined,
    DebtorPartedAgain,
    HoldLifted,
    HoldPlaced,
    NoteWritten,
    PartyAdded,
    PartyRetired,
    PreferencesSet,
)
from recobra.portfolio.models import Account, ContactPoint, Debtor, DebtorNote, Hold, Portfolio
from recobra.portfolio.queries import portfolios_for, with_joined
from recobra.strategy.facts import StageChanged
from recobra.workbench.facts import TaskClosed, TaskCreated
from recobra.workbench.models import Task

PAGE_SIZE: Final = 25
_OF_POINTS: Final = (ContactPointAdded, ContactPointCorrected, ContactPointRetired, ContactPointPlaced)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Event:
    """One fact with the rows that it is about; `place` has the time zone and the format to show it in.

    `fact` is None for an entry that no longer fits its kind: it is shown by its label alone.
    """

    entry: Entry
    fact: Fact | None
    place: Portfolio
    contact: Contact | None
    payment: Payment | None
    task: Task | None
    hold: Hold | None
    account: Account | None
    point: ContactPoint | None
    note: DebtorNote | None

    @property
    def promise(self) -> PromiseRegistered | None:
        """What was promised, None for any other fact; an amount is in minor units of `place`, None on a keypad."""
        return self.fact if isinstance(self.fact, PromiseRegistered) else None

    @property
    def point_detail(self) -> object:
        """Why a contact point went out of use, or whose it is, in words; '' for any other fact."""
        if isinstance(self.fact, ContactPointRetired):
            return dict(ContactPoint.RetiredBecause.choices).get(self.fact.reason, "")
        if isinstance(self.fact, ContactPointAdded | ContactPointPlaced) and self.fact.place:
            return dict(ContactPoint.Place.choices).get(self.fact.place, "")
        return ""

    @property
    def next_stage(self) -> str:
        """Stage that an account passed to, '' for any other fact."""
        return self.fact.to_stage if isinstance(self.fact, StageChanged) else ""


def debtor_events(
    user: User, debtor: Debtor, *, before: int | None = None, size: int = PAGE_SIZE
) -> tuple[list[Event], int | None]:
    """Return one page of events, and the id before which the next page begins, None at the end.

    The debtor must come from a query of the same user.
    """
    portfolios = {portfolio.pk: portfolio for portfolio in portfolios_for(user)}
    # A fact without a portfolio is visible here; _build_events drops it where its account is out of scope.
    visible = Q(portfolio_id__isnull=True) | Q(portfolio_id__in=list(portfolios))
    both = with_joined([debtor.pk])
    rows = Entry.objects.filter(visible, debtor_id__in=both).exclude(kind=OPENED)
    # Who was joined has the same fact.
    rows = rows.exclude(kind__in=[DebtorJoined.kind, DebtorPartedAgain.kind], debtor_id__in=both[1:])
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
    facts = [_read_fact(entry) for entry in entries]
    contacts = _rows_by_id(Contact, [entry.contact_id for entry in entries])
    payments = _rows_by_id(Payment, [_payment_id(fact) for fact in facts])
    tasks = _rows_by_id(Task, [_task_id(fact) for fact in facts])
    holds = _rows_by_id(Hold, [_hold_id(fact) for fact in facts])
    accounts = _rows_by_id(Account, [entry.account_id for entry in entries])
    points = _rows_by_id(ContactPoint, [_point_id(fact) for fact in facts])
    notes = _rows_by_id(DebtorNote, [_note_id(fact) for fact in facts])
    events = []
    for entry, fact in zip(entries, facts, strict=True):
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
                fact=fact,
                place=place,
                account=account,
                contact=contacts.get(entry.contact_id),
                payment=payments.get(_payment_id(fact)),
                task=tasks.get(_task_id(fact)),
                hold=holds.get(_hold_id(fact)),
                point=points.get(_point_id(fact)),
                note=notes.get(_note_id(fact)),
            )
        )
    return events


def _read_fact(entry: Entry) -> Fact | None:
    """Return what an entry says, None where it does not fit its kind."""
    try:
        return entry.fact()
    except FactRefused as refusal:
        _log.warning("Entry %s of the journal cannot be read: %s", entry.pk, refusal)
        return None


def _payment_id(fact: Fact | None) -> int | None:
    return fact.payment_id if isinstance(fact, PaymentRecorded | PaymentReversed) else None


def _task_id(fact: Fact | None) -> int | None:
    return fact.task_id if isinstance(fact, TaskCreated | TaskClosed) else None


def _hold_id(fact: Fact | None) -> int | None:
    return fact.hold_id if isinstance(fact, HoldPlaced | HoldLifted) else None


def _point_id(fact: Fact | None) -> int | None:
    """Return the contact point that a fact is about: of a correction that which stands now."""
    if isinstance(fact, ContactPointCorrected):
        return fact.corrected_by
    return fact.point_id if isinstance(fact, _OF_POINTS) else None


def _note_id(fact: Fact | None) -> int | None:
    return (
        fact.note_id if isinstance(fact, (*_OF_POINTS, PreferencesSet, NoteWritten, PartyAdded, PartyRetired)) else None
    )


def _rows_by_id(model: type[Model], ids: Sequence[int | None]) -> dict[int | None, Any]:
    """Return the rows of a table with some ids, by id; ids that are None are ignored."""
    return dict(model._default_manager.in_bulk([pk for pk in ids if pk is not None]))  # noqa: SLF001 - the generic way to a table's rows
