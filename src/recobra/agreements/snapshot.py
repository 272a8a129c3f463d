"""Promises and money as tables for the core (`recobra_core.money.commitments`)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import Final

import pyarrow as pa
from django.db.models import Max, Sum

from recobra.agreements.models import Promise
from recobra.kit import tables
from recobra.payments.models import Payment
from recobra.portfolio.models import Posting
from recobra.portfolio.snapshot import Scope
from recobra_core.money.commitments import COMMITMENTS, MONEY

LINES: Final = COMMITMENTS.to_pyarrow()
PAID: Final = MONEY.to_pyarrow()
LAST_PROMISES: Final = pa.schema([("debtor_id", pa.int64()), ("last_promise_on", pa.date32())])
Row = dict[str, int | str | date | datetime | None]


def read_last_promises(scope: Scope, *, since: date, as_of: date) -> pa.Table:
    """Return the day of each debtor's last promise up to a day (schema LAST_PROMISES), none from before `since`."""
    promises = Promise.objects.filter(
        scope.condition(debtor="debtor_id"), registered_on__gte=since, registered_on__lte=as_of
    )
    last = promises.order_by().values("debtor_id").annotate(last_on=Max("registered_on"))
    return tables.fetch_queryset(last.values_list("debtor_id", "last_on"), LAST_PROMISES)


def read_lines(debtor_ids: Collection[int]) -> pa.Table:
    """Return the lines of all promises of some debtors (schema LINES): one for each share, or one for the whole debt.

    Promises of every portfolio, so that money which an older one took is not counted again.
    """
    promises = Promise.objects.filter(debtor__in=debtor_ids).prefetch_related("shares")
    ranks: dict[str, int] = {}
    rows: list[Row] = []
    for promise in promises.order_by("registered_at", "id"):
        shares = sorted(promise.shares.all(), key=lambda share: share.account_id)
        amounts: dict[int | None, int] = {share.account_id: share.amount_minor for share in shares}
        payer = f"{promise.debtor_id} {promise.currency}"
        for account_id, amount_minor in (amounts or {None: promise.amount_minor}).items():
            ranks[payer] = ranks.get(payer, 0) + 1
            rows.append(
                {
                    "line_id": len(rows),
                    "commitment_id": promise.pk,
                    "debtor_id": promise.debtor_id,
                    "currency": promise.currency,
                    "account_id": account_id,
                    "amount_minor": amount_minor,
                    "from_day": promise.registered_on,
                    "until_day": promise.until,
                    "made_at_utc": promise.registered_at.replace(tzinfo=None),
                    "rank": ranks[payer],
                }
            )
    return pa.Table.from_pylist(rows, LINES)


def read_money(debtor_ids: Collection[int]) -> pa.Table:
    """Return what some debtors paid, by account as the ledger applied it, oldest first (schema PAID)."""
    payments = Payment.objects.filter(debtor__in=debtor_ids).select_related("portfolio").order_by("paid_date", "id")
    shares: dict[int, dict[int, int]] = {}
    applied = Posting.objects.filter(payment_id__in=[payment.pk for payment in payments], reverses__isnull=True)
    for payment_id, account_id, minor in (
        applied.filter(kind=Posting.Kind.PAYMENT)
        .values_list("payment_id", "account_id")
        .annotate(minor=Sum("amount_minor"))
        .order_by("payment_id", "account_id")
    ):
        shares.setdefault(payment_id, {})[account_id] = -minor
    rows: list[Row] = []
    for payment in payments:
        for account_id, amount_minor in _amounts_of(payment, shares.get(payment.pk, {})):
            rows.append(
                {
                    "money_id": len(rows),
                    "debtor_id": payment.debtor_id,
                    "currency": payment.portfolio.currency,
                    "account_id": account_id,
                    "amount_minor": amount_minor,
                    "paid_day": payment.paid_date,
                    "received_at_utc": payment.received_at.replace(tzinfo=None),
                    "reversed_day": _reversed_day(payment),
                }
            )
    return pa.Table.from_pylist(rows, PAID)


def _amounts_of(payment: Payment, shares: dict[int, int]) -> Iterator[tuple[int | None, int]]:
    """Yield (account_id, amount_minor) of a payment; what no account took has None."""
    yield from shares.items()
    unapplied_minor = payment.amount_minor - sum(shares.values())
    if unapplied_minor > 0:
        yield None, unapplied_minor


def _reversed_day(payment: Payment) -> date | None:
    """Return the day on which a payment was reversed, by the clock of its portfolio."""
    return payment.portfolio.local_day(payment.reversed_at) if payment.reversed_at else None
