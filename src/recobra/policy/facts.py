"""Kinds of facts about the company's own rules and the policies of portfolios."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext_lazy as _

from recobra.journal.facts import Fact, fact


@fact("house_rule.saved", _("Company rule put in force"))
class CompanyRuleSaved(Fact):
    """A version of a rule is in force in the place of the one before."""

    house_rule_id: int
    code: str
    version: int


@fact("house_rule.retired", _("Company rule taken out of force"))
class CompanyRuleRetired(Fact):
    """A rule is no longer in force."""

    house_rule_id: int
    code: str
    version: int


@fact("house_rule.caution_decided", _("The company decided on a caution that is no law"))
class CautionDecided(Fact):
    """A version of a rule goes before cautions of ours; `cautions` are their rules, the reason is in its document."""

    house_rule_id: int
    code: str
    version: int
    cautions: list[str]


@fact("portfolio_policy.saved", _("Policy of a portfolio saved"))
class PortfolioPolicySaved(Fact):
    """A version of a portfolio's policy was saved, to hold from a day on.

    `changed` are the names of the settings that differ from the version before; `replaced` says whether it took the
    place of one that was not yet in force.
    """

    policy_id: int
    effective_from: date
    changed: list[str]
    replaced: bool
