"""Classification of accounts: bucket, stage, cycle of delinquency and segment out of days past due."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from recobra_core.days import AsOf, day_value
from recobra_core.decide.steps import NO_SEGMENT
from recobra_core.decide.strategy import Strategy
from recobra_core.stages import Limits, bucket_of, stage_of

_RANK = {"PREVENTIVE": 0, "ADMINISTRATIVE": 1, "EXTRAJUDICIAL": 2, "JUDICIAL": 3}


@dataclass(frozen=True, kw_only=True)
class PortfolioLimits:
    """Limits and strategy of some portfolios; every portfolio of a snapshot stands in exactly one."""

    portfolio_ids: tuple[int, ...]
    limits: Limits
    strategy: Strategy | None


def classify_accounts(accounts: ir.Table, policies: Sequence[PortfolioLimits], *, as_of: AsOf) -> ir.Table:
    """Add bucket, stage, stage_since, days_in_stage, cycle_date and segment to `build_account_facts`.

    A cycle of delinquency starts on the oldest unpaid due date of the day an account falls into arrears and lasts
    until nothing is overdue; before, its date is the next due date. Within a cycle the stage never falls back.
    """
    is_overdue = accounts.overdue_minor > 0
    was_overdue = (accounts.was_overdue_minor > 0).fill_null(False)
    same_cycle = is_overdue & was_overdue
    stage_by_days = _choose_by_policy(
        accounts, policies, lambda policy: stage_of(accounts.dpd, current=accounts.was_stage, limits=policy.limits)
    )
    # Within a cycle nobody falls back: a part payment does not undo a demand.
    was_further = same_cycle & (_rank_of(accounts.was_stage) > _rank_of(stage_by_days)).fill_null(False)
    classed = accounts.mutate(
        bucket=_choose_by_policy(accounts, policies, lambda policy: bucket_of(accounts.dpd, limits=policy.limits)),
        stage=was_further.ifelse(accounts.was_stage, stage_by_days),
        cycle_date=ibis.cases(
            (same_cycle & accounts.was_cycle_date.notnull(), accounts.was_cycle_date),
            (is_overdue, accounts.oldest_due_date),
            else_=accounts.next_due_date,
        ),
    )
    # An account without a state is new: it entered its stage today.
    is_same_stage = (classed.stage == classed.was_stage).fill_null(False)
    classed = classed.mutate(stage_since=is_same_stage.ifelse(classed.was_stage_since, day_value(as_of)))
    classed = classed.mutate(days_in_stage=day_value(as_of).delta(classed.stage_since, unit="day").cast("int64"))
    # Segments come last: their rules may speak of the columns above.
    return classed.mutate(segment=_choose_segment(classed, policies))


def _choose_segment(classed: ir.Table, policies: Sequence[PortfolioLimits]) -> ir.StringValue:
    """Return the first segment of the account's strategy whose rule it meets, or NO_SEGMENT."""
    cases = []
    for policy in policies:
        if policy.strategy is None:
            continue
        in_portfolios = classed.portfolio_id.isin(policy.portfolio_ids)
        segments = policy.strategy.segments
        cases += [(in_portfolios & segment.rule.condition(classed), segment.key) for segment in segments]
    return ibis.cases(*cases, else_=NO_SEGMENT) if cases else ibis.literal(NO_SEGMENT)


def _choose_by_policy(
    accounts: ir.Table, policies: Sequence[PortfolioLimits], value: Callable[[PortfolioLimits], ir.StringValue]
) -> ir.StringValue:
    """Return the value that the policy of each account's portfolio gives."""
    # One policy for all portfolios needs no choice.
    if len(policies) == 1:
        return value(policies[0])
    cases = [(accounts.portfolio_id.isin(policy.portfolio_ids), value(policy)) for policy in policies]
    return ibis.cases(*cases, else_=ibis.null("string"))


def _rank_of(stage: ir.StringValue) -> ir.IntegerValue:
    """Return the place of a stage among the four, null where the stage is null."""
    ranks = [(stage == name, rank) for name, rank in _RANK.items()]
    return ibis.cases(*ranks, else_=ibis.null("int64"))
