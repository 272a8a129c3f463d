"""A country's law as a compliance officer reads it: words, sources, certainty and dates, for a page to lay out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from recobra_core.law import phrases
from recobra_core.law.clauses import C, Clause, Replies, Sections, find_in_force
from recobra_core.law.files import load_countries
from recobra_core.law.model import ALWAYS, CHANNELS, Cap, Country, Regime, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """One rule in words. `since` is None where the day it took force is not known; `rule` is '' of what is not judged.

    `basis` is law, analogy or default; `certainty` how sure the research is.
    """

    text: str
    rule: str
    source: str
    basis: str
    certainty: str
    since: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelLaw:
    """What a place says of a channel. `place` is the country or a subdivision whose rule differs."""

    place: str
    channel: str
    name: str
    allowed: bool
    hours: tuple[str, ...]
    holidays: str
    caps: tuple[RuleText, ...]
    consent: RuleText | None
    rule: RuleText


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryLaw:
    """The page of a country on a day. What the gate does not judge is told all the same: content, fees, records."""

    code: str
    name: str
    currency: str
    authority: str
    note: str
    day: date
    time_zones: tuple[str, ...]
    channels: tuple[ChannelLaw, ...]
    third_parties: tuple[RuleText, ...]
    workplace: tuple[RuleText, ...]
    stops: tuple[RuleText, ...]
    replies: tuple[RuleText, ...]
    offers: tuple[RuleText, ...]
    limitation: tuple[RuleText, ...]
    fees: tuple[RuleText, ...]
    required: tuple[str, ...]
    required_basis: str
    prohibited: tuple[str, ...]
    opt_out: RuleText
    records: RuleText
    sanctions: RuleText
    registries: tuple[RuleText, ...]
    further: tuple[RuleText, ...]
    local: Mapping[str, tuple[RuleText, ...]]


def describe_country(*, country: str, day: date, language: str = "es") -> CountryLaw:
    """Return what the law of a country says on a day. Raises KeyError for an unknown country or language."""
    home = load_countries()[country]
    says = _Teller(home, day, language)
    articles = home.articles
    return CountryLaw(
        code=home.code,
        name=says.text(home.name),
        currency=home.currency,
        authority=says.text(home.authority),
        note=says.text(home.note),
        day=day,
        time_zones=home.time_zones,
        channels=tuple(says.channels()),
        third_parties=says.clauses(lambda s: s.third_parties, lambda c: says.roles(c.roles)),
        workplace=says.clauses(lambda s: s.workplace, lambda c: says.workplace(c.channels)),
        stops=tuple(says.stops()),
        replies=says.clauses(lambda s: s.replies, lambda c: says.replies(c.within_hours, c.any_hour_minutes)),
        offers=says.clauses(lambda s: s.offers, lambda c: says.offers(required=c.consent_required)),
        limitation=says.clauses(lambda s: s.limitation, lambda c: says.limitation(c.years, bars=c.bars_contact)),
        fees=says.clauses(lambda s: s.fees, lambda c: says.text(c.text)),
        required=says.listed(articles["required_content"]),
        required_basis=says.text(articles["required_content_basis"]),
        prohibited=says.listed(articles["prohibited"]),
        opt_out=says.article(articles["opt_out"]),
        records=says.records(articles["records"]),
        sanctions=says.article(articles["sanctions"]),
        registries=tuple(says.registry(each) for each in articles["registry"]),
        further=tuple(says.article(each) for each in articles["further"]),
        local={place: tuple(says.local(place)) for place in home.subdivisions},
    )


def find_replies(*, country: str, day: date) -> Replies | None:
    """Return how long an answer to a debtor counts as one in a country, None of a country without rules."""
    home = load_countries().get(country)
    return find_in_force(home.sections.replies, day) if home else None


def translate_text(text: str, *, language: str) -> str:
    """Return a text of the law's data, or a verdict's article, in a language; what is no such text as it is.

    Raises KeyError for an unknown language.
    """
    return phrases.translate_text(text, language)


class _Teller:
    """A country on a day in a language."""

    def __init__(self, home: Country, day: date, language: str) -> None:
        self.home, self.day, self.language = home, day, language
        self.phrases = phrases.load_phrases(language)

    def text(self, written: str | None) -> str:
        return phrases.translate_text(written or "", self.language)

    def channels(self) -> Iterable[ChannelLaw]:
        for place in ("", *self.home.subdivisions):
            for channel in CHANNELS:
                regime = self.home.regime(channel=channel, day=self.day, subdivision=place)
                if regime and (not place or regime.rules[0].place == place):
                    yield self._channel(regime)

    def _channel(self, regime: Regime) -> ChannelLaw:
        rule = regime.rules[0]
        told = self.phrases
        holidays = told["holidays"]["open" if rule.open_on_holidays else "closed"]
        lines = phrases.describe_hours(rule.windows, self.language)
        text = "; ".join(lines) if rule.allowed else str(told["barred"])
        return ChannelLaw(
            place=rule.place,
            channel=rule.channel,
            name=told["channels"][rule.channel],
            allowed=rule.allowed,
            hours=lines if rule.allowed else (),
            holidays=str(holidays) if rule.allowed else "",
            caps=tuple(self._cap(cap) for cap in regime.caps),
            consent=self._consent(rule),
            rule=self._window(rule, text),
        )

    def _cap(self, cap: Cap) -> RuleText:
        return RuleText(
            text=phrases.describe_cap(cap, self.language),
            rule=cap.rule,
            source=self.text(cap.source),
            basis=cap.basis,
            certainty=cap.certainty,
        )

    def _window(self, rule: Rule, text: str) -> RuleText:
        return RuleText(
            text=text,
            rule=f"{rule.name}/window",
            source=self.text(rule.source),
            basis=rule.basis,
            certainty=rule.certainty,
            since=_since(rule.effective_from),
            note=self.text(rule.note),
        )

    def _consent(self, rule: Rule) -> RuleText | None:
        if rule.consent_source is None:
            return None
        told = self._window(rule, str(self.phrases["consent"]))
        return replace(told, rule=f"{rule.name}/consent", source=self.text(rule.consent_source))

    def clauses(self, pick: Callable[[Sections], Iterable[C]], say: Callable[[C], str]) -> tuple[RuleText, ...]:
        """The clause in force of the country, and of each subdivision that has its own."""
        places = [pick(self.home.sections), *(pick(own) for own in self.home.local_sections.values())]
        found = [clause for versions in places if (clause := find_in_force(versions, self.day))]
        return tuple(self.clause(clause, say(clause)) for clause in found)

    def clause(self, clause: Clause, text: str) -> RuleText:
        return RuleText(
            text=text,
            rule=clause.rule,
            source=self.text(clause.source),
            basis=clause.basis,
            certainty=clause.certainty,
            since=_since(clause.effective_from),
            note=self.text(clause.note),
        )

    def stops(self) -> Iterable[RuleText]:
        for stop in self.home.sections.stops:
            if stop.effective_from <= self.day:
                why = self.phrases["stops"].get(stop.reason, stop.reason)
                yield self.clause(stop, str(self.phrases["stop"].format(why=why)))

    def roles(self, roles: Iterable[str]) -> str:
        named = ", ".join(self.phrases["roles"][role] for role in roles)
        return str(self.phrases["third_parties"].format(roles=named))

    def workplace(self, channels: tuple[str, ...]) -> str:
        told = self.phrases["workplace"]
        return str(
            told["some"].format(channels=phrases.join_channels(channels, self.language)) if channels else told["never"]
        )

    def replies(self, hours: int, minutes: int) -> str:
        return str(self.phrases["replies"].format(hours=hours, minutes=minutes))

    def offers(self, *, required: bool) -> str:
        return str(self.phrases["offers"]["required" if required else "not_required"])

    def limitation(self, years: int | None, *, bars: bool) -> str:
        told = self.phrases["limitation"]
        term = told["years"].format(years=years) if years else told["unknown"]
        return str(term + told["bars" if bars else "keeps"])

    def listed(self, keys: Iterable[str]) -> tuple[str, ...]:
        return tuple(phrases.describe_key(key, self.language) for key in keys)

    def records(self, article: Mapping[str, Any]) -> RuleText:
        """Years that proof is kept: the law's, or where it is silent the project's own."""
        by_law = article["years"] is not None
        years = article["years"] if by_law else article["default_years"]
        return RuleText(
            text=self.phrases["records"]["law" if by_law else "default"].format(years=years),
            rule=f"{self.home.code}/records",
            source=self.text(article.get("source")) or self.phrases["basis"]["default"],
            basis="law" if by_law else "default",
            certainty=article["certainty"],
            note=self.text(article.get("note") or article.get("what")),
        )

    def registry(self, article: Mapping[str, Any]) -> RuleText:
        return self.article(article, text=f"{self.text(article['name'])}: {self.text(article['duty'])}")

    def article(self, article: Mapping[str, Any], *, text: str = "") -> RuleText:
        """An article that nothing judges; its text often names the source."""
        return RuleText(
            text=text or self.text(article["rule"]),
            rule="",
            source=self.text(article.get("source")),
            basis="default" if article["certainty"] == "default" else "law",
            certainty=article["certainty"],
        )

    def local(self, place: str) -> Iterable[RuleText]:
        """What a subdivision adds beside its hours."""
        own = self.home.articles["subdivisions"].get(place, {})
        for key in ("adds_prohibited", "adds_required"):
            for each in own.get(key, ()):
                yield RuleText(
                    text=phrases.describe_key(each, self.language),
                    rule="",
                    source=self.text(own["source"]),
                    basis="law",
                    certainty=own["certainty"],
                    note=key.removeprefix("adds_"),
                )


def _since(day: date) -> date | None:
    return None if day == ALWAYS else day
