"""Plan of a day out of classified accounts: due steps, one contact per debtor, the gate's verdict."""

from collections.abc import Sequence
from dataclasses import replace

import ibis
import ibis.expr.types as ir

from recobra_core.channels import CHANNELS_BY_KIND
from recobra_core.days import AsOf, day_value
from recobra_core.decide import plan as planning
from recobra_core.decide.daily.classify import PortfolioLimits
from recobra_core.decide.daily.facts import DayFacts
from recobra_core.decide.due import find_due_steps
from recobra_core.law import join_openings, judge_candidates, resolve_consent
from recobra_core.law.clauses import OF_OTHERS, STAGES


def find_due_today(
    accounts: ir.Table, facts: DayFacts, policies: Sequence[PortfolioLimits], *, as_of: AsOf
) -> ir.Table | None:
    """Return the due steps of all strategies on a day, or None where no portfolio follows one.

    Portfolios that may not be contacted today (stale data) have none.
    """
    active = facts.portfolios.filter(facts.portfolios.active).select("portfolio_id")
    contactable = accounts.semi_join(active, "portfolio_id")
    due = []
    for policy in policies:
        # A strategy may have segments alone.
        if policy.strategy is None or not policy.strategy.steps:
            continue
        policy_accounts = contactable.filter(contactable.portfolio_id.isin(policy.portfolio_ids))
        firings = facts.firings.filter(facts.firings.strategy_code == policy.strategy.code).drop("strategy_code")
        due.append(find_due_steps(policy_accounts, firings, policy.strategy, as_of=as_of))
    if not due:
        return None
    return ibis.union(*due) if len(due) > 1 else due[0]


def plan_day(
    due: ir.Table,
    accounts: ir.Table,
    facts: DayFacts,
    templates: ir.Table,
    *,
    as_of: AsOf,
    channels_open: tuple[str, ...],
    stored: ir.Table | None = None,
) -> planning.Plan:
    """Plan one contact per debtor and creditor; a debtor who already has a contact today gets no other.

    `due` must be a table of the engine, not an expression over `accounts`, and `stored` may be one (see
    `plan.plan_contacts`).
    """
    messages = due.anti_join(facts.planned.select("debtor_id").distinct(), "debtor_id")
    plan = planning.plan_contacts(
        messages,
        accounts,
        _expand_points(facts.points),
        templates,
        as_of=as_of,
        channels_open=channels_open,
        stored=stored,
    )
    return replace(plan, candidates=_add_gate_facts(plan.candidates, accounts, facts))


def _add_gate_facts(candidates: ir.Table, accounts: ir.Table, facts: DayFacts) -> ir.Table:
    """Add what the gate asks except the hour. Every contact goes to the debtor and is about everything overdue."""
    oldest = accounts.oldest_due_date.coalesce(accounts.next_due_date)
    ranks = ibis.cases(*((accounts.stage == stage, rank) for rank, stage in enumerate(STAGES)), else_=-1)
    due_dates = accounts.group_by(due_debtor=accounts.debtor_id, due_creditor=accounts.creditor_id).agg(
        oldest_due_date=oldest.min(), furthest=ranks.max(where=accounts.balance_minor > 0)
    )
    # A snapshot without the column has no company rules.
    portfolios = facts.portfolios
    rules_id = portfolios.house.fill_null("") if "house" in portfolios.columns else ibis.literal("")
    company_rules = portfolios.select(ruled_portfolio=portfolios.portfolio_id, house=rules_id)
    joined = candidates.left_join(due_dates, [("debtor_id", "due_debtor"), ("creditor_id", "due_creditor")])
    joined = joined.left_join(company_rules, [("portfolio_id", "ruled_portfolio")])
    is_notice = (joined.message_class == "notice").fill_null(False)
    return joined.select(
        *candidates.columns,
        "oldest_due_date",
        "house",
        role=ibis.literal("debtor"),
        stage=ibis.cases(
            *((joined.furthest == rank, stage) for rank, stage in enumerate(STAGES)), else_=ibis.null("string")
        ),
        purpose=is_notice.ifelse("NOTICE", "CLAIM"),
        replies_to_at_utc=ibis.null("timestamp(6)"),
    )


def _stated_place(points: ir.Table) -> ir.StringValue:
    """Return where a number or address is said to be, such as `work`; '' where that is not stated."""
    return points.place.fill_null("") if "place" in points.columns else ibis.literal("")


def judge_at_opening(
    candidates: ir.Table, *, openings: ir.Table, history: ir.Table, caps: ir.Table, as_of: AsOf
) -> ir.Table:
    """Judge the candidates at the opening of their day; add the gate's columns and due_at, closes_at (UTC)."""
    dated = candidates.mutate(local_date=day_value(as_of))
    opened = join_openings(dated, openings=openings)
    timed = opened.select(
        *dated.columns, at_utc=opened.opens_at_utc, due_at=opened.opens_at_utc, closes_at=opened.closes_at_utc
    )
    return judge_candidates(timed, openings=openings, history=history, caps=caps)


def _expand_points(points: ir.Table) -> ir.Table:
    """Return one row per contact point and channel that it serves; a fixed line serves calls only."""
    # A number at work or of another person does not lead to the debtor, so it never stands before one that does.
    own_points = points.filter(~_stated_place(points).isin(OF_OTHERS))
    by_channel = []
    for kind, channels in CHANNELS_BY_KIND.items():
        kind_points = own_points.filter(own_points.kind == kind)
        for channel in channels:
            if channel in {"sms", "whatsapp"}:
                by_channel.append(_points_of_channel(kind_points.filter(kind_points.line != "FIXED"), channel))
            else:
                by_channel.append(_points_of_channel(kind_points, channel))
    return ibis.union(*by_channel)


def _points_of_channel(points: ir.Table, channel: str) -> ir.Table:
    """Return contact points in the shape of `plan.plan_contacts`, as they stand for one channel."""
    # Contact points carry a copy of the ledger: there is no later word.
    consent = resolve_consent(
        last_word=ibis.null("string"),
        is_denied=_has_channel(points, "denied_for", channel),
        is_granted=_has_channel(points, "granted_for", channel),
        stated=points.consent,
    )
    is_preferred = ibis.literal(False)
    if "preferred_channel" in points.columns:
        is_preferred = (points.preferred_channel == channel).fill_null(False)
    return points.select(
        "contact_point_id",
        "debtor_id",
        "opted_out",
        "quality",
        valid=points.valid & ~_has_channel(points, "unusable_for", channel),
        consent=consent,
        place=_stated_place(points),
        preferred=is_preferred,
        channel=ibis.literal(channel),
        rank=ibis.literal(0),
    )


def _has_channel(points: ir.Table, column: str, channel: str) -> ir.BooleanValue:
    """Tell if a list of channels holds one; false where the snapshot lacks the column."""
    if column not in points.columns:
        return ibis.literal(False)
    return points[column].contains(channel).fill_null(False)
