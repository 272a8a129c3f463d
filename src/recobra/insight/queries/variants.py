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

_VARIANTS = """
    WITH first AS (
        SELECT DISTINCT ON (c.debtor_id, c.portfolio_id) c.debtor_id, c.portfolio_id, c.variant,
            coalesce(c.local_date, c.planned_for) AS day, c.handed_over_at
        FROM messaging_contact c
        WHERE c.portfolio_id = ANY(%(portfolios)s) AND c.planned_for >= %(from_day)s AND c.planned_for <= %(to_day)s
            AND c.template_id = ANY(%(templates)s) AND c.status IN ('SENT', 'UNCERTAIN') AND c.purpose <> 'REPLY'
        ORDER BY c.debtor_id, c.portfolio_id, c.handed_over_at, c.id
    )
    SELECT f.variant, count(*), count(*) FILTER (WHERE EXISTS (
        SELECT FROM payments_payment p WHERE p.debtor_id = f.debtor_id AND p.portfolio_id = f.portfolio_id
            AND p.reversed_at IS NULL AND p.paid_date >= f.day AND p.paid_date < f.day + %(within)s
            AND (p.paid_date > f.day OR p.received_at >= f.handed_over_at)))
    FROM first f WHERE f.day <= %(to_day)s GROUP BY f.variant ORDER BY f.variant"""


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
