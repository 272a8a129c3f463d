"""Ageing of what is owed, by open instalment or document, so that its rows add up to the outstanding."""

from collections.abc import Sequence
from datetime import date

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from recobra_core.stages import UNKNOWN_BUCKET, Limits, bucket_of, days_past_due

CREDIT_BUCKET = "credit"


def compute_ageing(items: ir.Table, *, as_of: date, limits: Limits, by: Sequence[str] = ()) -> ir.Table:
    """Return what is owed on a day, by how long it has been due.

    items: account_id, debtor_id, due_date (nullable), open_minor and the columns of `by`; where items have several
    currencies, name `currency` there. Gives the columns of `by`, bucket, from_days, to_days (null is open), accounts,
    debtors, amount_minor, in the order of the buckets. Each bucket of the limits has a row, also when it is empty;
    two more rows appear only when needed: `unknown` holds what has no due date, and `credit` what the company owes
    the debtor (open_minor below zero), whatever its date. All the rows add up to the sum of open_minor. An account
    with instalments in several buckets counts in each.
    """
    # An item that is paid off owes nothing and ages no more.
    open_items = items.filter(items.open_minor != 0)
    dpd = days_past_due(open_items.due_date, as_of=as_of)
    bucket = (open_items.open_minor < 0).ifelse(CREDIT_BUCKET, bucket_of(dpd, limits=limits))
    bucketed = open_items.mutate(bucket=bucket)
    keys = [*by, "bucket"]
    summed = bucketed.group_by(keys).agg(
        accounts=bucketed.account_id.nunique(),
        debtors=bucketed.debtor_id.nunique(),
        amount_minor=bucketed.open_minor.sum().cast("int64"),
    )
    # A row of zeros for each bucket of the limits, in each group, summed with what there is.
    names = ibis.memtable(pa.table({"bucket": [bucket.key for bucket in limits.buckets]}))
    groups = names.cross_join(items.select(*by).distinct()) if by else names
    zero = ibis.literal(0, "int64")
    empty = groups.select(*by, "bucket", accounts=zero, debtors=zero, amount_minor=zero)
    rows = summed.select(empty.columns).union(empty)
    measures = ("accounts", "debtors", "amount_minor")
    complete = rows.group_by(keys).agg(**{name: rows[name].sum().cast("int64") for name in measures})

    # `unknown` and `credit` have no place among the days, so they come after the buckets.
    order = [*(bucket.key for bucket in limits.buckets), UNKNOWN_BUCKET, CREDIT_BUCKET]
    places = [(complete.bucket == key, place) for place, key in enumerate(order)]
    placed = complete.mutate(
        place=ibis.cases(*places),
        from_days=_days_of_bucket(complete.bucket, {bucket.key: bucket.from_days for bucket in limits.buckets}),
        to_days=_days_of_bucket(complete.bucket, {bucket.key: bucket.to_days for bucket in limits.buckets}),
    )
    return placed.order_by([*by, "place"]).select([*keys, "from_days", "to_days", *measures])


def _days_of_bucket(bucket: ir.StringValue, days: dict[str, int | None]) -> ir.IntegerValue:
    """Return the day of each row's bucket out of `days`, null for open ends and for buckets without days."""
    known = [(bucket == key, ibis.literal(day, "int64")) for key, day in days.items() if day is not None]
    return ibis.cases(*known, else_=ibis.null("int64"))
