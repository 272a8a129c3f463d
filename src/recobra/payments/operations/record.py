"""Record money received: on screen, from a file, or inferred from a load."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
from django.db import connection, transaction
from django.utils.translation import gettext as _

from recobra.journal.operations import Facts, record_all
from recobra.kit import tables
from recobra.payments.models import Payment
from recobra.portfolio.models import Account, Debtor, Portfolio

from .apply import apply


def local_day(portfolio: Portfolio, now: datetime) -> date:
    """Return the calendar day where a portfolio is worked."""
    return now.astimezone(ZoneInfo(portfolio.time_zone)).date()


class PaymentRefused(Exception):
    """The payment cannot be taken; the text is shown as it is."""


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
    actor: str,
    actor_id: int | None = None,
    now: datetime,
) -> Payment:
    """Take one payment, apply it and let its consequences follow at once. Raises PaymentRefused."""
    portfolio = Portfolio.objects.get(pk=portfolio_id)
    if amount_minor <= 0:
        raise PaymentRefused(_("A payment must be more than zero."))
    if paid_date > local_day(portfolio, now):
        raise PaymentRefused(_("A payment cannot be dated in the future."))
    if not reference.strip():
        raise PaymentRefused(_("Give the number of the receipt or operation."))
    if not Debtor.objects.filter(pk=debtor_id, creditor=portfolio.creditor).exists():
        raise PaymentRefused(_("The debtor does not belong to this portfolio's creditor."))
    if (
        account_id is not None
        and not Account.objects.filter(pk=account_id, debtor_id=debtor_id, portfolio=portfolio).exists()
    ):
        raise PaymentRefused(_("The account does not belong to this debtor."))
    # Two clicks at once would both find no payment with the reference.
    tables.lock_id_sequence("portfolio_account")
    if Payment.objects.filter(portfolio=portfolio, reference=reference.strip()).exists():
        raise PaymentRefused(_("A payment with the reference «%(ref)s» exists already.") % {"ref": reference.strip()})
    row = {
        "debtor_id": debtor_id,
        "account_id": account_id,
        "amount_minor": amount_minor,
        "paid_date": paid_date,
        "reference": reference.strip(),
    }
    rows = pa.Table.from_pylist([row], schema=ROWS)
    first = _record_set(
        portfolio=portfolio, rows=rows, source=source, load_id=None, actor=actor, actor_id=actor_id, now=now
    )
    return Payment.objects.get(pk=first)


ROWS = pa.schema(
    [
        ("debtor_id", pa.int64()),
        ("account_id", pa.int64()),
        ("amount_minor", pa.int64()),
        ("paid_date", pa.date32()),
        ("reference", pa.string()),
    ]
)


@transaction.atomic
def record_inferred(
    *,
    portfolio_id: int,
    rows: pa.Table,
    source: str,
    load_id: int | None,
    actor: str,
    actor_id: int | None = None,
    now: datetime,
) -> int:
    """Take a set of payments (schema ROWS, all amounts positive, references new) and return how many.

    The same waterfall and the same consequences as for a single payment.
    """
    if rows.num_rows == 0:
        return 0
    portfolio = Portfolio.objects.get(pk=portfolio_id)
    _record_set(
        portfolio=portfolio,
        rows=rows.select(ROWS.names).cast(ROWS),
        source=source,
        load_id=load_id,
        actor=actor,
        actor_id=actor_id,
        now=now,
    )
    return rows.num_rows


def _record_set(
    *,
    portfolio: Portfolio,
    rows: pa.Table,
    source: str,
    load_id: int | None,
    actor: str,
    actor_id: int | None,
    now: datetime,
) -> int:
    """Insert the payments and all that follows; return the first id."""
    count = rows.num_rows
    # A load holds this while it compares its file with the ledger: a payment in between would count twice.
    tables.lock_id_sequence("portfolio_account")
    first = tables.reserve_ids("payments_payment", count)
    identified = rows.append_column("payment_id", pa.array(range(first, first + count), pa.int64()))
    complete = _complete(identified, portfolio=portfolio, source=source, load_id=load_id, actor=actor, now=now)
    tables.copy_in("payments_payment", complete)
    apply(portfolio=portfolio, payments=identified, load_id=load_id, now=now)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, json_build_object('payment_id', id, 'amount_minor', amount_minor, 'currency', %s::text,"
            " 'unapplied_minor', unapplied_minor, 'paid_date', paid_date, 'source', source)::text"
            " FROM payments_payment WHERE id >= %s AND id < %s ORDER BY id",
            [portfolio.currency, first, first + count],
        )
        payload = pa.array([text for _id, text in cursor.fetchall()])
    subjects = pa.table(
        {
            "portfolio_id": pa.array([portfolio.pk] * count, pa.int64()),
            "debtor_id": identified["debtor_id"],
            "account_id": identified["account_id"],
            "payload": payload,
        }
    )
    record_all(Facts(kind="payment.recorded", at=now, actor=actor, actor_id=actor_id, rows=subjects))
    return first


def _complete(
    identified: pa.Table, *, portfolio: Portfolio, source: str, load_id: int | None, actor: str, now: datetime
) -> pa.Table:
    count = identified.num_rows
    given = identified.rename_columns(["id" if name == "payment_id" else name for name in identified.column_names])
    constants = {
        "portfolio_id": pa.array([portfolio.pk] * count, pa.int64()),
        "unapplied_minor": pa.array([0] * count, pa.int64()),
        "received_at": pa.array([now] * count, pa.timestamp("us", tz="UTC")),
        "source": pa.array([str(source)] * count),
        "load_id": pa.array([load_id] * count, pa.int64()),
        "actor": pa.array([actor] * count),
        "reversed_by": pa.array([""] * count),
        "reversal_reason": pa.array([""] * count),
    }
    for name, values in constants.items():
        given = given.append_column(name, values)
    return given
