"""What a campaign would do, before it does anything: whom it reaches, who is barred and why, its cost and its end.

The days of the campaign are gone through one by one with the gate itself; what strategies send meanwhile is not known
and not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _

from recobra.messaging.models import Template
from recobra.portfolio.models import Channel
from recobra.strategy.models import Campaign
from recobra.strategy.operations.campaigns_templates import CampaignFinding, findings_of
from recobra_core.money import micros_of

from .campaigns_group import CampaignSpec, GroupSurvey, MessagePrice, is_fresh, message_prices, survey_group

MAX_DAYS = 92
NO_WAY = "no_point"
WAITS_TURN = "planned_already"


@dataclass(frozen=True, kw_only=True)
class BarredGroup:
    """Why some of the treated are not written to on any day; `rule` and `article` where the law says so."""

    reason: str
    rule: str
    article: str
    debtors: int


@dataclass(frozen=True, kw_only=True)
class PreflightDay:
    """One day of the campaign: whom the gate lets through, how many of them fit, and what that costs in micros."""

    day: date
    allowed: int
    fits: int
    cost_micros: int | None
    left: int


@dataclass(kw_only=True)
class Preflight:
    """What would become of a campaign. Debtors are counted; money is in minor units, a cost in micros.

    Micros are millionths of the major unit of `cost_currency`.
    """

    as_of: date
    matched: int = 0
    accounts: int = 0
    overdue_minor: int = 0
    treated: int = 0
    control: int = 0
    channels: dict[str, int] = field(default_factory=dict)
    prices: dict[str, MessagePrice] = field(default_factory=dict)
    barred: list[BarredGroup] = field(default_factory=list)
    barred_debtors: list[tuple[int, str, str]] = field(default_factory=list)
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
    """Return what a campaign says to whom."""
    return CampaignSpec(
        portfolio_id=campaign.portfolio_id,
        rule=campaign.rule,
        template_code=campaign.template_code,
        channels=tuple(campaign.channels),
        experiment=campaign.code,
        control_bps=campaign.control_bps,
    )


def preflight(*, campaign: Campaign, as_of: date) -> Preflight:
    """Try a campaign on the portfolio as it is, writing nothing. `problems` are what keeps it from being launched."""
    found = Preflight(as_of=as_of, prices=message_prices(campaign.channels, campaign.portfolio.country))
    _check_campaign(campaign, found)
    with survey_group(spec_of(campaign), as_of=as_of) as group:
        _count(group, found)
        _simulate_days(campaign, group, found)
    if not found.treated:
        found.problems.append(_("Nobody would get the message: the group or its treated part is empty."))
    elif not found.messages and found.stops_on:
        found.problems.append(_("The budget does not pay for a single message."))
    elif not found.messages:
        found.problems.append(_("Nobody of the group can be written to within the dates of the campaign."))
    return found


def _check_campaign(campaign: Campaign, found: Preflight) -> None:
    templates = Template.objects.filter(
        code=campaign.template_code, channel__in=campaign.channels, retired_at__isnull=True, status="APPROVED"
    )
    ready = set(templates.values_list("channel", flat=True))
    if not ready:
        found.problems.append(_("The template is not approved for any of the channels."))
    elif missing := [each for each in campaign.channels if each not in ready]:
        named = ", ".join(str(Channel(each).label) for each in missing)
        found.warnings.append(_("There is no approved template for: %(channels)s.") % {"channels": named})
    found.findings = findings_of(campaign, on=found.as_of)
    if campaign.ends_on < found.as_of:
        found.problems.append(_("The last day of the campaign is over."))
    if not is_fresh(campaign.portfolio_id, found.as_of):
        found.warnings.append(_("The portfolio's data are too old: nobody is contacted until a new file is loaded."))
    found.unpriced = [each.channel for each in found.prices.values() if each.micros is None]
    found.problems += budget_problems(campaign, found.prices)


def budget_problems(
    campaign: Campaign, known: Mapping[str, MessagePrice], spent: Mapping[str, int] = MappingProxyType({})
) -> list[str]:
    """Return why a budget cannot be kept: a price that is not known, or money of another currency.

    `spent` is in micros by currency.
    """
    if campaign.budget_minor is None:
        return []
    problems = []
    if any(price.micros is None for price in known.values()):
        problems.append(_("The budget cannot be kept: the price of a message is not known for every channel."))
    own = {campaign.budget_currency}
    if foreign := [price for price in known.values() if price.currencies - own]:
        named = ", ".join(
            f"{Channel(each.channel).label} ({', '.join(sorted(each.currencies - own))})" for each in foreign
        )
        said = _("The budget cannot be kept: messages are paid in another currency than %(currency)s: %(channels)s.")
        problems.append(said % {"currency": campaign.budget_currency, "channels": named})
    if others := sorted(currency for currency, micros in spent.items() if micros and currency not in own):
        said = _("The budget cannot be kept: messages that left were paid in %(currencies)s.")
        problems.append(said % {"currencies": ", ".join(others)})
    return problems


def _count(group: GroupSurvey, found: Preflight) -> None:
    members = group.members
    found.matched = members.num_rows
    found.accounts = pc.sum(members["accounts"]).as_py() or 0
    found.overdue_minor = pc.sum(members["overdue_minor"]).as_py() or 0
    found.control = pc.sum(members["control"]).as_py() or 0
    found.treated = found.matched - found.control


def _simulate_days(campaign: Campaign, group: GroupSurvey, found: Preflight) -> None:
    """Simulate the days: each treated debtor gets one message on the first day that lets it through and has room."""
    treated = group.members.filter(pc.invert(group.members["control"]))
    waiting = _rows_of_debtors(group.candidates, treated["debtor_id"])
    found.channels = dict(Counter(waiting["channel"].to_pylist())) if waiting.num_rows else {}
    spent, last, let_through = 0, waiting.slice(0, 0), set[int]()
    first = max(campaign.starts_on, group.as_of)
    for day in (first + timedelta(n) for n in range(min((campaign.ends_on - first).days + 1, MAX_DAYS))):
        if waiting.num_rows == 0 or found.stops_on is not None:
            break
        last = sort_by_debt(group.judged(waiting, day=day), treated)
        free = pa.array([pk not in group.planned or day > group.as_of for pk in last["debtor_id"].to_pylist()])
        allowed = last.filter(pc.and_(last["allowed"], free))
        let_through.update(allowed["debtor_id"].to_pylist())
        taken, cost = select_affordable(allowed, found.prices, budget_left(campaign, spent))
        spent += cost or 0
        waiting = waiting.filter(pc.invert(pc.is_in(waiting["debtor_id"], pa.array(taken, pa.int64()))))
        found.messages += len(taken)
        day_row = PreflightDay(
            day=day, allowed=allowed.num_rows, fits=len(taken), cost_micros=cost, left=waiting.num_rows
        )
        found.days.append(day_row)
        used_up = is_exhausted(budget_left(campaign, spent), _channels(waiting), found.prices)
        _note_end(found, day_row, used_up=used_up)
    _note_cost(found, spent)
    left = _rows_of_debtors(last, waiting["debtor_id"]) if waiting.num_rows else None
    _count_barred(group, found, treated, last=left, but=let_through)


def _note_end(found: Preflight, day: PreflightDay, *, used_up: bool) -> None:
    if day.fits:
        found.ends_on = day.day
    if used_up and day.left and found.stops_on is None:
        found.stops_on = day.day


def _channels(rows: pa.Table) -> set[str]:
    return set(rows["channel"].to_pylist()) if rows.num_rows else set()


def is_exhausted(left_micros: int | None, channels: Iterable[str], known: Mapping[str, MessagePrice]) -> bool:
    """Tell if what is left buys no message by any of the channels of those who wait, at the prices of today."""
    cheapest = min((known[channel].micros or 0 for channel in channels if channel in known), default=0)
    return left_micros is not None and left_micros < cheapest


def _note_cost(found: Preflight, spent: int) -> None:
    used = [found.prices[channel] for channel in found.channels if channel in found.prices]
    priced = {price.currency for price in used}
    known = all(price.micros is not None for price in used) and len(priced) == 1
    found.cost_micros, found.cost_currency = (spent, next(iter(priced))) if known else (None, "")


def _count_barred(
    group: GroupSurvey, found: Preflight, treated: pa.Table, *, last: pa.Table | None, but: set[int]
) -> None:
    """Count everybody of the treated who is let through on no day, each for one reason: the last day's.

    Those let through for whom there was no room (`but`) are counted apart.
    """
    judged = {row["debtor_id"]: row for row in last.to_pylist()} if last is not None else {}
    ways = set(group.candidates["debtor_id"].to_pylist()) if group.candidates.num_rows else set()
    why = {pk: (NO_WAY, "", "") for pk in treated["debtor_id"].to_pylist() if pk not in ways}
    for table in (group.silent, group.unreachable):
        why |= {row["debtor_id"]: (row["reason"], "", "") for row in table.to_pylist() if row["debtor_id"] in why}
    for pk, row in judged.items():
        if pk not in but:
            why[pk] = (row["reason"] or WAITS_TURN, row["rule"] or "", row["source"] or "")
    left = len(but & set(judged))
    found.left_by_budget, found.left_by_rate = (left, 0) if found.stops_on else (0, left)
    found.barred = [
        BarredGroup(reason=reason, rule=rule if reason != WAITS_TURN else "", article=article, debtors=count)
        for (reason, rule, article), count in Counter(why.values()).most_common()
    ]
    found.barred_debtors = [(pk, said[0], said[2]) for pk, said in sorted(why.items())]


def _rows_of_debtors(rows: pa.Table, debtor_ids: pa.ChunkedArray) -> pa.Table:
    return rows.filter(pc.is_in(rows["debtor_id"], debtor_ids.combine_chunks())) if rows.num_rows else rows


def sort_by_debt(candidates: pa.Table, members: pa.Table) -> pa.Table:
    """Put who owes most first: where money or hours run out, they have been spent there."""
    if candidates.num_rows == 0:
        return candidates
    owed = dict(zip(members["debtor_id"].to_pylist(), members["overdue_minor"].to_pylist(), strict=True))
    ids = candidates["debtor_id"].to_pylist()
    return candidates.take(pa.array(sorted(range(len(ids)), key=lambda at: (-owed.get(ids[at], 0), ids[at]))))


def budget_left(campaign: Campaign, spent_micros: int) -> int | None:
    """Return what may still be spent, in micros; None where there is no budget."""
    if campaign.budget_minor is None:
        return None
    return micros_of(campaign.budget_minor, campaign.budget_currency) - spent_micros


def select_affordable(
    allowed: pa.Table, known: Mapping[str, MessagePrice], left_micros: int | None
) -> tuple[list[int], int | None]:
    """Return the debtors who fit into one day, by rate and by money (micros), and what they cost.

    The cost is None where a price is not known or they are paid in several currencies.
    """
    room = {channel: _rate_capacity(allowed, price) for channel, price in known.items()}
    taken, cost, priced, paid_in = [], 0, True, set[str]()
    pairs = zip(allowed["debtor_id"].to_pylist(), allowed["channel"].to_pylist(), strict=True) if len(allowed) else ()
    for debtor_id, channel in pairs:
        price, left = known.get(channel, MessagePrice(channel=channel)), room.get(channel)
        costs = price.micros or 0
        if left == 0 or (left_micros is not None and cost + costs > left_micros):
            continue
        taken.append(debtor_id)
        cost, priced = cost + costs, priced and price.micros is not None
        paid_in.add(price.currency)
        room[channel] = None if left is None else left - 1
    return taken, cost if priced and len(paid_in) <= 1 else None


def _rate_capacity(allowed: pa.Table, price: MessagePrice) -> int | None:
    """Return how many messages a channel's rate lets through while somebody may be written to; None: no limit known."""
    mine = allowed.filter(pc.equal(allowed["channel"], price.channel)) if allowed.num_rows else allowed
    if price.per_second is None or mine.num_rows == 0:
        return None
    opens, closes = pc.min(mine["due_at"]).as_py(), pc.max(mine["closes_at"]).as_py()
    if not isinstance(opens, datetime) or not isinstance(closes, datetime):
        return None
    return int((closes - opens).total_seconds() * price.per_second)
