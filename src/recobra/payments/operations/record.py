"""Recording of money received: on screen, from a file, or inferred from a load."""

from __future__ import annotations

from datetime import date
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import check_scope, consequence, requires
from recobra.access.roles import Right
from recobra.journal.operations import record_facts
from recobra.kit import tables
from recobra.payments.facts import PaymentRecorded
from recobra.payments.models import Payment
from recobra.portfolio.models import Account, Debtor, Portfolio
from recobra.portfolio.scope import check_debtor
from recobra_core.money import largest_minor

from .apply import apply_payments
from .in_hand import use_money_in_hand
from .replace import replace_inferred

FIRST_YEAR: Final = 1900
"""Of an earlier day the year is a slip: no debt is so old."""
LONGEST_REFERENCE: Final = 200
"""No bank's is longer, and an index of the database takes no text without end."""
ROWS = pa.schema(
    [
        ("debtor_id", pa.int64()),
        ("account_id", pa.int64()),
        ("amount_minor", pa.int64()),
        ("paid_date", pa.date32()),
        ("reference", pa.string()),
    ]
)


class PaymentRefused(Exception):
    """The payment cannot be recorded; the text is shown as it is. `is_passing`: a file only has to wait."""

    def __init__(self, text: str, *, is_passing: bool = False) -> None:
        super().__init__(text)
        self.is_passing = is_passing


@requires(Right.RECORD_PAYMENT)
@transaction.atomic
def record_payment(
    *,
    portfolio_id: int,
    debtor_id: int,
    account_id: int | None = None,
    amount_minor: int,
    paid_date: date,
    reference: str,
    source: str = Payment.Source.SCREEN,
    actor: Actor,
) -> Payment:
    """Record one payment, apply it and run its reactions in the same transaction. Raises PaymentRefused."""
    portfolio = Portfolio.objects.get(pk=portfolio_id)
    check_scope(actor, portfolio.code)
    check_debtor(actor, debtor_id)
    if amount_minor <= 0:
        raise PaymentRefused(_("A payment must be more than zero."))
    if amount_minor > largest_minor(portfolio.currency):
        raise PaymentRefused(_("The amount is larger than can be recorded: check the figure."))
    if not is_day_of_payment(paid_date, today=portfolio.local_day(actor.now)):
        raise PaymentRefused(_("A payment cannot be dated in the future, nor before the year 1900."))
    if not 0 < len(reference.strip()) <= LONGEST_REFERENCE:
        raise PaymentRefused(_("Give the number of the receipt or operation."))
    if not Debtor.objects.filter(pk=debtor_id, creditor=portfolio.creditor).exists():
        raise PaymentRefused(_("The debtor does not belong to this portfolio's creditor."))
    if account_id is not None:
        accounts = Account.objects.filter(pk=account_id, debtor_id=debtor_id, portfolio=portfolio)
        if not accounts.exists():
            raise PaymentRefused(_("The account does not belong to this debtor."))
    # Two clicks at once would both find no payment with the reference.
    tables.lock_id_sequence("portfolio_account")
    recorded = Payment.objects.filter(portfolio=portfolio, reference=reference.strip(), reversed_at__isnull=True)
    if account_id is not None:
        # One operation may pay several accounts, all on its day.
        recorded = recorded.exclude(~Q(account=None), ~Q(account=account_id), paid_date=paid_date)
    if recorded.exists():
        raise PaymentRefused(_("A payment with the reference «%(ref)s» exists already.") % {"ref": reference.strip()})
    row = {
        "debtor_id": debtor_id,
        "account_id": account_id,
        "amount_minor": amount_minor,
        "paid_date": paid_date,
        "reference": reference.strip(),
    }
    rows = pa.Table.from_pylist([row], schema=ROWS)
    payment_id = _insert_and_apply(portfolio=portfolio, rows=rows, source=source, load_id=None, actor=actor)
    return Payment.objects.get(pk=payment_id)


def is_day_of_payment(day: date, *, today: date) -> bool:
    """Return whether a payment may be dated so: from the year 1900 until today."""
    return day.year >= FIRST_YEAR and day <= today


@consequence
@transaction.atomic
def record_payments(*, portfolio_id: int, rows: pa.Table, source: str, load_id: int | None, actor: Actor) -> int:
    """Record a set of payments (schema ROWS, all amounts positive, references new) and return how many.

    Waterfall and reactions are those of a single payment. Of what a load infers, money in hand comes first: only the
    rest is a payment.
    """
    if rows.num_rows == 0:
        return 0
    portfolio = Portfolio.objects.get(pk=portfolio_id)
    rows = rows.select(ROWS.names).cast(ROWS)
    if source == Payment.Source.INFERRED:
        rows = use_money_in_hand(portfolio=portfolio, rows=rows, load_id=load_id, actor=actor)
    if rows.num_rows:
        _insert_and_apply(portfolio=portfolio, rows=rows, source=source, load_id=load_id, actor=actor)
    return rows.num_rows


def _insert_and_apply(*, portfolio: Portfolio, rows: pa.Table, source: str, load_id: int | None, actor: Actor) -> int:
    """Insert the payments, apply them and record their facts; return the first id."""
    count = rows.num_rows
    # A load holds this lock while it compares its file with the ledger: a payment in between would count twice.
    tables.lock_id_sequence("portfolio_account")
    ids = tables.take_ids("payments_payment", count)
    columns = {
        "id": ids,
        **{name: rows[name] for name in ROWS.names},
        "portfolio_id": pa.array([portfolio.pk] * count, pa.int64()),
        "unapplied_minor": pa.array([0] * count, pa.int64()),
        "received_at": pa.array([actor.now] * count, pa.timestamp("us", tz="UTC")),
        "source": pa.array([str(source)] * count),
        "load_id": pa.array([load_id] * count, pa.int64()),
        "actor": pa.array([actor.name] * count),
        "reversed_by": pa.array([""] * count),
        "reversal_reason": pa.array([""] * count),
    }
    tables.copy_in("payments_payment", pa.table(columns))
    payments = rows.append_column("payment_id", ids)
    to_apply = payments
    if source != Payment.Source.INFERRED:
        placed = replace_inferred(portfolio=portfolio, payments=payments, actor=actor)
        to_apply = _leave_out(payments, placed)
    left_minor: dict[int, int] = {}
    if to_apply.num_rows:
        left_minor = apply_payments(portfolio=portfolio, payments=to_apply, load_id=load_id, now=actor.now)
    facts = payments.select(["debtor_id", "account_id", "payment_id", "amount_minor", "paid_date"])
    constants = {
        "portfolio_id": columns["portfolio_id"],
        "currency": pa.array([portfolio.currency] * count),
        "unapplied_minor": pa.array([left_minor.get(pk, 0) for pk in ids.to_pylist()], pa.int64()),
        "source": columns["source"],
    }
    for name, values in constants.items():
        facts = facts.append_column(name, values)
    record_facts(PaymentRecorded, facts, actor=actor)
    return int(ids[0].as_py())


def _leave_out(payments: pa.Table, placed: dict[int, int]) -> pa.Table:
    """Return the payments with what is still to apply of each; `placed` has what is not, by payment id."""
    if not placed:
        return payments
    amounts = [
        amount_minor - placed.get(payment_id, 0)
        for payment_id, amount_minor in zip(
            payments["payment_id"].to_pylist(), payments["amount_minor"].to_pylist(), strict=True
        )
    ]
    position = payments.column_names.index("amount_minor")
    left = payments.set_column(position, "amount_minor", pa.array(amounts, pa.int64()))
    return left.filter(pc.greater(left["amount_minor"], 0))
