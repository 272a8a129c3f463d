"""One day of a portfolio, from facts to plan: the same expressions for a million accounts and for one debtor."""

from recobra_core.decide.daily.classify import PortfolioLimits, classify
from recobra_core.decide.daily.facts import Facts, known_facts
from recobra_core.decide.daily.plan import due_on, judge, plan_day

__all__ = ["Facts", "PortfolioLimits", "classify", "due_on", "judge", "known_facts", "plan_day"]
