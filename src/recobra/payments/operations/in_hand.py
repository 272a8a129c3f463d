"""Money in hand behind a lower balance: the creditor has set against a debt what had found no open amount."""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa
import pyarrow.compute as pc

from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.payments.models import Payment
from recobra.portfolio.models import Portfolio

from .apply import apply_payments


@consequence
def use_money_in_hand(*, portfolio: Portfolio, rows: pa.Table, load_id: int | None, actor: Actor) -> pa.Table:
    """Apply money in hand to what a load would infer payments of, and return what is left to infer.

    `rows`: debtor_id, account_id, amount_minor, paid_date, one row for each account. No money is received twice: what
    the debtor had paid too much until the day of the load comes first, the earliest payment before the others.
    """
    in_hand: dict[int, list[Payment]] = defaultdict(list)
    standing = Payment.objects.select_for_update().filter(
        portfolio=portfolio, unapplied_minor__gt=0, reversed_at__isnull=True
    )
    for payment in standing.order_by("paid_date", "pk"):
        in_hand[payment.debtor_id].append(payment)
    has_money = pc.is_in(rows["debtor_id"], pa.array(list(in_hand), pa.int64()))
    shared = rows.filter(has_money).to_pylist()
    # By turn: each payment stands once in what is applied at a time.
    turns: list[list[dict[str, object]]] = []
    used: dict[int, int] = defaultdict(int)
    for row in shared:
        for payment in in_hand[row["debtor_id"]]:
            amount_minor = min(row["amount_minor"], payment.unapplied_minor)
            if not amount_minor or payment.paid_date > row["paid_date"]:
                continue
            payment.unapplied_minor -= amount_minor
            row["amount_minor"] -= amount_minor
            if used[payment.pk] == len(turns):
                turns.append([])
            turns[used[payment.pk]].append({**row, "payment_id": payment.pk, "amount_minor": amount_minor})
            used[payment.pk] += 1
    changed = [payment for payments in in_hand.values() for payment in payments if used[payment.pk]]
    Payment.objects.bulk_update(changed, ["unapplied_minor"], batch_size=1_000)
    schema = rows.schema.append(pa.field("payment_id", pa.int64()))
    for turn in turns:
        applied = pa.Table.from_pylist(turn, schema=schema)
        apply_payments(portfolio=portfolio, payments=applied, load_id=load_id, now=actor.now)
    left = pa.Table.from_pylist([row for row in shared if row["amount_minor"]], schema=rows.schema)
    return pa.concat_tables([rows.filter(pc.invert(has_money)), left])
