"""Policies of portfolios as they stand, for tests that are not about how one is saved."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from recobra.policy.models import FROM_THE_BEGINNING, PortfolioPolicy
from recobra.portfolio.models import Portfolio


def put_in_force(portfolio: Portfolio, *, day: date = FROM_THE_BEGINNING, **settings: Any) -> PortfolioPolicy:
    """Write a version that holds from a day on; settings that are not given have their default."""
    return PortfolioPolicy.objects.create(
        portfolio=portfolio,
        effective_from=day,
        document=settings,
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
        created_by="carla",
    )
