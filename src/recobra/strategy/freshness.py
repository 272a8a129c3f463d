"""Whether a portfolio's data are new enough to contact anybody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from recobra.intake.queries import last_loads
from recobra.portfolio.models import Portfolio


def fresh_portfolios(portfolio_ids: Iterable[int], *, day: date) -> frozenset[int]:
    """Return those of the portfolios whose last load is new enough on a day to contact anybody."""
    days_by_portfolio = dict(Portfolio.objects.filter(pk__in=list(portfolio_ids)).values_list("pk", "freshness_days"))
    loaded_on = last_loads(days_by_portfolio)
    return frozenset(
        portfolio_id
        for portfolio_id, days in days_by_portfolio.items()
        if portfolio_id in loaded_on and loaded_on[portfolio_id] >= day - timedelta(days)
    )
