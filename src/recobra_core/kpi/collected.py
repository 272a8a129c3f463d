"""Collection of what falls due: how fast and how much."""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir


def compute_days_to_collect(shares: ir.Table, *, by: Sequence[str] = ()) -> ir.Table:
    """Return days from the due date to the payment, weighted by the amount paid.

    shares: due_date, paid_date, amount_minor (what a payment paid of an item) and the columns of `by`. Gives the
    columns of `by`, amount_minor and days_to_collect (a float; negative when paid before due, null when nothing was
    paid). Shares without a due date count in neither.
    """
    dated = shares.filter(shares.due_date.notnull() & shares.paid_date.notnull())
    days_taken = dated.paid_date.delta(dated.due_date, unit="day").cast("float64")
    # Floating point: days times amounts can pass 64 bits, and the result is not money.
    weighted = dated.mutate(_days=days_taken * dated.amount_minor.cast("float64"))
    total = weighted.amount_minor.sum().cast("int64")
    days = weighted["_days"].sum() / total.cast("float64").nullif(0.0)
    if by:
        return weighted.group_by(list(by)).agg(amount_minor=total, days_to_collect=days)
    return weighted.agg(amount_minor=ibis.coalesce(total, 0), days_to_collect=days)
