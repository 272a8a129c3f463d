"""Classification of accounts: bucket, stage, cycle of delinquency and segment out of days past due."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir

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


def classify_accounts(known: ir.Table, policies: Sequence[PortfolioLimits], *, as_of: date) -> ir.Table:
    """Add bucket, stage, stage_since, days_in_stage, cycle_date and segment to `build_account_facts`.

    A cycle of delinquency starts on the oldest unpaid due date of the day an account falls into arrears and lasts
    until nothing is overdue; before, its date is the next due date. Within a cycle the stage never falls back.
    """
    is_overdue = known.overdue_minor > 0
    was_overdue = (known.was_overdue_minor > 0).fill_null(False)
    same_cycle = is_overdue & was_overdue
    stage_by_days = _choose_by_policy(
        known, policies, lambda policy: stage_of(known.dpd, current=known.was_stage, limits=policy.limits)
    )
    # Within a cycle nobody falls back: a part payment does not undo a demand.
    was_further = same_cycle & (_rank_of(known.was_stage) > _rank_of(stage_by_days)).fill_null(False)
    classed = known.mutate(
        bucket=_choose_by_policy(known, policies, lambda policy: bucket_of(known.dpd, limits=policy.limits)),
        stage=was_further.ifelse(known.was_stage, stage_by_days),
        cycle_date=ibis.cases(
            (same_cycle & known.was_cycle_date.notnull(), known.was_cycle_date),
            (is_overdue, known.oldest_due_date),
            else_=known.next_due_date,
        ),
    )
    # An account without a state is new: it entered its stage today.
    is_same_stage = (classed.stage == classed.was_stage).fill_null(False)
    classed = classed.mutate(stage_since=is_same_stage.ifelse(classed.was_stage_since, ibis.literal(as_of)))
    classed = classed.mutate(days_in_stage=ibis.literal(as_of).delta(classed.stage_since, unit="day").cast("int64"))
    # Segments come last: their rules may speak of the columns above.
    segments = [
        (classed.portfolio_id.isin(policy.portfolio_ids) & segment.rule.condition(classed), segment.key)
        for policy in policies
        if policy.strategy is not None
        for segment in policy.strategy.segments
    ]
    return classed.mutate(segment=ibis.cases(*segments, else_=NO_SEGMENT) if segments else ibis.literal(NO_SEGMENT))


def _choose_by_policy(
    known: ir.Table, policies: Sequence[PortfolioLimits], value: Callable[[PortfolioLimits], ir.StringValue]
) -> ir.StringValue:
    cases = [(known.portfolio_id.isin(policy.portfolio_ids), value(policy)) for policy in policies]
    return cases[0][1] if len(cases) == 1 else ibis.cases(*cases, else_=ibis.null("string"))


def _rank_of(stage: ir.StringValue) -> ir.IntegerValue:
    return ibis.cases(*((stage == name, rank) for name, rank in _RANK.items()), else_=ibis.null("int64"))
