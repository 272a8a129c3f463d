"""Result of a campaign: its treated against its control group, from the launch on, over the same days for both.

Every debtor counts in the arm drawn at the launch, written to or not: leaving out those whom the law bars from the
message would compare different people. Replies, promises and payments to another portfolio do not count.
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

_MOVED: Final = ["messaging.Contact", "agreements.Promise", "payments.Payment", "portfolio.Account"]
"""What a join of debtors moves of that which counts."""

# The counts of each arm, under the names of the fields of `Arm`.
_ARMS = """
    WITH member AS (
        SELECT debtor_id, arm FROM strategy_campaignmember WHERE campaign_id = %(campaign)s
    ), origin AS (
        -- Two members who were joined meanwhile are two here: what moved by the join counts for whom it was of.
        SELECT DISTINCT ON (moved.model, moved.row_id) moved.model, moved.row_id, member.debtor_id
        FROM portfolio_debtorjoin joined JOIN member ON member.debtor_id = joined.joined_id
            JOIN portfolio_joinedrow moved ON moved.join_id = joined.id
        WHERE joined.parted_at IS NULL AND moved.model = ANY(%(moved)s)
        ORDER BY moved.model, moved.row_id, joined.id
    ), message AS (
        -- A debtor may have several contacts of a campaign: one that did not arrive is planned again.
        SELECT coalesce(origin.debtor_id, contact.debtor_id) AS debtor_id,
            bool_or(contact.handed_over_at IS NOT NULL AND contact.status IN ('SENT', 'UNCERTAIN')) AS sent,
            bool_or(contact.delivered_at IS NOT NULL) AS delivered, bool_or(contact.read_at IS NOT NULL) AS read,
            bool_or(contact.clicked_at IS NOT NULL) AS clicked
        FROM messaging_contact contact
            LEFT JOIN origin ON origin.model = 'messaging.Contact' AND origin.row_id = contact.id
        WHERE contact.campaign_id = %(campaign)s GROUP BY 1
    ), reply AS (
        SELECT DISTINCT entry.debtor_id FROM journal_entry entry JOIN member USING (debtor_id)
        WHERE entry.kind = 'conversation.received' AND entry.at >= %(launched_at)s AND entry.at < %(until)s
            AND (entry.portfolio_id = %(portfolio)s OR entry.portfolio_id IS NULL)
    ), promise AS (
        SELECT DISTINCT coalesce(origin.debtor_id, promise.debtor_id) AS debtor_id
        FROM agreements_promise promise JOIN member USING (debtor_id)
            LEFT JOIN origin ON origin.model = 'agreements.Promise' AND origin.row_id = promise.id
        WHERE promise.portfolio_id = %(portfolio)s
            AND promise.registered_at >= %(launched_at)s AND promise.registered_at < %(until)s
    ), paid AS (
        -- A payment that came after the join is of whom its account was.
        SELECT coalesce(origin.debtor_id, account.debtor_id, payment.debtor_id) AS debtor_id,
            sum(payment.amount_minor) AS minor
        FROM payments_payment payment JOIN member USING (debtor_id)
            LEFT JOIN origin ON origin.model = 'payments.Payment' AND origin.row_id = payment.id
            LEFT JOIN origin account ON account.model = 'portfolio.Account' AND account.row_id = payment.account_id
        WHERE payment.portfolio_id = %(portfolio)s AND payment.reversed_at IS NULL
            AND payment.paid_date >= %(from_day)s AND payment.paid_date < %(to_day)s GROUP BY 1
    )
    SELECT member.arm, count(*) AS members, count(*) FILTER (WHERE message.sent) AS sent,
        count(*) FILTER (WHERE message.delivered) AS delivered, count(*) FILTER (WHERE message.read) AS read,
        count(*) FILTER (WHERE message.clicked) AS clicked, count(reply.debtor_id) AS replied,
        count(promise.debtor_id) AS promised, count(*) FILTER (WHERE paid.minor > 0) AS paid,
        coalesce(sum(paid.minor), 0) AS paid_minor, coalesce(sum(paid.minor::numeric * paid.minor), 0) AS squares
    FROM member LEFT JOIN message USING (debtor_id) LEFT JOIN reply USING (debtor_id)
        LEFT JOIN promise USING (debtor_id) LEFT JOIN paid USING (debtor_id)
    GROUP BY member.arm"""
_COST = """
    SELECT coalesce(sum(price_micros), 0), count(*) FILTER (WHERE price_micros IS NULL),
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

    @property
    def amounts(self) -> Amounts:
        """What the members paid, as the comparison of averages takes it."""
        return Amounts(count=self.members, total=self.paid_minor, squares=self.squares)


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
    treated = arms.get("TREATED", Arm())
    control = arms.get("CONTROL", Arm())
    amount = means_difference(treated=treated.amounts, control=control.amounts)
    gained_minor = None
    # A difference that may be chance is no gain.
    if amount is not None and not amount.holds_zero:
        gained_minor = round(amount.estimate * treated.members)
    cost_micros, cost_currency = _read_cost(campaign.pk)
    return CampaignResult(
        days=days,
        from_day=first_day,
        over=schedule.today(now) >= first_day + timedelta(days),
        treated=treated,
        control=control,
        comparisons=_compare_arms(treated, control) if treated.members and control.members else [],
        amount=amount,
        gained_minor=gained_minor,
        cost_micros=cost_micros,
        cost_currency=cost_currency,
        currency=campaign.portfolio.currency,
    )


def _read_arms(campaign: Campaign, from_day: date, to_day: date) -> dict[str, Arm]:
    """Return the arms of a launched campaign by name; an arm without members is missing.

    Payments count from `from_day` up to the day before `to_day`, other facts for as long from the launch on.
    """
    assert campaign.launched_at is not None
    values: dict[str, int | date | datetime | list[str]] = {
        "campaign": campaign.pk,
        "portfolio": campaign.portfolio_id,
        "launched_at": campaign.launched_at,
        "until": campaign.launched_at + (to_day - from_day),
        "from_day": from_day,
        "to_day": to_day,
        "moved": _MOVED,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ARMS, values)
        _arm, *names = [column.name for column in cursor.description]
        rows = cursor.fetchall()
    arms = {}
    for arm, *counts in rows:
        # A sum of SQL is a Decimal.
        count_by_name = {name: int(count) for name, count in zip(names, counts, strict=True)}
        arms[arm] = Arm(**count_by_name)
    return arms


def _compare_arms(treated: Arm, control: Arm) -> list[Comparison]:
    """Return each measure of COMPARED as shares of two arms that have members."""
    comparisons = []
    for key in COMPARED:
        treated_count: int = getattr(treated, key)
        control_count: int = getattr(control, key)
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
        total_micros, unpriced_count, currency_count, currency = cursor.fetchone()
    if unpriced_count > 0 or currency_count > 1:
        return None, ""
    return int(total_micros), currency or ""
