"""Days past due with their bucket, stage and level of arrears. Null means the date is unknown."""

import ibis
import ibis.expr.types as ir

from recobra_core.days import AsOf, day_value
from recobra_core.stages.limits import UNKNOWN_BUCKET, Limits


def days_past_due(due_date: ir.DateValue, *, as_of: AsOf) -> ir.IntegerValue:
    """Return days from the due date to `as_of`: 0 on the due date, negative before it, null when it is unknown."""
    return day_value(as_of).delta(due_date, unit="day").cast("int64")


def compute_arrears(items: ir.Table, *, as_of: AsOf) -> ir.Table:
    """Return what each account owes on a day, from its open instalments or documents.

    items: account_id, due_date (nullable), open_minor. Gives one row per account: account_id, dpd, oldest_due_date,
    next_due_date, balance_minor, overdue_minor. The oldest unpaid instalment sets dpd; it is null where no unpaid
    instalment has a date. Credits (negative open_minor) lower the balance and nothing else.
    """
    unpaid = items.open_minor > 0
    summed = items.group_by("account_id").agg(
        oldest_due_date=items.due_date.min(where=unpaid),
        next_due_date=items.due_date.min(where=unpaid & (items.due_date >= as_of)),
        balance_minor=items.open_minor.sum().cast("int64"),
        overdue_minor=items.open_minor.sum(where=unpaid & (items.due_date < as_of)).fill_null(0).cast("int64"),
    )
    return summed.mutate(dpd=days_past_due(summed.oldest_due_date, as_of=as_of))


def bucket_of(dpd: ir.IntegerValue, *, limits: Limits) -> ir.StringValue:
    """Return the key of the bucket; `unknown` where dpd is null."""
    # Buckets follow each other without a gap, so the first upper end that is not passed decides.
    closed = [(dpd <= bucket.to_days, bucket.key) for bucket in limits.buckets if bucket.to_days is not None]
    return ibis.cases((dpd.isnull(), UNKNOWN_BUCKET), *closed, else_=limits.buckets[-1].key)


def stage_of(dpd: ir.IntegerValue, *, current: ir.StringValue, limits: Limits) -> ir.StringValue:
    """Return the stage of an account. `current` is the stage it is in, null for a new one.

    Nobody goes to court by a calendar: a person puts an account in JUDICIAL and a person takes it out. Where dpd is
    unknown the account stays where it is, and a new one is PREVENTIVE.
    """
    return ibis.cases(
        (current.fill_null("") == "JUDICIAL", "JUDICIAL"),
        (dpd.isnull(), current.fill_null("PREVENTIVE")),
        (dpd < limits.administrative_from, "PREVENTIVE"),
        (dpd < limits.extrajudicial_from, "ADMINISTRATIVE"),
        else_="EXTRAJUDICIAL",
    )


def arrears_level_of(dpd: ir.IntegerValue, *, limits: Limits) -> ir.StringValue:
    """Return `none`, `early` or `late`; `unknown` where dpd is null."""
    return ibis.cases((dpd.isnull(), "unknown"), (dpd <= 0, "none"), (dpd < limits.late_from, "early"), else_="late")
