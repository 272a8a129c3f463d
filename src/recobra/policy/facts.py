"""Kinds of facts about the company's own rules."""

from __future__ import annotations

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
