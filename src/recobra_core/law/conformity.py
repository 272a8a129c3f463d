"""What a company's rules would loosen: each such rule is refused with the article that it goes against."""

from collections.abc import Iterator
from dataclasses import dataclass

from recobra_core.law.company_rules import CompanyRule, CompanyRules
from recobra_core.law.files import load_countries
from recobra_core.law.model import CHANNELS, WEEKDAYS, Cap, Country, Rule, Window

SENTENCES = {
    "window_wider": "The hours are wider than the law's.",
    "cap_higher": "The limit of contacts is higher than the law's.",
    "gap_shorter": "The days between contacts are fewer than the law's.",
    "holiday_opened": "The law closes holidays.",
    "consent_dropped": "The law wants the debtor's authorisation of this channel.",
    "channel_opened": "The law bars this channel.",
    "workplace_opened": "The law bars contact at work.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loosening:
    """One key of a company rule against one rule of the law; `what` is a key of SENTENCES, `basis` the law's own."""

    house_rule: str
    key: str
    what: str
    channel: str
    rule: str
    article: str
    basis: str


def find_loosenings(house: CompanyRules, *, country: str) -> tuple[Loosening, ...]:
    """Return what company rules would loosen in a country; empty where they only tighten.

    Project defaults stand as the law does: only `visits: open` may be switched on, where the law leaves visits.
    Raises KeyError for a country without rules.
    """
    home = load_countries()[country]
    found = [*_visits(house, home)]
    for own in house.rules:
        for channel in CHANNELS:
            if own.concerns(country=country, channel=channel):
                found += _against(own, home, channel)
    return tuple(dict.fromkeys(found))


def _visits(house: CompanyRules, home: Country) -> Iterator[Loosening]:
    law = _newest(home, "visit")
    if house.visits_open and not law.allowed:
        yield _named(f"HOUSE/{house.name}", "visits", "channel_opened", law, "barred")


def _against(own: CompanyRule, home: Country, channel: str) -> Iterator[Loosening]:
    law = _newest(home, channel)
    if own.never is False and not law.allowed:
        yield _named(own.rule, "never", "channel_opened", law, "barred")
    wider = _wider(own, law) if law.allowed else None
    if wider:
        yield _named(own.rule, f"windows: {wider}", "window_wider", law, "window")
    if own.open_on_holidays and not law.open_on_holidays:
        yield _named(own.rule, "holidays", "holiday_opened", law, "holidays")
    if own.consent_required is False and law.consent_source:
        yield _named(own.rule, "consent", "consent_dropped", law, "consent")
    yield from _workplace(own, home, channel)
    for cap in own.caps:
        yield from _higher(own, cap, law)


def _wider(own: CompanyRule, law: Rule) -> str | None:
    """The first weekday on which the company would open when the law is closed."""
    for day, mine, lawful in zip(WEEKDAYS, own.windows or (None,) * 7, law.windows, strict=True):
        if mine and not _inside(mine, lawful):
            return day
    return None


def _inside(mine: Window, lawful: Window | None) -> bool:
    return lawful is not None and lawful.opens <= mine.opens and mine.closes <= lawful.closes


def _workplace(own: CompanyRule, home: Country, channel: str) -> Iterator[Loosening]:
    for clause in sorted(home.sections.workplace, key=lambda each: each.effective_from)[-1:]:
        if channel in (own.workplace or ()) and channel not in clause.channels:
            yield Loosening(
                house_rule=own.rule,
                key="workplace",
                what="workplace_opened",
                channel=channel,
                rule=clause.rule,
                article=clause.source,
                basis=clause.basis,
            )


def _higher(own: CompanyRule, cap: Cap, law: Rule) -> Iterator[Loosening]:
    """The caps of the law that count at least the same contacts, over the same time, and allow fewer."""
    for lawful in law.caps:
        if (
            lawful.counts == "distinct_channels"
            or lawful.scope == "after_conversation"
            or not _covers(lawful, cap, law)
        ):
            continue
        gap = cap.per == "clear_days"
        period = {"7_consecutive_days": "week"}.get(lawful.per, lawful.per)
        if period == cap.per and (cap.n < lawful.n if gap else cap.n > lawful.n):
            what, key = ("gap_shorter", "clear_days") if gap else ("cap_higher", "n")
            yield Loosening(
                house_rule=own.rule,
                key=f"caps: {key}",
                what=what,
                channel=law.channel,
                rule=lawful.rule,
                article=lawful.source,
                basis=lawful.basis,
            )


def _covers(lawful: Cap, cap: Cap, law: Rule) -> bool:
    """Whether the law counts every contact that the company's cap counts."""
    counted = {"channel": {law.channel}, "all": set(CHANNELS)}
    return counted[cap.scope] <= counted.get(lawful.scope, set(lawful.channels))


def _newest(home: Country, channel: str) -> Rule:
    return max((rule for rule in home.rules if rule.channel == channel), key=lambda rule: rule.effective_from)


def _named(house_rule: str, key: str, what: str, law: Rule, suffix: str) -> Loosening:
    article = law.consent_source if suffix == "consent" else None
    return Loosening(
        house_rule=house_rule,
        key=key,
        what=what,
        channel=law.channel,
        rule=f"{law.name}/{suffix}",
        article=article or law.source,
        basis=law.basis,
    )
