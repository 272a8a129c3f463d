"""Public reads of company rules and of portfolios' policies, scoped to the user's portfolios."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from django.db.models import Q, QuerySet

from recobra.access.queries import User, portfolio_codes
from recobra.policy.kinds import DAYS_MAX
from recobra.policy.models import FROM_THE_BEGINNING, PortfolioPolicy
from recobra.policy.models import HouseRule as HouseRule  # noqa: PLC0414 - the doors name the type from here
from recobra.policy.portfolio_policies import policy_histories
from recobra.policy.settings import Policy, Setting, changed_settings, read_policy
from recobra.portfolio.models import Portfolio
from recobra_core.stages import Bucket


def rules_for(user: User) -> QuerySet[HouseRule]:
    """Return every version of the rules of a user's portfolios and of those for all, newest first."""
    rules = HouseRule.objects.select_related("portfolio").order_by("code", "-version")
    codes = portfolio_codes(user)
    return rules if codes is None else rules.filter(Q(portfolio=None) | Q(portfolio__code__in=codes))


def rule_for(user: User, rule_id: int) -> HouseRule:
    """Return one version. Raises HouseRule.DoesNotExist."""
    return rules_for(user).get(pk=rule_id)


def is_code_taken(code: str) -> bool:
    """Tell if a rule of this code was ever in force."""
    return HouseRule.objects.filter(code=code).exists()


def has_every_portfolio(user: User) -> bool:
    """Tell if a user sees every portfolio, and so may make rules for all."""
    return portfolio_codes(user) is None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """A version of a portfolio's policy beside the one before; `starts_on` is None for one that always held.

    `changed` are the settings that differ from `before`, which for the first version is the product's own policy.
    """

    policy: Policy
    before: Policy
    changed: list[Setting]
    starts_on: date | None
    state: Literal["past", "in_force", "future"]
    created_at: datetime
    created_by: str


def policy_versions(portfolio: Portfolio, *, today: date) -> list[PolicyVersion]:
    """Return the versions of a portfolio's policy, the newest first. Of many portfolios ask `all_policy_versions`."""
    return _describe_versions(PortfolioPolicy.objects.filter(portfolio=portfolio).order_by("effective_from"), today)


def all_policy_versions(portfolios: Sequence[Portfolio], *, now: datetime) -> list[list[PolicyVersion]]:
    """Return the versions of the policy of each portfolio, in their order, the newest first. One query."""
    rows_by_portfolio: dict[int, list[PortfolioPolicy]] = defaultdict(list)
    rows = PortfolioPolicy.objects.filter(portfolio__in=[portfolio.pk for portfolio in portfolios])
    for row in rows.order_by("portfolio_id", "effective_from"):
        rows_by_portfolio[row.portfolio_id].append(row)
    return [_describe_versions(rows_by_portfolio[each.pk], each.local_day(now)) for each in portfolios]


def _describe_versions(versions_stored: Iterable[PortfolioPolicy], today: date) -> list[PolicyVersion]:
    """Return the stored versions of one policy, given from the earliest on, the newest first."""
    rows = list(versions_stored)
    started = [row for row in rows if row.effective_from <= today]
    versions: list[PolicyVersion] = []
    before = Policy()
    for row in rows:
        policy = read_policy(row.document)
        state: Literal["past", "in_force", "future"] = "past"
        if row.effective_from > today:
            state = "future"
        elif row is started[-1]:
            state = "in_force"
        versions.append(
            PolicyVersion(
                policy=policy,
                before=before,
                changed=changed_settings(before, policy),
                starts_on=None if row.effective_from == FROM_THE_BEGINNING else row.effective_from,
                state=state,
                created_at=row.created_at,
                created_by=row.created_by,
            )
        )
        before = policy
    return versions[::-1]


def buckets_of(portfolios: Iterable[Portfolio], *, day: date) -> list[Bucket]:
    """Return the buckets of some portfolios on a day by their days, each key once, with the name of the first.

    Without portfolios they are those of the product.
    """
    ids = [portfolio.pk for portfolio in portfolios]
    histories = policy_histories(ids)
    buckets: dict[str, Bucket] = {}
    for policy in [histories[portfolio_id].on(day) for portfolio_id in ids] or [Policy()]:
        for bucket in policy.buckets:
            buckets.setdefault(bucket.key, bucket)
    return sorted(buckets.values(), key=_bucket_order)


def _bucket_order(bucket: Bucket) -> tuple[int, int]:
    """Return where a bucket stands: by its first day, and a longer one after a shorter one."""
    start = -1 if bucket.from_days is None else bucket.from_days
    return start, DAYS_MAX + 1 if bucket.to_days is None else bucket.to_days
