"""Conformity of company rules with the law: every rule that would loosen it, with the article it goes against."""

from collections.abc import Iterator
from dataclasses import dataclass

from recobra_core.channels import CHANNELS
from recobra_core.law.clauses import STAGES, StageMethods, ThirdParties
from recobra_core.law.company_rules import CompanyRule, CompanyRules
from recobra_core.law.files import load_countries
from recobra_core.law.model import WEEKDAYS, Cap, Country, Rule, Window

SENTENCES = {
    "window_wider": "The hours are wider than the law's.",
    "cap_higher": "The limit of contacts is higher than the law's.",
    "gap_shorter": "The days between contacts are fewer than the law's.",
    "holiday_opened": "The law closes holidays.",
    "consent_dropped": "The law wants the debtor's authorisation of this channel.",
    "channel_opened": "The law bars this channel.",
    "workplace_opened": "The law bars contact at work.",
    "role_opened": "Other people are contacted than the law leaves.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loosening:
    """One key of a company rule against one rule of the law; `what` is a key of SENTENCES, `basis` the law's own."""

    company_rule: str
    key: str
    what: str
    channel: str
    rule: str
    article: str
    basis: str


def find_loosenings(company: CompanyRules, *, country: str) -> tuple[Loosening, ...]:
    """Return what company rules would loosen in a country; empty where they only tighten.

    Cautions of ours (basis `default`) are named too: on those alone a company may decide. Only
    `visits: open` may be switched on, where the law allows visits. Raises KeyError for a country without rules.
    """
    law = load_countries()[country]
    loosenings: list[Loosening] = []
    visits = _newest_rule(law, "visit")
    if company.visits_open and not visits.allowed:
        loosenings.append(_make_loosening(f"HOUSE/{company.name}", "visits", "channel_opened", visits, "barred"))
    for rule in company.rules:
        for channel in CHANNELS:
            if rule.applies_to(country=country, channel=channel):
                loosenings += _find_in_rule(rule, law, channel)
    # A rule that speaks of several channels may say the same of each.
    return tuple(dict.fromkeys(loosenings))


def _find_in_rule(rule: CompanyRule, country: Country, channel: str) -> Iterator[Loosening]:
    """Yield everything that one company rule would loosen for one channel."""
    law = _newest_rule(country, channel)
    if rule.never is False and not law.allowed:
        yield _make_loosening(rule.rule, "never", "channel_opened", law, "barred")
    if law.allowed and rule.windows:
        for weekday, window, lawful in zip(WEEKDAYS, rule.windows, law.windows, strict=True):
            if window and not _is_inside(window, lawful):
                yield _make_loosening(rule.rule, f"windows: {weekday}", "window_wider", law, "window")
                # One finding for the week; the first such day names it.
                break
    if rule.open_on_holidays and not law.open_on_holidays:
        yield _make_loosening(rule.rule, "holidays", "holiday_opened", law, "holidays")
    if rule.consent_required is False and law.consent_source:
        yield _make_loosening(rule.rule, "consent", "consent_dropped", law, "consent")
    clause = max(country.sections.workplace, key=lambda version: version.effective_from, default=None)
    if clause and rule.workplace and channel in rule.workplace and channel not in clause.channels:
        yield Loosening(
            company_rule=rule.rule,
            key="workplace",
            what="workplace_opened",
            channel=channel,
            rule=clause.rule,
            article=clause.source,
            basis=clause.basis,
        )
    yield from _find_in_roles(rule, country, channel)
    for cap in rule.caps:
        yield from _find_in_cap(rule, cap, law)


def _find_in_roles(rule: CompanyRule, country: Country, channel: str) -> Iterator[Loosening]:
    """Yield the clauses that leave fewer people to contact, in all stages or in one of the rule's."""
    clauses: list[ThirdParties | StageMethods] = [*country.sections.third_parties]
    clauses += [methods for methods in country.sections.stages if methods.stage in (rule.stages or STAGES)]
    for clause in clauses:
        if rule.roles is not None and not set(rule.roles) <= set(clause.roles):
            yield Loosening(
                company_rule=rule.rule,
                key="roles",
                what="role_opened",
                channel=channel,
                rule=clause.rule,
                article=clause.source,
                basis=clause.basis,
            )


def _is_inside(window: Window, lawful: Window | None) -> bool:
    """Tell if a window lies within the law's; nothing lies within a closed day."""
    return lawful is not None and lawful.opens <= window.opens and window.closes <= lawful.closes


def _find_in_cap(rule: CompanyRule, cap: Cap, law: Rule) -> Iterator[Loosening]:
    """Yield the caps of the law that a company's cap would loosen."""
    for lawful in law.caps:
        if is_loosened(lawful, cap, channel=law.channel):
            is_gap = cap.per == "clear_days"
            yield Loosening(
                company_rule=rule.rule,
                key="caps: clear_days" if is_gap else "caps: n",
                what="gap_shorter" if is_gap else "cap_higher",
                channel=law.channel,
                rule=lawful.rule,
                article=lawful.source,
                basis=lawful.basis,
            )


def is_loosened(lawful: Cap, cap: Cap, *, channel: str) -> bool:
    """Tell if a cap of the law counts the contacts of a company's cap, over the same time, and allows fewer."""
    if lawful.counts == "distinct_channels" or lawful.scope == "after_conversation":
        return False
    # Only where the law counts every contact that the company's cap counts can the two be compared.
    channels_by_scope = {"channel": {channel}, "all": set(CHANNELS)}
    lawful_channels = channels_by_scope.get(lawful.scope, set(lawful.channels))
    period = "week" if lawful.per == "7_consecutive_days" else lawful.per
    if not channels_by_scope[cap.scope] <= lawful_channels or period != cap.per:
        return False
    return cap.n < lawful.n if cap.per == "clear_days" else cap.n > lawful.n


def _newest_rule(country: Country, channel: str) -> Rule:
    """Return the last version of the country's rule for a channel, whether or not it is in force yet."""
    versions = (rule for rule in country.rules if rule.channel == channel)
    return max(versions, key=lambda rule: rule.effective_from)


def _make_loosening(company_rule: str, key: str, what: str, law: Rule, suffix: str) -> Loosening:
    """Return the loosening of a law's rule for a channel; `suffix` names the part: window, consent, barred…"""
    article = law.consent_source if suffix == "consent" else None
    return Loosening(
        company_rule=company_rule,
        key=key,
        what=what,
        channel=law.channel,
        rule=f"{law.name}/{suffix}",
        article=article or law.source,
        basis=law.basis,
    )
