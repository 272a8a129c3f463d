"""File of one debtor: accounts with live balances, payments, tasks and the next step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db.models import Q, Sum

from recobra.access.queries import User
from recobra.agreements.queries import JudgedPromise, promises_for
from recobra.insight.queries.readiness import lacks_of, near_limitation
from recobra.intake.models import Load
from recobra.intake.queries import loads_by_id
from recobra.messaging.models import Contact
from recobra.payments.models import Payment
from recobra.payments.queries import money_in_hand_for
from recobra.portfolio import queries as portfolio_queries
from recobra.portfolio.models import Account, ContactPoint, Debtor, Hold, Instalment, Party, Portfolio
from recobra.strategy.models import AccountState
from recobra.workbench.models import Task

PAYMENTS_SHOWN: Final = 20
STAGES: Final = ("PREVENTIVE", "ADMINISTRATIVE", "EXTRAJUDICIAL", "JUDICIAL")


@dataclass(frozen=True, kw_only=True)
class InstalmentView:
    """One instalment or document with its charges and its balance, in minor units.

    `load` is that whose file last said something new of it; None where nobody can tell, or the user may not see it.
    """

    instalment: Instalment
    charged_minor: int
    balance_minor: int
    overdue_days: int
    load: Load | None


@dataclass(frozen=True, kw_only=True)
class AccountView:
    """An account by its ledger of this moment; `state` is the last cycle's, None before the first.

    `missing` is what it lacks before the machine can work it; `prescribed_on` is None while that day is not near.
    """

    account: Account
    state: AccountState | None
    parts: list[InstalmentView]
    missing: tuple[str, ...]
    prescribed_on: date | None
    people: Sequence[Party]

    @property
    def balance_minor(self) -> int:
        """Balance of all parts."""
        return sum(part.balance_minor for part in self.parts)

    @property
    def overdue_minor(self) -> int:
        """Balance of the parts whose due date has passed."""
        return sum(part.balance_minor for part in self.parts if part.overdue_days > 0)

    @property
    def overdue_days(self) -> int:
        """Days past due of the oldest unpaid part."""
        return max((part.overdue_days for part in self.parts if part.balance_minor > 0), default=0)


@dataclass(frozen=True, kw_only=True)
class Total:
    """Balances in one currency; `place` is a portfolio whose format they are shown in.

    They are those of the ledger: `in_hand_minor` was paid and found no open amount, and is not asked for again.
    """

    place: Portfolio
    balance_minor: int
    overdue_minor: int
    in_hand_minor: int


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """The next thing to happen, with its row.

    kind: held, contact, task, blocked, settled, party (only named in accounts of others) or none.
    """

    kind: str
    hold: Hold | None = None
    contact: Contact | None = None
    task: Task | None = None


@dataclass(frozen=True, kw_only=True)
class DebtorFile:
    """Everything on the page of a debtor."""

    debtor: Debtor
    place: Portfolio
    accounts: list[AccountView]
    totals: list[Total]
    points: list[ContactPoint]
    holds: list[Hold]
    promises: Sequence[JudgedPromise]
    payments: list[Payment]
    payment_count: int
    tasks: list[Task]
    next_step: NextStep
    stage: str
    overdue_days: int


def debtor_file_for(user: User, debtor_id: int, now: datetime) -> DebtorFile:
    """Return a debtor's file within the user's scope. Raises Debtor.DoesNotExist."""
    debtor = portfolio_queries.debtor_for(user, debtor_id)
    portfolios = portfolio_queries.portfolios_for(user)
    own_accounts = list(portfolio_queries.accounts_for(user, debtor_id))
    # Somebody only named in accounts of others has none, and is shown in the format of any portfolio.
    place = own_accounts[0].portfolio if own_accounts else portfolios[0]
    accounts = _account_views(user, own_accounts, now)
    holds = portfolio_queries.holds_for(user, debtor)
    tasks = list(Task.objects.filter(debtor=debtor, portfolio__in=portfolios, status="OPEN").order_by("due_date", "id"))
    payments = Payment.objects.filter(debtor=debtor, portfolio__in=portfolios).select_related("account", "portfolio")
    stages = [view.state.stage for view in accounts if view.state and view.state.stage in STAGES]
    return DebtorFile(
        debtor=debtor,
        place=place,
        accounts=accounts,
        totals=_totals_by_currency(accounts, in_hand=money_in_hand_for(user, debtor_id)),
        points=portfolio_queries.list_contact_points(debtor),
        holds=holds,
        promises=promises_for(user, debtor, as_of=place.local_day(now)),
        payments=list(payments[:PAYMENTS_SHOWN]),
        payment_count=payments.count(),
        tasks=tasks,
        next_step=_next_step(
            debtor=debtor, portfolios=portfolios, accounts=accounts, tasks=tasks, today=place.local_day(now)
        ),
        stage=max(stages, key=STAGES.index, default=""),
        overdue_days=max((view.overdue_days for view in accounts), default=0),
    )


def payment_for(user: User, debtor_id: int, payment_id: int) -> Payment:
    """Return a payment of a debtor in a portfolio the user may see. Raises Payment.DoesNotExist."""
    rows = Payment.objects.select_related("portfolio", "account")
    return rows.get(pk=payment_id, debtor=debtor_id, portfolio__in=portfolio_queries.portfolios_for(user))


def task_for(user: User, debtor_id: int, task_id: int) -> Task:
    """Return a task of a debtor in a portfolio the user may see. Raises Task.DoesNotExist."""
    return Task.objects.get(pk=task_id, debtor=debtor_id, portfolio__in=portfolio_queries.portfolios_for(user))


def contact_for(user: User, debtor_id: int, contact_id: int) -> Contact:
    """Return a contact of a debtor. Raises Contact.DoesNotExist."""
    rows = Contact.objects.select_related("portfolio", "debtor", "template", "point")
    return rows.get(pk=contact_id, debtor=debtor_id, portfolio__in=portfolio_queries.portfolios_for(user))


def _account_views(user: User, accounts: Sequence[Account], now: datetime) -> list[AccountView]:
    """Return the accounts with their instalments, the most overdue first."""
    states = AccountState.objects.in_bulk([account.pk for account in accounts])
    charged = Sum("postings__amount_minor", filter=Q(postings__kind="CHARGE"))
    owed = Sum("postings__amount_minor")
    instalments = list(
        Instalment.objects.filter(account__in=accounts)
        .annotate(charged=charged, owed=owed)
        .order_by("due_date", "number")
    )
    # What was loaded before lines were kept still has the load that created its account.
    load_ids = {instalment.load_id for instalment in instalments} | {account.load_id for account in accounts}
    loads = loads_by_id(user, load_ids)
    first_loads = {account.pk: account.load_id for account in accounts}
    missing = lacks_of(account.pk for account in accounts)
    people = portfolio_queries.people_around(accounts)
    parts: dict[int, list[InstalmentView]] = {account.pk: [] for account in accounts}
    today = {account.pk: account.portfolio.local_day(now) for account in accounts}
    for instalment in instalments:
        # A sum over no postings is None.
        charged_minor = getattr(instalment, "charged", None) or 0
        balance_minor = getattr(instalment, "owed", None) or 0
        overdue_days = 0
        if instalment.due_date and balance_minor > 0:
            overdue_days = max((today[instalment.account_id] - instalment.due_date).days, 0)
        parts[instalment.account_id].append(
            InstalmentView(
                instalment=instalment,
                charged_minor=charged_minor,
                balance_minor=balance_minor,
                overdue_days=overdue_days,
                load=loads.get(instalment.load_id or first_loads[instalment.account_id] or 0),
            )
        )
    views = []
    for account in accounts:
        unpaid = [part.instalment.due_date for part in parts[account.pk] if part.balance_minor > 0]
        oldest = min((day for day in unpaid if day), default=None)
        views.append(
            AccountView(
                account=account,
                state=states.get(account.pk),
                parts=parts[account.pk],
                missing=missing.get(account.pk, ()),
                prescribed_on=near_limitation(account.portfolio, oldest, today=today[account.pk]),
                people=people.get(account.pk, ()),
            )
        )
    return sorted(views, key=lambda view: (-view.overdue_days, -view.balance_minor, view.account.pk))


def _totals_by_currency(accounts: Sequence[AccountView], *, in_hand: Mapping[str, int]) -> list[Total]:
    """Add up the accounts of each currency; `in_hand`: money in hand by currency."""
    views_by_currency: dict[str, list[AccountView]] = {}
    for view in accounts:
        views_by_currency.setdefault(view.account.portfolio.currency, []).append(view)
    return [
        Total(
            # The last one: any portfolio of the currency has its format.
            place=views[-1].account.portfolio,
            balance_minor=sum(view.balance_minor for view in views),
            overdue_minor=sum(view.overdue_minor for view in views),
            in_hand_minor=in_hand.get(currency, 0),
        )
        for currency, views in views_by_currency.items()
    ]


def _next_step(
    *,
    debtor: Debtor,
    portfolios: Sequence[Portfolio],
    accounts: Sequence[AccountView],
    tasks: Sequence[Task],
    today: date,
) -> NextStep:
    """Return what happens next with a debtor: the first of the cases below that applies."""
    contacts = Contact.objects.filter(debtor=debtor, portfolio__in=portfolios)
    # A hold of one account leaves the rest to be pursued: only one of the whole debtor stops everything.
    hold = Hold.objects.in_force(today).filter(debtor=debtor, account__isnull=True).order_by("-pk").first()
    due = contacts.filter(status="DUE").order_by("due_at", "id").first()
    blocked = contacts.filter(status="BLOCKED", planned_for=today).order_by("-id").first()
    if hold is not None:
        return NextStep(kind="held", hold=hold)
    if due:
        return NextStep(kind="contact", contact=due)
    if tasks:
        return NextStep(kind="task", task=tasks[0])
    if not accounts:
        return NextStep(kind="party")
    if all(view.balance_minor <= 0 for view in accounts):
        return NextStep(kind="settled")
    return NextStep(kind="blocked", contact=blocked) if blocked else NextStep(kind="none")
