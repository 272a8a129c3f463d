"""What became of commitments to pay: promises, and the instalments of an agreement, judged by the payments alone.

One computation serves both. Money counts once: a payment goes to the oldest commitment that it may count for and that
is not yet covered, and what is left of it to the next.
"""

from __future__ import annotations

from datetime import date
from typing import Final, Literal

import ibis
import ibis.expr.types as ir

State = Literal["PENDING", "KEPT", "PARTLY_KEPT", "BROKEN"]
COMMITMENTS: Final = ibis.schema(
    {
        "line_id": "int64",
        "commitment_id": "int64",
        "debtor_id": "int64",
        "currency": "string",
        "account_id": "int64",
        "amount_minor": "int64",
        "from_day": "date",
        "until_day": "date",
        "made_at_utc": "timestamp(6)",
        "rank": "int64",
    }
)
"""A commitment has one line for each account that it names, or a single one, without account, for the whole debt.

`from_day` to `until_day`, grace included, are the days on which money counts. `rank` numbers the lines of a debtor in
a currency from 1 on, oldest first. `line_id` is unique.
"""
MONEY: Final = ibis.schema(
    {
        "money_id": "int64",
        "debtor_id": "int64",
        "currency": "string",
        "account_id": "int64",
        "amount_minor": "int64",
        "paid_day": "date",
        "received_at_utc": "timestamp(6)",
        "reversed_day": "date",
    }
)
"""What was paid, by account as the ledger applied it; what could not be applied has no account. `money_id` is unique.

`reversed_day` is null for a payment that stands.
"""
_LEFT: Final = "left_minor"


def judge_commitments(commitments: ir.Table, money: ir.Table, *, as_of: date, rank_max: int) -> ir.Table:
    """Return the state of each commitment at the end of a day: commitment_id, paid_minor, last_paid_day, state.

    commitments: COMMITMENTS, money: MONEY; `rank_max` is the highest rank among the lines, lines beyond it get nothing.

    Money counts that was paid within the commitment's days, was not known when it was made, and is not reversed on
    `as_of`. Kept is what is covered; partly kept or broken is what is not once its last day is over.
    """
    standing = money.reversed_day.isnull() | (money.reversed_day > as_of)
    counted = money.filter(money.amount_minor > 0, money.paid_day <= as_of, standing)
    left = counted.mutate(**{_LEFT: counted.amount_minor})
    for rank in range(1, rank_max + 1):
        left = _cover_rank(left, commitments, rank)
    covered = _sum_covered(commitments, left, rank_max)
    totals = covered.group_by("commitment_id").agg(
        paid_minor=covered.covered_minor.sum().cast("int64"),
        owed_minor=covered.amount_minor.sum().cast("int64"),
        last_paid_day=covered.last_day.max(),
        until_day=covered.until_day.max(),
    )
    state = ibis.cases(
        (totals.paid_minor >= totals.owed_minor, "KEPT"),
        (totals.until_day >= as_of, "PENDING"),
        (totals.paid_minor > 0, "PARTLY_KEPT"),
        else_="BROKEN",
    )
    return totals.select("commitment_id", "paid_minor", "last_paid_day", state=state)


def _cover_rank(money: ir.Table, commitments: ir.Table, rank: int) -> ir.Table:
    """Let the lines of one rank take what they may of the money that is left; add what each row gave them.

    No debtor has two lines of one rank in a currency, so each row of money meets one line at most.
    """
    line = commitments.filter(commitments["rank"] == rank).select(
        "from_day",
        "until_day",
        "made_at_utc",
        line_debtor_id="debtor_id",
        line_currency="currency",
        line_account_id="account_id",
        line_minor="amount_minor",
    )
    met = money.left_join(line, [money.debtor_id == line.line_debtor_id, money.currency == line.line_currency])
    # A row that meets no line compares with null, and counts for nothing.
    counts = (
        met.paid_day.between(met.from_day, met.until_day)
        & (met.received_at_utc > met.made_at_utc)
        & (met.line_account_id.isnull() | (met.account_id == met.line_account_id))
    ).fill_null(False)
    offered = met.mutate(offered_minor=counts.ifelse(met[_LEFT], 0))
    window = ibis.window(
        group_by=["debtor_id", "currency"], order_by=["paid_day", "money_id"], preceding=None, following=0
    )
    summed = offered.mutate(upto_minor=offered.offered_minor.sum().over(window).cast("int64"))
    # A row gives the part of its span of the running sum that lies below the line's amount.
    needed = summed.line_minor.fill_null(0)
    given = ibis.least(summed.upto_minor, needed) - ibis.least(summed.upto_minor - summed.offered_minor, needed)
    taken = summed.mutate(**{f"taken_{rank}": given.cast("int64")})
    return taken.mutate(**{_LEFT: (taken[_LEFT] - taken[f"taken_{rank}"]).cast("int64")}).drop(
        "from_day",
        "until_day",
        "made_at_utc",
        "line_debtor_id",
        "line_currency",
        "line_account_id",
        "line_minor",
        "offered_minor",
        "upto_minor",
    )


def _sum_covered(commitments: ir.Table, money: ir.Table, rank_max: int) -> ir.Table:
    """Add covered_minor and last_day, the last day of money that counted or null, to each line."""
    sums: dict[str, ir.Value] = {}
    for rank in range(1, rank_max + 1):
        taken = money[f"taken_{rank}"]
        sums[f"sum_{rank}"] = taken.sum().cast("int64")
        sums[f"last_{rank}"] = money.paid_day.max(where=taken > 0)
    given = money.group_by(payer_id="debtor_id", payer_currency="currency").agg(**sums)
    joined = commitments.left_join(
        given,
        [commitments.debtor_id == given.payer_id, commitments.currency == given.payer_currency],
    )
    covered_cases = []
    day_cases = []
    for rank in range(1, rank_max + 1):
        is_rank = joined["rank"] == rank
        covered_cases.append((is_rank, joined[f"sum_{rank}"]))
        day_cases.append((is_rank, joined[f"last_{rank}"]))
    covered = ibis.cases(*covered_cases, else_=ibis.null("int64"))
    last_day = ibis.cases(*day_cases, else_=ibis.null("date"))
    return joined.select(
        "commitment_id", "amount_minor", "until_day", covered_minor=covered.fill_null(0), last_day=last_day
    )
