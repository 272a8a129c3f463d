"""Public reads of company rules, scoped to the user's portfolios."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from recobra.access.queries import User, portfolio_codes
from recobra.policy.models import HouseRule as HouseRule  # noqa: PLC0414 - the doors name the type from here


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
