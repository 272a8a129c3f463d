"""Pre-flight of a campaign: whom it would reach, who is barred and why, its cost and its end.

Its days are simulated one by one with the gate itself. What strategies will send meanwhile is not known and not
counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _

from recobra.messaging.models import Template
from recobra.portfolio.models import Channel
from recobra.strategy.freshness import is_fresh
from recobra.strategy.models import Campaign
from recobra.strategy.operations.campaigns_templates import CampaignFinding, findings_of
from recobra_core.money import micros_of

from .campaigns_group import CampaignSpec, GroupSurvey, MessagePrice, message_prices, survey_group

MAX_DAYS = 92
# Reasons why a debtor is not written to: without a usable contact point; another contact has its turn.
NO_WAY = "no_point"
WAITS_TURN = "planned_already"


@dataclass(frozen=True, kw_only=True)
class BarredGroup:
    """Treated debtors who are not written to on any day, and why; `rule` and `article` where the law says so."""

    reason: str
    rule: str
    article: str
    debtors: int


class BarredDebtor(NamedTuple):
    """One treated debtor who is not written to on any day; `article` where the law says so, else ''."""

    debtor_id: int
    reason: str
    article: str


class _Reason(NamedTuple):
    """Why a debtor is not written to."""

    reason: str
    rule: str = ""
    article: str = ""


@dataclass(frozen=True, kw_only=True)
class PreflightDay:
    """One day of the campaign: how many the gate allows, how many of them fit, and what that costs in micros."""

    day: date
    allowed: int
    fits: int
    cost_micros: int | None
    left: int


@dataclass(kw_only=True)
class Preflight:
    """Result of a pre-flight. Debtors are counted; money is in minor units, a cost in micros.

    Micros are millionths of the major unit of `cost_currency`. `members` are those of the `GroupSurvey`.
    """

    as_of: date
    members: pa.Table = field(repr=False, compare=False, default_factory=lambda: pa.table({}))
    matched: int = 0
    accounts: int = 0
    overdue_minor: int = 0
    treated: int = 0
    control: int = 0
    channels: dict[str, int] = field(default_factory=dict)
    prices: dict[str, MessagePrice] = field(default_factory=dict)
    barred: list[BarredGroup] = field(default_factory=list)
    barred_debtors: list[BarredDebtor] = field(default_factory=list)
    days: list[PreflightDay] = field(default_factory=list)
    messages: int = 0
    cost_micros: int | None = 0
    cost_currency: str = ""
    unpriced: list[str] = field(default_factory=list)
    left_by_budget: int = 0
    left_by_rate: int = 0
    stops_on: date | None = None
    ends_on: date | None = None
    findings: list[CampaignFinding] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def spec_of(campaign: Campaign) -> CampaignSpec:
    """Return the message and the group of a campaign."""
    return CampaignSpec(
        portfolio_id=campaign.portfolio_id,
        rule=campaign.rule,
        template_code=campaign.template_code,
        channels=tuple(campaign.channels),
        experiment=campaign.code,
        control_bps=campaign.control_bps,
    )


def preflight(*, campaign: Campaign, as_of: date) -> Preflight:
    """Try a campaign on the portfolio as it is, writing nothing; `problems` keep it from being launched."""
    result = Preflight(as_of=as_of, prices=message_prices(campaign.channels, country=campaign.portfolio.country))
    _check_campaign(campaign, result)
    with survey_group(spec_of(campaign), as_of=as_of) as group:
        members = result.members = group.members
        result.matched = members.num_rows
        result.accounts = pc.sum(members["accounts"]).as_py() or 0
        result.overdue_minor = pc.sum(members["overdue_minor"]).as_py() or 0
        result.control = pc.sum(members["control"]).as_py() or 0
        result.treated = result.matched - result.control
        _simulate_days(campaign, group, result)
    if not result.treated:
        result.problems.append(_("Nobody would get the message: the group or its treated part is empty."))
    elif not result.messages and result.stops_on:
        result.problems.append(_("The budget does not pay for a single message."))
    elif not result.messages:
        result.problems.append(_("Nobody of the group can be written to within the dates of the campaign."))
    return result


def _check_campaign(campaign: Campaign, result: Preflight) -> None:
    """Add the problems and warnings that show without looking at the group."""
    templates = Template.objects.filter(
        code=campaign.template_code, channel__in=campaign.channels, retired_at__isnull=True, status="APPROVED"
    )
    approved = set(templates.values_list("channel", flat=True))
    if not approved:
        result.problems.append(_("The template is not approved for any of the channels."))
    elif missing := [channel for channel in campaign.channels if channel not in approved]:
        names = ", ".join(str(Channel(channel).label) for channel in missing)
        result.warnings.append(_("There is no approved template for: %(channels)s.") % {"channels": names})
    result.findings = findings_of(campaign, on=result.as_of)
    if campaign.portfolio.disabled_at is not None:
        result.problems.append(_("The portfolio is disabled."))
    if campaign.ends_on < result.as_of:
        result.problems.append(_("The last day of the campaign is over."))
    if not is_fresh(campaign.portfolio_id, day=result.as_of):
        result.warnings.append(_("The portfolio's data are too old: nobody is contacted until a new file is loaded."))
    result.unpriced = [price.channel for price in result.prices.values() if price.micros is None]
    result.problems += budget_problems(campaign, prices=result.prices)


def budget_problems(
    campaign: Campaign, *, prices: Mapping[str, MessagePrice], spent: Mapping[str, int] = MappingProxyType({})
) -> list[str]:
    """Return why a budget cannot be kept: an unknown price, or money of another currency.

    `spent` is in micros by currency.
    """
    if campaign.budget_minor is None:
        return []
    problems = []
    if any(price.micros is None for price in prices.values()):
        problems.append(_("The budget cannot be kept: the price of a message is not known for every channel."))
    foreign_channels = []
    for price in prices.values():
        foreign_currencies = sorted(price.currencies - {campaign.budget_currency})
        if foreign_currencies:
            foreign_channels.append(f"{Channel(price.channel).label} ({', '.join(foreign_currencies)})")
    if foreign_channels:
        text = _("The budget cannot be kept: messages are paid in another currency than %(currency)s: %(channels)s.")
        problems.append(text % {"currency": campaign.budget_currency, "channels": ", ".join(foreign_channels)})
    spent_currencies = {currency for currency, micros in spent.items() if micros}
    if foreign_spent := sorted(spent_currencies - {campaign.budget_currency}):
        text = _("The budget cannot be kept: messages that left were paid in %(currencies)s.")
        problems.append(text % {"currencies": ", ".join(foreign_spent)})
    return problems


def _simulate_days(campaign: Campaign, group: GroupSurvey, result: Preflight) -> None:
    """Simulate the days of a campaign and write their figures into `result`.

    Each treated debtor gets one message, on the first day on which the law allows it, the channel's rate has room and
    the budget has money.
    """
    treated = group.members.filter(pc.invert(group.members["control"]))
    waiting = _rows_of_debtors(group.candidates, treated["debtor_id"])
    result.channels = dict(Counter(waiting["channel"].to_pylist())) if waiting.num_rows else {}
    spent_micros = 0
    last_judged = waiting.slice(0, 0)
    ever_allowed: set[int] = set()
    day = max(campaign.starts_on, group.as_of)
    last_day = min(campaign.ends_on, day + timedelta(days=MAX_DAYS - 1))
    while day <= last_day and waiting.num_rows > 0 and result.stops_on is None:
        last_judged = sort_by_debt(group.judge(waiting, day=day), members=treated)
        allowed = last_judged.filter(last_judged["allowed"])
        if day == group.as_of:
            # Debtors with a contact of today wait for tomorrow.
            has_contact = pc.is_in(allowed["debtor_id"], pa.array(sorted(group.planned), pa.int64()))
            allowed = allowed.filter(pc.invert(has_contact))
        ever_allowed.update(allowed["debtor_id"].to_pylist())
        sent_ids, cost_micros = select_affordable(
            allowed, prices=result.prices, left_micros=budget_left(campaign, spent_micros=spent_micros)
        )
        spent_micros += cost_micros or 0
        waiting = waiting.filter(pc.invert(pc.is_in(waiting["debtor_id"], pa.array(sent_ids, pa.int64()))))
        result.messages += len(sent_ids)
        result.days.append(
            PreflightDay(
                day=day,
                allowed=allowed.num_rows,
                fits=len(sent_ids),
                cost_micros=cost_micros,
                left=waiting.num_rows,
            )
        )
        if sent_ids:
            result.ends_on = day
        if waiting.num_rows:
            channels = set(waiting["channel"].to_pylist())
            if is_exhausted(budget_left(campaign, spent_micros=spent_micros), channels=channels, prices=result.prices):
                result.stops_on = day
        day += timedelta(days=1)
    _set_cost(result, spent_micros)
    left = _rows_of_debtors(last_judged, waiting["debtor_id"]) if waiting.num_rows else None
    _count_barred(group, result, treated, last_judged=left, ever_allowed=ever_allowed)


def _set_cost(result: Preflight, spent_micros: int) -> None:
    """Set the cost of a simulation; it is unknown unless every price is known and all are in one currency."""
    used_prices = [result.prices[channel] for channel in result.channels if channel in result.prices]
    currencies = {price.currency for price in used_prices}
    if len(currencies) == 1 and all(price.micros is not None for price in used_prices):
        result.cost_micros = spent_micros
        (result.cost_currency,) = currencies
    else:
        result.cost_micros = None
        result.cost_currency = ""


def is_exhausted(left_micros: int | None, *, channels: Iterable[str], prices: Mapping[str, MessagePrice]) -> bool:
    """Tell if what is left of a budget buys no message by any of some channels, at the prices of today."""
    cheapest = min((prices[channel].micros or 0 for channel in channels if channel in prices), default=0)
    return left_micros is not None and left_micros < cheapest


def _count_barred(
    group: GroupSurvey, result: Preflight, treated: pa.Table, *, last_judged: pa.Table | None, ever_allowed: set[int]
) -> None:
    """Count the treated whom no day lets through, each for one reason: the last day's.

    `last_judged` are the verdicts of the last day on those who were never written to, None where nobody was left.
    Those of them whom some day let through (`ever_allowed`), without room or money for them, are counted apart.
    """
    last_verdicts = last_judged.to_pylist() if last_judged is not None else []
    reachable = set(group.candidates["debtor_id"].to_pylist()) if group.candidates.num_rows else set()
    reasons = {pk: _Reason(NO_WAY) for pk in treated["debtor_id"].to_pylist() if pk not in reachable}
    for table in (group.silent, group.unreachable):
        for row in table.to_pylist():
            if row["debtor_id"] in reasons:
                reasons[row["debtor_id"]] = _Reason(row["reason"])
    left = 0
    for row in last_verdicts:
        if row["debtor_id"] in ever_allowed:
            left += 1
        else:
            reason = row["reason"] or WAITS_TURN
            reasons[row["debtor_id"]] = _Reason(reason, row["rule"] or "", row["source"] or "")
    result.left_by_budget = left if result.stops_on else 0
    result.left_by_rate = 0 if result.stops_on else left
    result.barred = [
        BarredGroup(reason=reason, rule=rule if reason != WAITS_TURN else "", article=article, debtors=count)
        for (reason, rule, article), count in Counter(reasons.values()).most_common()
    ]
    result.barred_debtors = [
        BarredDebtor(debtor_id, why.reason, why.article) for debtor_id, why in sorted(reasons.items())
    ]


def _rows_of_debtors(rows: pa.Table, debtor_ids: pa.ChunkedArray) -> pa.Table:
    """Return the rows about some debtors; an empty table may lack the column."""
    if rows.num_rows == 0:
        return rows
    return rows.filter(pc.is_in(rows["debtor_id"], debtor_ids.combine_chunks()))


def sort_by_debt(candidates: pa.Table, *, members: pa.Table) -> pa.Table:
    """Return candidates with the largest debts first: where money or hours run out, they were spent on those."""
    if candidates.num_rows == 0:
        return candidates
    owed = dict(zip(members["debtor_id"].to_pylist(), members["overdue_minor"].to_pylist(), strict=True))
    debtor_ids = candidates["debtor_id"].to_pylist()

    def largest_debt_first(index: int) -> tuple[int, int]:
        debtor_id = debtor_ids[index]
        return -owed.get(debtor_id, 0), debtor_id

    return candidates.take(pa.array(sorted(range(len(debtor_ids)), key=largest_debt_first)))


def budget_left(campaign: Campaign, *, spent_micros: int) -> int | None:
    """Return what may still be spent, in micros; None where there is no budget."""
    if campaign.budget_minor is None:
        return None
    return micros_of(campaign.budget_minor, campaign.budget_currency) - spent_micros


def select_affordable(
    allowed: pa.Table, *, prices: Mapping[str, MessagePrice], left_micros: int | None
) -> tuple[list[int], int | None]:
    """Return the debtors who fit into one day, by rate and by money, and what their messages cost in micros.

    `left_micros` is what is left of the budget, None without one. The cost is None where a price is unknown or they
    are paid in several currencies.
    """
    if allowed.num_rows == 0:
        return [], 0
    room_by_channel = {channel: _rate_capacity(allowed, price) for channel, price in prices.items()}
    selected = []
    cost_micros = 0
    is_priced = True
    currencies: set[str] = set()
    for debtor_id, channel in zip(allowed["debtor_id"].to_pylist(), allowed["channel"].to_pylist(), strict=True):
        price = prices.get(channel, MessagePrice(channel=channel))
        unit_micros = price.micros or 0
        room = room_by_channel.get(channel)
        is_too_dear = left_micros is not None and cost_micros + unit_micros > left_micros
        if room == 0 or is_too_dear:
            continue
        selected.append(debtor_id)
        cost_micros += unit_micros
        currencies.add(price.currency)
        if price.micros is None:
            is_priced = False
        if room is not None:
            room_by_channel[channel] = room - 1
    has_cost = is_priced and len(currencies) <= 1
    return selected, cost_micros if has_cost else None


def _rate_capacity(allowed: pa.Table, price: MessagePrice) -> int | None:
    """Return how many messages a channel's rate lets through in the hours of the day; None without a known limit."""
    rows = allowed.filter(pc.equal(allowed["channel"], price.channel))
    if price.per_second is None or rows.num_rows == 0:
        return None
    opens = pc.min(rows["due_at"]).as_py()
    closes = pc.max(rows["closes_at"]).as_py()
    if not isinstance(opens, datetime) or not isinstance(closes, datetime):
        return None
    return int((closes - opens).total_seconds() * price.per_second)
