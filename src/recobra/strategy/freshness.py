"""Whether a portfolio's data are new enough to contact anybody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from recobra.intake.queries import last_loads
from recobra.policy.portfolio_policies import policy_on
from recobra.policy.settings import Policy


def fresh_portfolios(policies: Mapping[int, Policy], *, day: date) -> frozenset[int]:
    """Return those of the portfolios whose last load is new enough on a day, by their policies of that day.

    A portfolio that was never loaded is not, nor is one that is disabled. One query.
    """
    return frozenset(
        portfolio_id
        for portfolio_id, loaded_on in last_loads(policies, is_worked=True).items()
        if policies[portfolio_id].is_fresh(loaded_on, day)
    )


def is_fresh(portfolio_id: int, *, day: date) -> bool:
    """Tell if the data of one portfolio are new enough on a day. For many portfolios ask `fresh_portfolios`."""
    return bool(fresh_portfolios({portfolio_id: policy_on(portfolio_id, day)}, day=day))
