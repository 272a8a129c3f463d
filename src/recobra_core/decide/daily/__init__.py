"""One day of a portfolio, from facts to plan: the same expressions for a million accounts and for one debtor."""

from recobra_core.decide.daily.classify import PortfolioLimits, classify_accounts
from recobra_core.decide.daily.facts import DayFacts, build_account_facts
from recobra_core.decide.daily.plan import find_due_today, judge_at_opening, plan_day

__all__ = [
    "DayFacts",
    "PortfolioLimits",
    "build_account_facts",
    "classify_accounts",
    "find_due_today",
    "judge_at_opening",
    "plan_day",
]
