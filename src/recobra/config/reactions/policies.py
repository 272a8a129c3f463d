"""Reactions of the policy."""

from __future__ import annotations

from recobra.journal.reactions import Recorded
from recobra.policy import portfolio_policies
from recobra.portfolio.facts import PortfolioOpened


def begin_policy(opened: Recorded[PortfolioOpened]) -> None:
    """Give a portfolio that was opened the first version of its policy: the product's, or that of another one."""
    for subject, fact in opened:
        assert subject.portfolio_id is not None, "a portfolio that was opened"
        portfolio_policies.begin_policy(
            portfolio_id=subject.portfolio_id, settings_of=fact.settings_of, actor=opened.actor
        )
