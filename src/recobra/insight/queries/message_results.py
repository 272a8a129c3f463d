"""What the messages of a period brought: funnel, plan kept, result, cost, harm, and each segment's best channel.

The definitions are those of `recobra_core.kpi.contacts`. Portfolios of one currency are read at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

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
"""What messages may be told apart by, with the columns of `results_sql` that do it."""
WINDOWS: Final = (3, 7, 14, 30)


@dataclass(frozen=True, kw_only=True)
class ResultsQuery:
    """Which messages: of portfolios of one currency, planned from a day to another, both included.

    `window` is the days within which what a debtor does belongs to a message, its own day the first.
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
    """What a channel cost, by currency, and how many of its messages have no known price."""

    channel: str
    carried: int = 0
    unpriced: int = 0
    amounts: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Micros and priced messages by currency."""

    def each(self, currency: str) -> float | None:
        """Return what one message cost in a currency, in micros."""
        cost_micros, priced = self.amounts[currency]
        return cost_per_action(cost_micros=cost_micros, priced=priced)


@dataclass(frozen=True, kw_only=True)
class BestChannel:
    """The channel that a segment answers most, and whether that is more than chance beside the next."""

    segment: str
    channel: str
    response: Interval
    sent: int
    second: str
    finding: Conclusion


@dataclass(frozen=True, kw_only=True)
class MessageResults:
    """What the messages asked for brought; `rows` are the groups by `Asked.by`, largest first."""

    total: Counts
    rows: list[tuple[str, Counts]]
    costs: list[Cost]
    best: list[BestChannel]
    currency: str

    @property
    def unpriced(self) -> int:
        """Return how many messages left without a known price."""
        return sum(each.unpriced for each in self.costs)

    @property
    def cost_per_unit(self) -> float | None:
        """Return what a unit recovered cost; None where a price is not known or is in another currency."""
        if self.unpriced or {currency for each in self.costs for currency in each.amounts} - {self.currency}:
            return None
        spent = sum(each.amounts.get(self.currency, (0, 0))[0] for each in self.costs)
        paid = self.total.paid_minor and micros_of(self.total.paid_minor, self.currency)
        return cost_per_unit(cost_micros=spent, paid_micros=paid)


def message_results(asked: ResultsQuery) -> MessageResults:
    """Return what the messages of a period brought."""
    found: dict[str, list[tuple[list[Any], Counts]]] = defaultdict(list)
    for kind, names, counts in _read_groups(asked):
        found[kind].append((names, counts))
    parts = [counts for _names, counts in (*found["cost"], *found["debtors"])]
    return MessageResults(
        total=sum(parts, _read_coverage(asked)),
        rows=_group_rows(asked, found["by"]),
        costs=_channel_costs(found["cost"]),
        best=_best_channels(found["segment"]),
        currency=asked.portfolios[0].currency if asked.portfolios else "",
    )


def _read_groups(asked: ResultsQuery) -> list[tuple[str, list[Any], Counts]]:
    if not asked.portfolios:
        return []
    query = RESULTS.format(dimension=DIMENSIONS[asked.by])
    with connection.cursor() as cursor:
        cursor.execute(query, _values(asked))
        rows = cursor.fetchall()
    return [(kind, names, Counts(**dict(zip(COUNTED, map(int, counts), strict=True)))) for kind, names, *counts in rows]


def _values(asked: ResultsQuery) -> dict[str, Any]:
    return {
        "portfolios": [each.pk for each in asked.portfolios],
        "from_day": asked.from_day,
        "to_day": asked.to_day,
        "today": asked.today,
        "window": asked.window,
        "last_day": asked.to_day + timedelta(asked.window),
        # A day before and after hold every time zone's midnight.
        "since": datetime.combine(asked.from_day - timedelta(1), time.min, UTC),
        "until": datetime.combine(asked.to_day + timedelta(asked.window + 2), time.min, UTC),
        "channel": asked.channel,
        "template_code": asked.template_code,
    }


def _read_coverage(asked: ResultsQuery) -> Counts:
    with connection.cursor() as cursor:
        cursor.execute(COVERAGE, _values(asked))
        small, covered = cursor.fetchone()
    return Counts(small=small, covered=covered)


def _group_rows(asked: ResultsQuery, found: list[tuple[list[Any], Counts]]) -> list[tuple[str, Counts]]:
    rows: dict[str, Counts] = defaultdict(Counts)
    for names, counts in found:
        rows[_group_name(asked, names)] += counts
    return sorted(rows.items(), key=lambda row: (-row[1].sent, row[0]))


def _group_name(asked: ResultsQuery, names: list[Any]) -> str:
    """Return the key of a group; groups that share one, such as two portfolios of a country, become one."""
    if asked.by in {"cartera", "pais"}:
        portfolio = next(each for each in asked.portfolios if str(each.pk) == names[0])
        return portfolio.name if asked.by == "cartera" else portfolio.country
    return " · ".join(name for name in names if name)


def _channel_costs(found: list[tuple[list[Any], Counts]]) -> list[Cost]:
    costs: dict[str, Cost] = {}
    for (channel, currency), counts in found:
        before, priced = costs.get(channel, Cost(channel=channel)), counts.carried - counts.unpriced
        amounts = {**before.amounts, currency: (counts.cost_micros, priced)} if priced else before.amounts
        costs[channel] = replace(
            before, carried=before.carried + counts.carried, unpriced=before.unpriced + counts.unpriced, amounts=amounts
        )
    return [costs[channel] for channel in sorted(costs) if costs[channel].carried]


def _best_channels(found: list[tuple[list[Any], Counts]]) -> list[BestChannel]:
    segments: dict[str, list[tuple[str, Counts]]] = defaultdict(list)
    for (segment, channel), counts in found:
        if counts.sent:
            segments[segment].append((channel, counts))
    return [_best_of(segment, channels) for segment, channels in sorted(segments.items())]


def _best_of(segment: str, channels: list[tuple[str, Counts]]) -> BestChannel:
    ranked = sorted(channels, key=lambda each: (-each[1].responded / each[1].sent, each[0]))
    (channel, first), second = ranked[0], ranked[1] if len(ranked) > 1 else None
    response = compute_rate(KPIS["response"], first)
    assert response is not None
    return BestChannel(
        segment=segment,
        channel=channel,
        response=response,
        sent=first.sent,
        second=second[0] if second else "",
        finding=_finding(first, second[1]) if second else "not_enough",
    )


def _finding(first: Counts, second: Counts) -> Conclusion:
    gap = shares_difference(treated=(first.responded, first.sent), control=(second.responded, second.sent))
    return judge_difference(gap, smallest=min(first.sent, second.sent))
