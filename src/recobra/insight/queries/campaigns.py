"""Result of a campaign: its treated against its control group, from the launch on, over the same days for both.

Every debtor counts in the arm drawn at the launch, written to or not: leaving out those whom the law bars from the
message would compare different people. Replies, promises and payments to another portfolio do not count; a promise
that names no portfolio does where its debtor owes in no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db import connection

from recobra.strategy import schedule
from recobra.strategy.models import Campaign
from recobra_core.kpi.difference import (
    Amounts,
    Conclusion,
    Interval,
    judge_difference,
    means_difference,
    shares_difference,
    wilson_interval,
)
from recobra_core.money import micros_of

DAYS: Final = (7, 14, 30, 60)
ONLY_TREATED: Final = ("sent", "delivered", "read", "clicked")
COMPARED: Final = ("replied", "promised", "paid")

_ARMS = """
    WITH member AS (
        SELECT m.debtor_id, m.arm FROM strategy_campaignmember m WHERE m.campaign_id = %(campaign)s
    ), message AS (
        SELECT c.debtor_id, bool_or(c.handed_over_at IS NOT NULL AND c.status IN ('SENT', 'UNCERTAIN')) AS sent,
            bool_or(c.delivered_at IS NOT NULL) AS delivered, bool_or(c.read_at IS NOT NULL) AS read,
            bool_or(c.clicked_at IS NOT NULL) AS clicked
        FROM messaging_contact c WHERE c.campaign_id = %(campaign)s GROUP BY c.debtor_id
    ), fact AS (
        SELECT j.debtor_id, bool_or(j.kind = 'conversation.received') AS replied,
            bool_or(j.kind = 'promise.registered') AS promised
        FROM journal_entry j JOIN member USING (debtor_id)
        WHERE j.kind IN ('conversation.received', 'promise.registered')
            AND j.at >= %(launched_at)s AND j.at < %(until)s
            AND (j.portfolio_id = %(portfolio)s OR j.portfolio_id IS NULL
                AND (j.kind = 'conversation.received' OR NOT EXISTS (SELECT FROM portfolio_account a
                    WHERE a.debtor_id = j.debtor_id AND a.portfolio_id <> %(portfolio)s)))
        GROUP BY j.debtor_id
    ), paid AS (
        SELECT p.debtor_id, sum(p.amount_minor) AS minor FROM payments_payment p JOIN member USING (debtor_id)
        WHERE p.portfolio_id = %(portfolio)s AND p.reversed_at IS NULL
            AND p.paid_date >= %(from_day)s AND p.paid_date < %(to_day)s GROUP BY p.debtor_id
    )
    SELECT member.arm, count(*), count(*) FILTER (WHERE sent), count(*) FILTER (WHERE delivered),
        count(*) FILTER (WHERE read), count(*) FILTER (WHERE clicked), count(*) FILTER (WHERE replied),
        count(*) FILTER (WHERE promised), count(*) FILTER (WHERE paid.minor > 0), coalesce(sum(paid.minor), 0),
        coalesce(sum(paid.minor::numeric * paid.minor), 0)
    FROM member LEFT JOIN message USING (debtor_id) LEFT JOIN fact USING (debtor_id) LEFT JOIN paid USING (debtor_id)
    GROUP BY member.arm"""
_COST = """
    SELECT coalesce(sum(price_micros), 0), count(*) FILTER (WHERE price_micros IS NULL), count(*),
        count(DISTINCT price_currency), min(price_currency)
    FROM messaging_contact WHERE campaign_id = %s AND handed_over_at IS NOT NULL AND status IN ('SENT', 'UNCERTAIN')"""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One arm, counted in debtors. `paid_minor` is in the portfolio's currency, `squares` the sum of its squares."""

    members: int = 0
    sent: int = 0
    delivered: int = 0
    read: int = 0
    clicked: int = 0
    replied: int = 0
    promised: int = 0
    paid: int = 0
    paid_minor: int = 0
    squares: int = 0


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One measure as shares of both arms, with their difference, treated less control."""

    key: str
    treated: Interval
    control: Interval
    difference: Interval
    finding: Conclusion


@dataclass(frozen=True, kw_only=True)
class CampaignResult:
    """Result of a campaign within `days` of its launch; `over` once they have passed.

    `amount` is the difference of what members paid on average, in minor units. `gained_minor` is that times the
    treated, None where the interval holds zero or the groups are small. `cost_micros`, millionths of the major unit of
    `cost_currency`, are None where a price is unknown.
    """

    days: int
    from_day: date
    over: bool
    treated: Arm
    control: Arm
    comparisons: list[Comparison]
    amount: Interval | None
    gained_minor: int | None
    cost_micros: int | None
    cost_currency: str
    currency: str

    @property
    def cost_per_unit(self) -> float | None:
        """Return what one unit of money recovered beyond the control group cost, both in the same currency."""
        if self.cost_micros is None or self.cost_currency != self.currency or (self.gained_minor or 0) <= 0:
            return None
        assert self.gained_minor is not None
        return self.cost_micros / micros_of(self.gained_minor, self.currency)


def campaign_result(*, campaign: Campaign, days: int, now: datetime) -> CampaignResult | None:
    """Return the result of a campaign within some days of its launch, None before it."""
    if campaign.launched_at is None:
        return None
    first_day = schedule.today(campaign.launched_at)
    arms = _read_arms(campaign, first_day, first_day + timedelta(days))
    treated, control = arms.get("TREATED", Arm()), arms.get("CONTROL", Arm())
    treated_amounts, control_amounts = (
        Amounts(count=arm.members, total=arm.paid_minor, squares=arm.squares) for arm in (treated, control)
    )
    amount = means_difference(treated=treated_amounts, control=control_amounts)
    cost, currency = _read_cost(campaign.pk)
    # A difference that may be chance is no gain.
    gained = None if amount is None or amount.holds_zero else round(amount.estimate * treated.members)
    return CampaignResult(
        days=days,
        from_day=first_day,
        over=schedule.today(now) >= first_day + timedelta(days),
        treated=treated,
        control=control,
        comparisons=_compare_arms(treated, control) if treated.members and control.members else [],
        amount=amount,
        gained_minor=gained,
        cost_micros=cost,
        cost_currency=currency,
        currency=campaign.portfolio.currency,
    )


def _read_arms(campaign: Campaign, from_day: date, to_day: date) -> dict[str, Arm]:
    assert campaign.launched_at is not None
    values: dict[str, int | date | datetime] = {
        "campaign": campaign.pk,
        "portfolio": campaign.portfolio_id,
        "launched_at": campaign.launched_at,
        "until": campaign.launched_at + (to_day - from_day),
        "from_day": from_day,
        "to_day": to_day,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ARMS, values)
        rows = cursor.fetchall()
    names = list(Arm.__dataclass_fields__)
    return {arm: Arm(**dict(zip(names, map(int, counts), strict=True))) for arm, *counts in rows}


def _compare_arms(treated: Arm, control: Arm) -> list[Comparison]:
    comparisons = []
    for key in COMPARED:
        treated_count, control_count = getattr(treated, key), getattr(control, key)
        difference = shares_difference(
            treated=(treated_count, treated.members), control=(control_count, control.members)
        )
        comparisons.append(
            Comparison(
                key=key,
                treated=wilson_interval(successes=treated_count, count=treated.members),
                control=wilson_interval(successes=control_count, count=control.members),
                difference=difference,
                finding=judge_difference(difference, smallest=min(treated.members, control.members)),
            )
        )
    return comparisons


def _read_cost(campaign_id: int) -> tuple[int | None, str]:
    """Return the cost in micros and its currency; None where a price is unknown or there are several currencies."""
    with connection.cursor() as cursor:
        cursor.execute(_COST, [campaign_id])
        total, unpriced, _messages, currencies, currency = cursor.fetchone()
    is_known = not unpriced and currencies <= 1
    return (int(total), currency or "") if is_known else (None, "")
