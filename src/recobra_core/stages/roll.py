"""Roll of accounts between buckets from one day to another."""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

NEW = "new"
GONE = "gone"


def build_roll_matrix(before: ir.Table, after: ir.Table, *, by: Sequence[str] = ()) -> ir.Table:
    """Return the roll matrix between two days.

    before, after: account_id (unique), bucket, amount_minor and the columns of `by`; amounts of several currencies
    are kept apart by naming `currency` there. Gives from_bucket, to_bucket, the columns of `by`, accounts, and
    amount_minor: the amount before the move, and for accounts that were not there (`new`) the amount after it. An
    account that is no longer there goes to `gone`. So the rows other than `new` add up to the day before.
    """
    # Outer: accounts that are new or gone have a row on one side only.
    joined = before.join(after, [before.account_id == after.account_id], how="outer", lname="", rname="{name}_after")
    groups = {name: joined[name].coalesce(joined[f"{name}_after"]) for name in by}
    moved = joined.select(
        from_bucket=joined.bucket.fill_null(NEW),
        to_bucket=joined.bucket_after.fill_null(GONE),
        # A new account has no amount before: it counts with the one after.
        amount=joined.amount_minor.coalesce(joined.amount_minor_after),
        **groups,
    )
    keys = [*by, "from_bucket", "to_bucket"]
    summed = moved.group_by(keys).agg(accounts=moved.count(), amount_minor=moved.amount.sum().cast("int64"))
    return summed.order_by(keys)


def add_roll_rates(matrix: ir.Table, *, by: Sequence[str] = ()) -> ir.Table:
    """Add `share_bps` to a roll matrix: how much of each from_bucket's amount went each way, rounded down.

    A rate is not money: it is divided in floating point, which both engines do alike. Null where the from_bucket's
    amount is not above zero.
    """
    total = matrix.amount_minor.sum().over(group_by=[*by, "from_bucket"]).cast("float64")
    share = (matrix.amount_minor.cast("float64") * 10_000.0 / total.nullif(0.0)).floor().cast("int64")
    return matrix.mutate(share_bps=(total > 0).ifelse(share, ibis.null("int64")))
