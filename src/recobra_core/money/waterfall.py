"""Waterfall of payments: the order is policy, the arithmetic one overlap of running sums, for any size."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

import ibis
import ibis.expr.types as ir

Concept = Literal["FEE", "LATE_INTEREST", "INTEREST", "TAX", "PRINCIPAL"]
CONCEPTS: tuple[Concept, ...] = ("FEE", "LATE_INTEREST", "INTEREST", "TAX", "PRINCIPAL")
# After every real due date: what has no date is paid last.
_NO_DATE = date(9999, 12, 31)


class WaterfallError(ValueError):
    """An order that leaves a concept out or names one twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """The order in which a payment is applied.

    by `due_date`: the oldest instalment first, and inside it the concepts in order. by `concept`: what is due first,
    all of a concept before the next; then what is not yet due, in the order of `in_advance` (the same unless given).
    Raises WaterfallError unless each order names the five concepts once, and for `in_advance` by `due_date`.
    """

    by: Literal["due_date", "concept"] = "due_date"
    concepts: tuple[Concept, ...] = CONCEPTS
    in_advance: tuple[Concept, ...] | None = None

    def __post_init__(self) -> None:
        if self.by == "due_date" and self.in_advance is not None:
            raise WaterfallError("An order in advance applies by concept only.")
        for order in (self.concepts, self.in_advance or self.concepts):
            if sorted(order) != sorted(CONCEPTS):
                raise WaterfallError(f"The order must name {', '.join(CONCEPTS)} once each, not {', '.join(order)}.")


class Allocation(NamedTuple):
    """shares: payment_id, item_id, concept, amount_minor (above zero). remainders: payment_id, left_minor, for each."""

    shares: ir.Table
    remainders: ir.Table


def allocate_payments(
    payments: ir.Table, open_items: ir.Table, order: Waterfall, *, as_of: date, paid_by: Sequence[str] = ()
) -> Allocation:
    """Apply payments to what their accounts owe.

    payments: payment_id (unique), account_id, amount_minor and the columns of `paid_by`, which say which payment of
    an account comes first (then payment_id). open_items: item_id (unique), account_id, due_date (nullable), concept,
    open_minor. Due is what falls due on `as_of` or before; payments of several value dates are allocated one date
    after the other, because what is due differs.

    For every payment its shares and what is left add up to it, and no item gets more than it has open. Payments and
    items of zero or less take no part: such a payment is left whole. A concept outside the order is paid last.
    """
    paid = _add_spans(payments.filter(payments.amount_minor > 0), "amount_minor", [*paid_by, "payment_id"])
    ranked = _rank_items(open_items.filter(open_items.open_minor > 0), order, as_of)
    owed = _add_spans(ranked, "open_minor", ["rank_1", "rank_2", "rank_3", "item_id"])
    # Where the spans of a payment and an item cross, the payment pays that much of it. A first payment of 100 and a
    # second of 50 span [0, 100) and [100, 150); items of 80 and 60 span [0, 80) and [80, 140). So the first pays 80
    # and 20, the second 40 of the other item, and 10 of it are left.
    paid = paid.select("payment_id", "account_id", paid_since="since", paid_upto="upto")
    owed = owed.select("item_id", "concept", owner_id="account_id", owed_since="since", owed_upto="upto")
    crossing = paid.join(
        owed,
        [paid.account_id == owed.owner_id, paid.paid_since < owed.owed_upto, owed.owed_since < paid.paid_upto],
    )
    crossing_from = ibis.greatest(crossing.paid_since, crossing.owed_since)
    crossing_upto = ibis.least(crossing.paid_upto, crossing.owed_upto)
    share = crossing_upto - crossing_from
    shares = crossing.select("payment_id", "item_id", "concept", amount_minor=share.cast("int64"))
    # Payments without a share have no row here; they are left whole.
    used = shares.group_by("payment_id").agg(used_minor=shares.amount_minor.sum().cast("int64"))
    joined = payments.left_join(used, "payment_id")
    left_minor = joined.amount_minor - joined.used_minor.fill_null(0)
    return Allocation(shares, joined.select("payment_id", left_minor=left_minor.cast("int64")))


def _rank_items(items: ir.Table, order: Waterfall, as_of: date) -> ir.Table:
    """Add rank_1 to rank_3: the order in which the items of an account are paid."""
    # Both ways give three ranks, so that one order by serves them.
    due_date = items.due_date.fill_null(ibis.literal(_NO_DATE))
    if order.by == "due_date":
        concept = _order_of(items.concept, order.concepts)
        return items.mutate(rank_1=due_date.delta(ibis.literal(as_of), unit="day"), rank_2=concept, rank_3=concept)
    # What is not yet due comes after every concept that is.
    is_due = due_date <= as_of
    in_advance = _order_of(items.concept, order.in_advance or order.concepts) + len(CONCEPTS) + 1
    return items.mutate(
        rank_1=is_due.ifelse(_order_of(items.concept, order.concepts), in_advance),
        rank_2=due_date.delta(ibis.literal(as_of), unit="day"),
        rank_3=ibis.literal(0),
    )


def _order_of(concept: ir.StringValue, order: Sequence[Concept]) -> ir.IntegerValue:
    """Return the place of each concept in an order; one that it does not name comes last."""
    places = [(concept == name, place) for place, name in enumerate(order)]
    return ibis.cases(*places, else_=len(order))


def _add_spans(rows: ir.Table, amount: str, order: Sequence[str]) -> ir.Table:
    """Lay each account's rows end to end: [since, upto) of the account's running sum."""
    window = ibis.window(group_by="account_id", order_by=list(order), preceding=None, following=0)
    summed = rows.mutate(upto=rows[amount].sum().over(window).cast("int64"))
    return summed.mutate(since=summed.upto - summed[amount])
