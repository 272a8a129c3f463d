"""Results of the messages of a period: funnel, plan kept, payments, cost, harm, and each segment's best channel.

The definitions are those of `recobra_core.kpi.contacts`. Portfolios of one currency are read at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NamedTuple

from django.db import connection

from recobra.insight.queries.message_results_sql import COUNTED, COVERAGE, RESULTS
from recobra.portfolio.models import Portfolio
from recobra_core.kpi.contacts import KPIS, Counts, compute_rate, cost_per_action, cost_per_unit
from recobra_core.kpi.difference import Conclusion, Interval, judge_difference, shares_difference
from recobra_core.money import micros_of

DIMENSIONS: Final = {
    "canal": "channel",
    "plantilla": "template_code",
    "variante": "template_code, variant",
    "paso": "step",
    "cartera": "portfolio_id",
    "pais": "portfolio_id",
}
"""Dimensions by which messages are grouped, with their columns in `message_results_sql`."""
WINDOWS: Final = (3, 7, 14, 30)


@dataclass(frozen=True, kw_only=True)
class ResultsQuery:
    """Messages to read: of portfolios of one currency, planned between two days, both included.

    `window` is the number of days, its own day the first, within which what a debtor does belongs to a message.
    """

    portfolios: Sequence[Portfolio]
    from_day: date
    to_day: date
    today: date
    window: int = 7
    channel: str = ""
    template_code: str = ""
    by: str = "canal"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Cost of a channel by currency, and how many of its messages have no known price."""

    channel: str
    carried: int = 0
    unpriced: int = 0
    amounts: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By currency: the cost in micros, and how many messages have a price."""

    def unit_cost(self, currency: str) -> float | None:
        """Return what one message cost in a currency, in micros."""
        cost_micros, priced = self.amounts[currency]
        return cost_per_action(cost_micros=cost_micros, priced=priced)


class _Group(NamedTuple):
    """Counts of the messages that share some names, such as a channel and a currency."""

    names: list[str]
    counts: Counts


@dataclass(frozen=True, kw_only=True)
class BestChannel:
    """The channel that a segment answers most, and whether its lead over the next is more than chance."""

    segment: str
    channel: str
    response: Interval
    sent: int
    second: str
    finding: Conclusion


@dataclass(frozen=True, kw_only=True)
class MessageResults:
    """Results of the messages of a query; `rows` are the groups by `ResultsQuery.by`, largest first."""

    total: Counts
    rows: list[tuple[str, Counts]]
    costs: list[Cost]
    best: list[BestChannel]
    currency: str

    @property
    def unpriced(self) -> int:
        """Return how many messages were sent without a known price."""
        return sum(cost.unpriced for cost in self.costs)

    @property
    def cost_per_unit(self) -> float | None:
        """Return what a unit recovered cost; None where a price is unknown or in another currency."""
        if self.unpriced:
            return None
        spent_micros = 0
        for cost in self.costs:
            for currency, (cost_micros, _priced) in cost.amounts.items():
                if currency != self.currency:
                    return None
                spent_micros += cost_micros
        paid_micros = micros_of(self.total.paid_minor, self.currency) if self.total.paid_minor else 0
        return cost_per_unit(cost_micros=spent_micros, paid_micros=paid_micros)


def message_results(query: ResultsQuery) -> MessageResults:
    """Return the results of the messages of a period."""
    groups = _read_groups(query)
    # The groups by cost hold every message once, the row of debtors counts the people: together they are the total.
    parts = [group.counts for group in (*groups["cost"], *groups["debtors"])]
    with connection.cursor() as cursor:
        cursor.execute(COVERAGE, _query_parameters(query))
        small, covered = cursor.fetchone()
    return MessageResults(
        total=sum(parts, Counts(small=small, covered=covered)),
        rows=_group_rows(query, groups["by"]),
        costs=_channel_costs(groups["cost"]),
        best=_best_channels(groups["segment"]),
        currency=query.portfolios[0].currency if query.portfolios else "",
    )


def _read_groups(query: ResultsQuery) -> dict[str, list[_Group]]:
    """Return the groups by their kind, one list for each SELECT of `RESULTS`: by, cost, segment and debtors."""
    groups: dict[str, list[_Group]] = defaultdict(list)
    if not query.portfolios:
        return groups
    with connection.cursor() as cursor:
        cursor.execute(RESULTS.format(dimension=DIMENSIONS[query.by]), _query_parameters(query))
        rows = cursor.fetchall()
    for kind, names, *counts in rows:
        # A sum of SQL is a Decimal.
        count_by_name = {name: int(count) for name, count in zip(COUNTED, counts, strict=True)}
        groups[kind].append(_Group(names, Counts(**count_by_name)))
    return groups


def _query_parameters(query: ResultsQuery) -> dict[str, Any]:
    """Return the parameters of `RESULTS` and `COVERAGE`."""
    return {
        "portfolios": [portfolio.pk for portfolio in query.portfolios],
        "from_day": query.from_day,
        "to_day": query.to_day,
        "today": query.today,
        "window": query.window,
        "last_day": query.to_day + timedelta(query.window),
        # A day more on each side holds the midnight of every time zone.
        "since": datetime.combine(query.from_day - timedelta(1), time.min, UTC),
        "until": datetime.combine(query.to_day + timedelta(query.window + 2), time.min, UTC),
        "channel": query.channel,
        "template_code": query.template_code,
    }


def _group_rows(query: ResultsQuery, groups: list[_Group]) -> list[tuple[str, Counts]]:
    """Return the groups by name, largest first; those of one name, such as two portfolios of a country, become one."""
    portfolios = {str(portfolio.pk): portfolio for portfolio in query.portfolios}
    rows: dict[str, Counts] = defaultdict(Counts)
    for names, counts in groups:
        if query.by in {"cartera", "pais"}:
            (portfolio_id,) = names
            portfolio = portfolios[portfolio_id]
            name = portfolio.name if query.by == "cartera" else portfolio.country
        else:
            name = " · ".join(part for part in names if part)
        rows[name] += counts
    return sorted(rows.items(), key=lambda row: (-row[1].sent, row[0]))


def _channel_costs(groups: list[_Group]) -> list[Cost]:
    """Return the cost of each channel that carried a message, from groups by channel and currency."""
    costs: dict[str, Cost] = {}
    for (channel, currency), counts in groups:
        cost = costs.get(channel, Cost(channel=channel))
        amounts = dict(cost.amounts)
        priced = counts.carried - counts.unpriced
        if priced:
            amounts[currency] = (counts.cost_micros, priced)
        costs[channel] = replace(
            cost, carried=cost.carried + counts.carried, unpriced=cost.unpriced + counts.unpriced, amounts=amounts
        )
    return [costs[channel] for channel in sorted(costs) if costs[channel].carried]


def _best_channels(groups: list[_Group]) -> list[BestChannel]:
    """Return the best channel of each segment that got a message, from groups by segment and channel."""
    segments: dict[str, dict[str, Counts]] = defaultdict(dict)
    for (segment, channel), counts in groups:
        if counts.sent:
            segments[segment][channel] = counts
    return [_best_channel(segment, channels) for segment, channels in sorted(segments.items())]


def _best_channel(segment: str, channels: dict[str, Counts]) -> BestChannel:
    """Return the channel with the highest share of responses; of equals the first by name."""

    def rank(channel: str) -> tuple[float, str]:
        counts = channels[channel]
        return -counts.responded / counts.sent, channel

    best, *others = sorted(channels, key=rank)
    best_counts = channels[best]
    response = compute_rate(KPIS["response"], best_counts)
    assert response is not None
    second = others[0] if others else ""
    finding: Conclusion = "not_enough"
    if second:
        second_counts = channels[second]
        difference = shares_difference(
            treated=(best_counts.responded, best_counts.sent), control=(second_counts.responded, second_counts.sent)
        )
        finding = judge_difference(difference, smallest=min(best_counts.sent, second_counts.sent))
    return BestChannel(
        segment=segment, channel=best, response=response, sent=best_counts.sent, second=second, finding=finding
    )
