"""Company rules in words."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recobra.console import labels
from recobra.console.screens.countries.description import channel_names
from recobra.console.templatetags.console import day
from recobra.kit.countries import country_name
from recobra.kit.language import screen_language
from recobra.policy.queries import HouseRule
from recobra_core import law
from recobra_core.law import phrases
from recobra_core.law.company_rules import CompanyRule


def read_rules(rule: HouseRule) -> law.CompanyRules:
    """Return a stored version as the gate reads it."""
    return law.read_company_rules({**rule.document, "name": rule.code})


def describe_version(rule: HouseRule) -> list[str]:
    """Return a stored version in words, one line for each of its limits."""
    lines = describe_rules(read_rules(rule))
    if decision := rule.document.get("decision"):
        lines.append(_("Goes before cautions that are no law, because: %(reason)s") % {"reason": decision})
    return lines


def describe_rules(rules: law.CompanyRules) -> list[str]:
    """Return a rule document in words, one line for each of its limits."""
    lines = [_("Visits are made, where the law leaves them.")] if rules.visits_open else []
    for rule in rules.rules:
        scope = _describe_scope(rule)
        lines += [f"{scope}: {limit}" for limit in _describe_limits(rule)]
    return lines


def _describe_scope(rule: CompanyRule) -> str:
    """Return the channels of a rule and, where it is not for all, its countries and stages: «SMS, Call (Peru)»."""
    channels = channel_names(rule.channels) if rule.channels else _("All channels")
    where = [country_name(code) for code in rule.countries]
    where += [labels.label_of("stage", stage) for stage in rule.stages]
    return f"{channels} ({', '.join(where)})" if where else channels


def _describe_limits(rule: CompanyRule) -> Iterator[str]:
    """Yield each limit that a rule sets, in words."""
    if rule.never:
        yield _("not used")
    if rule.windows is not None:
        hours = phrases.describe_hours(rule.windows, screen_language())
        yield "; ".join(hours) or _("closed every day")
    if rule.closed_days:
        closed_days = ", ".join(day(closed_day) for closed_day in sorted(rule.closed_days))
        yield _("closed on %(days)s") % {"days": closed_days}
    if rule.roles is not None:
        yield _("with the debtor alone")
    if rule.open_on_holidays is not None:
        yield _("also on holidays") if rule.open_on_holidays else _("closed on holidays")
    for cap in rule.caps:
        yield phrases.describe_cap(cap, screen_language())
    if rule.workplace is not None:
        yield _("also at work") if rule.workplace else _("never at work")
    if rule.consent_required:
        yield _("only with the debtor's authorisation")
    if rule.max_debt_age_days:
        days = rule.max_debt_age_days
        yield ngettext("no debt older than %(days)d day", "no debt older than %(days)d days", days) % {"days": days}
