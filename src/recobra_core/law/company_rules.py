"""Rules of the company, which may only tighten the law; `conformity` names what would loosen it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from recobra_core import yaml_text
from recobra_core.channels import CHANNELS
from recobra_core.law.files import read_windows
from recobra_core.law.model import Cap, Regime, Window
from recobra_core.law.nodes import NOTHING, Node

LAW_ALONE = "law"
"""Stands for a company without rules of its own and without its switch for visits: the law alone judges."""
COMPANY_SOURCE = "company rule"
PERIODS = ("day", "week", "month")
COUNT_MAX = 31
"""The most contacts a period may have, and the most days between two contacts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyRule:
    """One rule. `windows`, `holidays`, `never`, `workplace`, `consent` and the age are None where it is silent.

    `rule` names it: HOUSE/riesgo/2. Empty `countries` or `channels` mean all.
    """

    rule: str
    countries: tuple[str, ...]
    channels: tuple[str, ...]
    windows: tuple[Window | None, ...] | None
    closed_days: frozenset[date]
    open_on_holidays: bool | None
    caps: tuple[Cap, ...]
    never: bool | None
    workplace: tuple[str, ...] | None
    max_debt_age_days: int | None
    consent_required: bool | None

    def applies_to(self, *, country: str, channel: str) -> bool:
        """Tell if it speaks of a country and channel."""
        if self.countries and country not in self.countries:
            return False
        return not self.channels or channel in self.channels


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyRules:
    """All rules of a company that apply to some portfolios. `visits_open`: the company makes visits at all.

    `holidays` are the days on which the company itself contacts nobody, beside the public ones.
    """

    name: str
    rules: tuple[CompanyRule, ...]
    visits_open: bool
    holidays: frozenset[date] = frozenset()

    def rules_for(self, *, country: str, channel: str) -> tuple[CompanyRule, ...]:
        """Return the rules that speak of a country and channel."""
        return tuple(rule for rule in self.rules if rule.applies_to(country=country, channel=channel))

    def regime_id(self, regime: Regime) -> str:
        """Return the regime under which caps are counted: the law's own where the company adds none."""
        law = regime.rules[0]
        own_rules = self.rules_for(country=law.country, channel=law.channel)
        if any(rule.caps for rule in own_rules):
            return f"{regime.id}#{self.name}"
        return regime.id


def read_company_rules(document: str | Mapping[str, Any]) -> CompanyRules:
    """Read company rules from YAML text or a mapping. Raises LawFileError, which names the key.

    Keys: name, visits (open, closed) and rules, each with countries, channels, windows, closed_days, holidays
    (open, closed), caps ({n, per: day|week|month, scope: channel|all} or {clear_days}), never, workplace
    (channels), max_debt_age_days, consent (required, not_required).
    """
    raw = yaml_text.load(document) if isinstance(document, str) else document
    node = Node(raw, "house")
    node.check_keys("name", "visits", "rules")
    name = node.get("name", str)
    # Regime ids carry the name after a #.
    if not name or name == LAW_ALONE or "#" in name:
        raise node.error("name", f"a name other than {LAW_ALONE!r} and without #", name)
    entries = list(node.get_children("rules")) if "rules" in node.raw else []
    rules = [_read_rule(entry, f"HOUSE/{name}/{number}") for number, entry in enumerate(entries, 1)]
    return CompanyRules(
        name=name,
        rules=tuple(rules),
        visits_open=node.get_choice("visits", ("open", "closed"), "closed") == "open",
    )


def merge_company_rules(
    *, name: str, parts: Iterable[CompanyRules], holidays: frozenset[date] = frozenset()
) -> CompanyRules:
    """Return the rules of all under one name, with the company's own holidays.

    Visits are open where any part opens them.
    """
    rules: list[CompanyRule] = []
    visits_open = False
    for part in parts:
        rules += part.rules
        visits_open = visits_open or part.visits_open
    return CompanyRules(name=name, rules=tuple(rules), visits_open=visits_open, holidays=holidays)


def _read_rule(node: Node, rule: str) -> CompanyRule:
    """Read one rule of a company. `rule` is the name it gets, such as HOUSE/riesgo/2."""
    node.check_keys(
        "countries",
        "channels",
        "windows",
        "closed_days",
        "holidays",
        "caps",
        "never",
        "workplace",
        "max_debt_age_days",
        "consent",
    )
    closed_days = set()
    for value in node.get("closed_days", list, []):
        # YAML makes dates of them, JSON leaves them texts.
        try:
            closed_days.add(value if isinstance(value, date) else date.fromisoformat(value))
        except (TypeError, ValueError):
            raise node.error("closed_days", "days such as 2026-12-24", value) from None
    caps = list(node.get_children("caps")) if "caps" in node.raw else []
    age = node.get("max_debt_age_days", int, None)
    if age is not None and age < 1:
        raise node.error("max_debt_age_days", "a number of days", age)
    return CompanyRule(
        rule=rule,
        countries=node.get_names("countries") if "countries" in node.raw else (),
        channels=node.get_names("channels", CHANNELS) if "channels" in node.raw else (),
        windows=read_windows(node.get_child("windows", NOTHING)) if "windows" in node.raw else None,
        closed_days=frozenset(closed_days),
        open_on_holidays=_get_switch(node, "holidays", "open", "closed"),
        caps=tuple(_read_cap(cap, f"{rule}/cap-{number}") for number, cap in enumerate(caps, 1)),
        never=node.get("never", bool, None),
        workplace=node.get_names("workplace", CHANNELS) if "workplace" in node.raw else None,
        max_debt_age_days=age,
        consent_required=_get_switch(node, "consent", "required", "not_required"),
    )


def _get_switch(node: Node, key: str, yes: str, no: str) -> bool | None:
    """Return whether the key holds the word `yes` rather than `no`; None where it is absent."""
    if key not in node.raw:
        return None
    return node.get_choice(key, (yes, no)) == yes


def _get_count(node: Node, key: str) -> int:
    """Return a number of contacts or days, from 1 to COUNT_MAX."""
    count = node.get(key, int)
    if not 1 <= count <= COUNT_MAX:
        raise node.error(key, f"a number from 1 to {COUNT_MAX}", count)
    return count


def _read_cap(node: Node, rule: str) -> Cap:
    """Read a cap ({n, per}) or a gap ({clear_days}). `rule` is the name it gets."""
    if "clear_days" in node.raw:
        node.check_keys("clear_days", "scope")
        n = _get_count(node, "clear_days")
        per = "clear_days"
    else:
        node.check_keys("n", "per", "scope")
        n = _get_count(node, "n")
        per = node.get_choice("per", PERIODS)
    scope = node.get_choice("scope", ("channel", "all"), "all")
    return Cap(
        rule=rule,
        scope=scope,
        n=n,
        per=per,
        week="both",
        counts="contacts",
        channels=(),
        subject="debtor",
        basis="house",
        source=COMPANY_SOURCE,
        certainty="verified",
    )
