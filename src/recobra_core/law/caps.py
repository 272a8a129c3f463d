"""Caps and gaps as rows, so that one expression judges every country."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from types import MappingProxyType

import ibis
import ibis.expr.types as ir

from recobra_core.channels import CHANNELS
from recobra_core.law.cautions import CAUTION, cite
from recobra_core.law.company_rules import CompanyRules
from recobra_core.law.conformity import is_loosened
from recobra_core.law.files import load_countries
from recobra_core.law.model import Cap, Country, Regime
from recobra_core.law.tables import build_table

UNKNOWN_CHANNEL = "?"
"""Stands for the channel of an earlier contact that nobody knows: every cap counts it."""

CAPS = ibis.schema(
    {
        "regime": "string",
        "counted_channel": "string",
        "cap_rank": "int64",
        "cap_reason": "string",
        "cap_rule": "string",
        "cap_source": "string",
        "blocks_at": "int64",
        "span_days": "int64",
        "calendar_week": "boolean",
        "counts_unreached": "boolean",
        "per_debt": "boolean",
    }
)
"""One row per regime, cap and channel whose earlier contacts the cap counts.

`blocks_at` or more earlier contacts within `span_days` local days (today is one) refuse a new one;
`calendar_week` counts from Monday instead. `cap_rank` is unique per regime and cap, most serious first.
"""

REASONS = {
    "day": "cap_day",
    "week": "cap_week",
    "month": "cap_month",
    "7_consecutive_days": "cap_week",
    "clear_days": "gap",
}
DAYS = {"day": 1, "week": 7, "7_consecutive_days": 7, "month": 31}
"""A month is the longest one, so that it holds the calendar month up to today."""


def build_caps(
    *, day: date | None = None, company_rules: Mapping[str, CompanyRules] = MappingProxyType({})
) -> ir.Table:
    """Return the caps of every country in the shape of CAPS: those of one day, or those of all days.

    `company_rules`, by id, add their own caps to the law's under a regime of their own.
    """
    regimes: dict[str, Regime] = {}
    for country in load_countries().values():
        for regime in _list_regimes(country, day):
            regimes[regime.id] = regime
    rows: list[dict[str, object]] = []
    rank = 0
    # One count over all regimes, in the order of `Regime.caps`: it numbers the most serious first.
    for regime in regimes.values():
        channel = regime.rules[0].channel
        for regime_id, caps in _caps_by_regime_id(regime, company_rules):
            for cap in caps:
                rank += 1
                limits = _cap_columns(cap)
                for counted_channel in _counted_channels(cap, channel):
                    key = {"regime": regime_id, "counted_channel": counted_channel, "cap_rank": rank}
                    rows.append(key | limits)
    return build_table(rows, schema=CAPS)


def _caps_by_regime_id(
    regime: Regime, company_rules: Mapping[str, CompanyRules]
) -> Iterator[tuple[str, tuple[Cap, ...]]]:
    """Yield a regime's id with its caps, then one more pair for each company that adds caps of its own."""
    # Also for a company with caps of its own, which has a second regime: other portfolios use this one.
    yield regime.id, regime.caps
    law = regime.rules[0]
    for rules in company_rules.values():
        own_rules = rules.rules_for(country=law.country, channel=law.channel)
        own_caps: list[Cap] = []
        for rule in own_rules:
            own_caps += rule.caps
        if own_caps:
            # Where the company decided on how often, the cautions that it goes beyond make room; the law stays.
            decided = [cap for rule in own_rules if rule.decides for cap in rule.caps]
            lawful = [cap for cap in regime.caps if not _is_decided(cap, decided, law.channel)]
            yield rules.regime_id(regime), (*lawful, *own_caps)


def _is_decided(lawful: Cap, decided: Iterable[Cap], channel: str) -> bool:
    """Tell if a cap is a caution of ours beyond which the company decided to go."""
    return lawful.basis == CAUTION and any(is_loosened(lawful, cap, channel=channel) for cap in decided)


def _list_regimes(country: Country, day: date | None) -> Iterator[Regime]:
    """Yield the regimes of a country for every channel and subdivision, on one day or (None) on any day."""
    rules = list(country.rules)
    for local_rules in country.subdivisions.values():
        rules += local_rules
    # A regime changes only where a version of some rule begins, so these days give every one.
    days = {rule.effective_from for rule in rules} if day is None else {day}
    for subdivision in (None, "", *country.subdivisions):
        for channel in CHANNELS:
            for effective_on in days:
                regime = country.find_regime(channel=channel, day=effective_on, subdivision=subdivision)
                if regime is not None:
                    yield regime


def _counted_channels(cap: Cap, channel: str) -> tuple[str, ...]:
    """Return the channels whose earlier contacts count against a new one by `channel`."""
    if cap.counts == "distinct_channels":
        channels = tuple(other for other in CHANNELS if other != channel)
    elif cap.scope == "after_conversation":
        channels = ("call", "ivr")
    elif cap.scope == "channel":
        channels = (channel,)
    else:
        channels = cap.channels or CHANNELS
    return (*channels, UNKNOWN_CHANNEL)


def _cap_columns(cap: Cap) -> dict[str, object]:
    """Return the columns of CAPS that a cap has under every regime and for every channel."""
    if cap.scope == "after_conversation":
        reason = "after_conversation"
    elif cap.counts == "distinct_channels":
        reason = "other_channel"
    else:
        reason = REASONS[cap.per]
    if cap.per == "clear_days":
        # Two clear days between contacts: one contact today, yesterday or the day before refuses another.
        blocks_at = 1
        span_days = cap.n + 1
    else:
        # After a conversation the limit is 0; that too takes one earlier contact to be reached.
        blocks_at = max(cap.n, 1)
        span_days = DAYS[cap.per]
    return {
        "cap_reason": reason,
        "cap_rule": cap.rule,
        "cap_source": cite(cap),
        "blocks_at": blocks_at,
        "span_days": span_days,
        # "Both" kinds of week need no second count: the last seven local days hold the calendar week up to today.
        "calendar_week": cap.per == "week" and cap.week == "calendar",
        "counts_unreached": cap.counts == "attempts" or (cap.counts == "contacts" and cap.per == "day"),
        "per_debt": cap.subject == "debt",
    }
