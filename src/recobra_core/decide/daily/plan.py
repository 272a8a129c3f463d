"""From classified accounts to the day's plan: due steps, one contact per debtor, the gate's verdict."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import ibis
import ibis.expr.types as ir

from recobra_core.decide import plan as planning
from recobra_core.decide.daily.classify import PortfolioLimits
from recobra_core.decide.daily.facts import PHONE_CHANNELS, DayFacts
from recobra_core.decide.due import find_due_steps
from recobra_core.law import join_openings, judge_candidates

_CHANNELS_BY_KIND = (("EMAIL", ("email",)), ("PHONE", PHONE_CHANNELS), ("ADDRESS", ("letter", "visit")))


def find_due_today(
    accounts: ir.Table, facts: DayFacts, policies: Sequence[PortfolioLimits], *, as_of: date
) -> ir.Table | None:
    """Return the due steps of all strategies on a day, or None where no portfolio follows one.

    Portfolios that may not be contacted today (stale data) have none.
    """
    active = facts.portfolios.filter(facts.portfolios.active).select("portfolio_id")
    speaking = accounts.semi_join(active, "portfolio_id")
    found = []
    for policy in policies:
        if policy.strategy is None or not policy.strategy.steps:
            continue
        mine = speaking.filter(speaking.portfolio_id.isin(policy.portfolio_ids))
        fired = facts.firings.filter(facts.firings.strategy_code == policy.strategy.code).drop("strategy_code")
        found.append(find_due_steps(mine, fired, policy.strategy, as_of=as_of))
    return ibis.union(*found) if len(found) > 1 else (found[0] if found else None)


def plan_day(
    due: ir.Table,
    accounts: ir.Table,
    facts: DayFacts,
    templates: ir.Table,
    *,
    as_of: date,
    channels_open: tuple[str, ...],
) -> planning.Plan:
    """Plan one contact per debtor and creditor; debtors whose contact of the day was made already wait.

    `due` must be a table of the engine, not an expression over `accounts` (see `plan.contacts`).
    """
    messages = due.anti_join(facts.planned.select("debtor_id").distinct(), "debtor_id")
    plan = planning.plan_contacts(
        messages, accounts, _ways(facts.points), templates, as_of=as_of, channels_open=channels_open
    )
    return replace(plan, candidates=_with_gate_facts(plan.candidates, accounts, facts))


def _with_gate_facts(candidates: ir.Table, accounts: ir.Table, facts: DayFacts) -> ir.Table:
    """Add what the gate asks beyond the hour: to the debtor, about everything overdue, under the portfolio's house."""
    since = accounts.oldest_due_date.coalesce(accounts.next_due_date)
    owed = accounts.group_by(owing_debtor=accounts.debtor_id, owed_creditor=accounts.creditor_id).agg(
        oldest_due_date=since.min()
    )
    portfolios = facts.portfolios
    house = portfolios.house.fill_null("") if "house" in portfolios.columns else ibis.literal("")
    houses = portfolios.select(house_of=portfolios.portfolio_id, house=house)
    told = candidates.left_join(owed, [("debtor_id", "owing_debtor"), ("creditor_id", "owed_creditor")])
    told = told.left_join(houses, [("portfolio_id", "house_of")])
    notice = (told.message_class == "notice").fill_null(False)
    return told.select(
        *candidates.columns,
        "oldest_due_date",
        "house",
        role=ibis.literal("debtor"),
        purpose=notice.ifelse("NOTICE", "CLAIM"),
        replies_to_at_utc=ibis.null("timestamp(6)"),
    )


def _place(points: ir.Table) -> ir.StringValue:
    """What was stated about a number or address; '' where nobody did."""
    return points.place.fill_null("") if "place" in points.columns else ibis.literal("")


def judge_at_opening(
    candidates: ir.Table, *, openings: ir.Table, history: ir.Table, caps: ir.Table, as_of: date
) -> ir.Table:
    """Judge the candidates at the opening of their day; add the gate's columns and due_at, closes_at (UTC)."""
    dated = candidates.mutate(local_date=ibis.literal(as_of))
    opened = join_openings(dated, openings=openings)
    timed = opened.select(
        *dated.columns, at_utc=opened.opens_at_utc, due_at=opened.opens_at_utc, closes_at=opened.closes_at_utc
    )
    return judge_candidates(timed, openings=openings, history=history, caps=caps)


def _ways(points: ir.Table) -> ir.Table:
    """Return one row per contact point and channel that it serves; a fixed line serves calls only."""
    rows = []
    for kind, channels in _CHANNELS_BY_KIND:
        # A number at work or of another person is no way to the debtor, so it never stands before one that is.
        mine = points.filter((points.kind == kind) & ~_place(points).isin(["work", "other_person"]))
        for channel in channels:
            fitting = mine.filter(mine.line != "FIXED") if channel in {"sms", "whatsapp"} else mine
            rows.append(
                fitting.select(
                    "contact_point_id",
                    "debtor_id",
                    "opted_out",
                    "quality",
                    valid=fitting.valid & ~_named(fitting, "unusable_for", channel),
                    consent=_consent(fitting, channel),
                    place=_place(fitting),
                    preferred=_preferred(fitting, channel),
                    channel=ibis.literal(channel),
                    rank=ibis.literal(0),
                )
            )
    return ibis.union(*rows)


def _consent(points: ir.Table, channel: str) -> ir.StringValue:
    """What was said of this one channel goes before what was said of the whole point."""
    return ibis.cases(
        (_named(points, "denied_for", channel), "denied"),
        (_named(points, "granted_for", channel), "granted"),
        else_=points.consent,
    )


def _named(points: ir.Table, column: str, channel: str) -> ir.BooleanValue:
    if column not in points.columns:
        return ibis.literal(False)
    return ("|" + points[column].fill_null("") + "|").contains(f"|{channel}|")


def _preferred(points: ir.Table, channel: str) -> ir.BooleanValue:
    if "preferred_channel" not in points.columns:
        return ibis.literal(False)
    return (points.preferred_channel == channel).fill_null(False)
