"""Results of a template's variants, side by side.

The draw puts each debtor in one variant, so debtors are compared, not messages: each by the first one sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.db import connection

from recobra.access.queries import User
from recobra.portfolio.queries import portfolios_for
from recobra_core.kpi.difference import Conclusion, Interval, judge_difference, shares_difference, wilson_interval

PAID_WITHIN_DAYS: Final = 7
LOOK_BACK_DAYS: Final = 90

# Variant, debtors who got it, and those of them who paid.
_VARIANTS = """
    WITH first_message AS (
        SELECT DISTINCT ON (debtor_id, portfolio_id) debtor_id, portfolio_id, variant,
            coalesce(local_date, planned_for) AS day, handed_over_at
        FROM messaging_contact
        WHERE portfolio_id = ANY(%(portfolios)s) AND planned_for >= %(from_day)s AND planned_for <= %(to_day)s
            AND template_id = ANY(%(templates)s) AND status IN ('SENT', 'UNCERTAIN') AND purpose <> 'REPLY'
        ORDER BY debtor_id, portfolio_id, handed_over_at, id
    )
    SELECT message.variant, count(*), count(*) FILTER (WHERE EXISTS (
        SELECT FROM payments_payment payment
        WHERE payment.debtor_id = message.debtor_id AND payment.portfolio_id = message.portfolio_id
            AND payment.reversed_at IS NULL
            AND payment.paid_date >= message.day AND payment.paid_date < message.day + %(within)s
            -- On the day of the message itself, only what came in after it.
            AND (payment.paid_date > message.day OR payment.received_at >= message.handed_over_at)))
    FROM first_message message
    WHERE message.day <= %(to_day)s GROUP BY message.variant ORDER BY message.variant"""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """Debtors who got a variant, and those of them who paid within `PAID_WITHIN_DAYS` of it.

    `difference` is the share less that of the first variant, None for that one itself.
    """

    variant: str
    sent: int
    paid: int
    share: Interval
    difference: Interval | None
    finding: Conclusion | None


def variant_results(user: User, *, template_ids: Sequence[int], today: date) -> list[Variant]:
    """Return the results of a template's variants in the user's portfolios, over the versions given."""
    values: dict[str, Any] = {
        "portfolios": [portfolio.pk for portfolio in portfolios_for(user)],
        "templates": list(template_ids),
        "from_day": today - timedelta(LOOK_BACK_DAYS),
        # Only debtors whose days to pay are over count: the newest variant is not judged by days still to come.
        "to_day": today - timedelta(PAID_WITHIN_DAYS),
        "within": PAID_WITHIN_DAYS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_VARIANTS, values)
        rows = cursor.fetchall()
    variants = []
    for index, (variant, sent, paid) in enumerate(rows):
        difference: Interval | None = None
        finding: Conclusion | None = None
        if index > 0:
            _first, first_sent, first_paid = rows[0]
            difference = shares_difference(treated=(paid, sent), control=(first_paid, first_sent))
            finding = judge_difference(difference, smallest=min(sent, first_sent))
        variants.append(
            Variant(
                variant=variant,
                sent=sent,
                paid=paid,
                share=wilson_interval(successes=paid, count=sent),
                difference=difference,
                finding=finding,
            )
        )
    return variants
