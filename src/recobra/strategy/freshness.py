"""Whether a portfolio's data are new enough to contact anybody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from recobra.intake.queries import last_loads
from recobra.policy.settings import Policy


def fresh_portfolios(policies: Mapping[int, Policy], *, day: date) -> frozenset[int]:
    """Return those of the portfolios whose last load is new enough on a day, by their policies of that day.

    A portfolio that was never loaded is not. One query.
    """
    return frozenset(
        portfolio_id
        for portfolio_id, loaded_on in last_loads(policies).items()
        if policies[portfolio_id].is_fresh(loaded_on, day)
    )
