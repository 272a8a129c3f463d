"""Description of a country's law for a compliance officer: words, sources, certainty and dates, for a page."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from recobra_core.channels import CHANNELS
from recobra_core.law import phrases
from recobra_core.law.clauses import STAGES, C, Clause, Replies, Sections, find_in_force
from recobra_core.law.files import load_countries
from recobra_core.law.model import ALWAYS, Country, Regime, Rule
from recobra_core.law.penalties import COMPANY_DECIDES, list_penalties


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """One rule in words. `since` is None where its first day is unknown; `rule` is '' where the gate judges nothing.

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
    """Law of a channel in a place. `place` is the country or a subdivision whose rule differs."""

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
    """The page of a country on a day. It also holds what the gate does not judge: content, fees, records."""

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
    penalties: tuple[RuleText, ...]
    stages: tuple[RuleText, ...]
    registries: tuple[RuleText, ...]
    further: tuple[RuleText, ...]
    local: Mapping[str, tuple[RuleText, ...]]


def describe_country(*, country: str, day: date, language: str = "es") -> CountryLaw:
    """Return what the law of a country says on a day. Raises KeyError for an unknown country or language."""
    law = load_countries()[country]
    writer = _Writer(law, day, language)
    articles = law.articles
    return CountryLaw(
        code=law.code,
        name=writer.translate(law.name),
        currency=law.currency,
        authority=writer.translate(law.authority),
        note=writer.translate(law.note),
        day=day,
        time_zones=law.time_zones,
        channels=tuple(writer.list_channels()),
        third_parties=writer.describe_clauses(
            lambda sections: sections.third_parties, lambda clause: writer.describe_roles(clause.roles)
        ),
        workplace=writer.describe_clauses(
            lambda sections: sections.workplace, lambda clause: writer.describe_workplace(clause.channels)
        ),
        stops=tuple(writer.describe_stops()),
        replies=writer.describe_clauses(
            lambda sections: sections.replies,
            lambda clause: writer.fill("replies", hours=clause.within_hours, minutes=clause.any_hour_minutes),
        ),
        offers=writer.describe_clauses(
            lambda sections: sections.offers,
            lambda clause: str(writer.phrases["offers"]["required" if clause.consent_required else "not_required"]),
        ),
        limitation=writer.describe_clauses(
            lambda sections: sections.limitation,
            lambda clause: writer.describe_limitation(clause.years, bars=clause.bars_contact),
        ),
        fees=writer.describe_clauses(lambda sections: sections.fees, lambda clause: writer.translate(clause.text)),
        required=writer.describe_keys(articles["required_content"]),
        required_basis=writer.translate(articles["required_content_basis"]),
        prohibited=writer.describe_keys(articles["prohibited"]),
        opt_out=writer.describe_article(articles["opt_out"]),
        records=writer.describe_records(articles["records"]),
        sanctions=writer.describe_article(articles["sanctions"]),
        penalties=tuple(writer.describe_penalties()),
        stages=tuple(writer.describe_stages()),
        registries=tuple(writer.describe_registry(article) for article in articles["registry"]),
        further=tuple(writer.describe_article(article) for article in articles["further"]),
        local={place: tuple(writer.describe_local(place)) for place in law.subdivisions},
    )


def find_replies(*, country: str, day: date) -> Replies | None:
    """Return how long an answer to a debtor counts as one in a country, None for a country without rules."""
    law = load_countries().get(country)
    return find_in_force(law.sections.replies, day) if law else None


def translate_text(text: str, *, language: str) -> str:
    """Return a text of the law's data, or a verdict's article, in a language; any other text as it is.

    Raises KeyError for an unknown language.
    """
    return phrases.translate_text(text, language)


class _Writer:
    """Writes a country's law on a day in a language."""

    def __init__(self, law: Country, day: date, language: str) -> None:
        self.law = law
        self.day = day
        self.language = language
        self.phrases = phrases.load_phrases(language)

    def translate(self, written: str | None) -> str:
        return phrases.translate_text(written or "", self.language)

    def fill(self, key: str, **values: object) -> str:
        return str(self.phrases[key].format(**values))

    def list_channels(self) -> Iterable[ChannelLaw]:
        """Yield the channels of the country, then those for which a subdivision has its own rule."""
        for place in ("", *self.law.subdivisions):
            for channel in CHANNELS:
                regime = self.law.find_regime(channel=channel, day=self.day, subdivision=place)
                # A subdivision is shown only where it has a rule of its own.
                if regime and (not place or regime.rules[0].place == place):
                    yield self._describe_channel(regime)

    def _describe_channel(self, regime: Regime) -> ChannelLaw:
        """Return what a regime says of its channel; a barred channel has no hours and no holidays."""
        rule = regime.rules[0]
        hours: tuple[str, ...] = ()
        holidays = ""
        text = str(self.phrases["barred"])
        if rule.allowed:
            hours = phrases.describe_hours(rule.windows, self.language)
            holidays = str(self.phrases["holidays"]["open" if rule.open_on_holidays else "closed"])
            text = "; ".join(hours)
        consent = None
        if rule.consent_source is not None:
            consent = replace(
                self._describe_rule(rule, str(self.phrases["consent"])),
                rule=f"{rule.name}/consent",
                source=self.translate(rule.consent_source),
            )
        caps = [
            RuleText(
                text=phrases.describe_cap(cap, self.language),
                rule=cap.rule,
                source=self.translate(cap.source),
                basis=cap.basis,
                certainty=cap.certainty,
            )
            for cap in regime.caps
        ]
        return ChannelLaw(
            place=rule.place,
            channel=rule.channel,
            name=self.phrases["channels"][rule.channel],
            allowed=rule.allowed,
            hours=hours,
            holidays=holidays,
            caps=tuple(caps),
            consent=consent,
            rule=self._describe_rule(rule, text),
        )

    def _describe_rule(self, rule: Rule, text: str) -> RuleText:
        """Return a rule for a channel with its source and dates, under the given words."""
        return RuleText(
            text=text,
            rule=f"{rule.name}/window",
            source=self.translate(rule.source),
            basis=rule.basis,
            certainty=rule.certainty,
            since=_known_day(rule.effective_from),
            note=self.translate(rule.note),
        )

    def describe_clauses(
        self, pick: Callable[[Sections], Iterable[C]], describe: Callable[[C], str]
    ) -> tuple[RuleText, ...]:
        """Return the clause in force of the country, and of each subdivision that has its own."""
        texts = []
        for sections in (self.law.sections, *self.law.local_sections.values()):
            clause = find_in_force(pick(sections), self.day)
            # A place without a version in force says nothing of its own.
            if clause:
                texts.append(self._describe_clause(clause, describe(clause)))
        return tuple(texts)

    def _describe_clause(self, clause: Clause, text: str) -> RuleText:
        """Return a clause with its source and dates, under the given words."""
        return RuleText(
            text=text,
            rule=clause.rule,
            source=self.translate(clause.source),
            basis=clause.basis,
            certainty=clause.certainty,
            since=_known_day(clause.effective_from),
            note=self.translate(clause.note),
        )

    def describe_stops(self) -> Iterable[RuleText]:
        """Yield the reasons in force that stop collection."""
        for stop in self.law.sections.stops:
            if stop.effective_from <= self.day:
                reason = self.phrases["stops"].get(stop.reason, stop.reason)
                yield self._describe_clause(stop, self.fill("stop", why=reason))

    def describe_stages(self) -> Iterable[RuleText]:
        """Yield by which channels, and whom, one may contact in each stage, beside what the hours bar."""
        for stage in STAGES:
            found = find_in_force([each for each in self.law.sections.stages if each.stage == stage], self.day)
            if found:
                text = self.fill(
                    "stage",
                    stage=self.phrases["stages"][stage],
                    channels=phrases.join_channels(found.channels, self.language),
                    roles=", ".join(self.phrases["roles"][role] for role in found.roles),
                )
                yield self._describe_clause(found, text)

    def describe_penalties(self) -> Iterable[RuleText]:
        """Yield what each kind of breach may cost; without a source the company decides, and no article is named."""
        for breaches, penalty in list_penalties(country=self.law.code, day=self.day):
            kinds = ", ".join(self.phrases["breaches"][breach] for breach in breaches)
            is_open = penalty.source == COMPANY_DECIDES
            cost = str(self.phrases["company_decides"]) if is_open else self.translate(penalty.text)
            text = self._describe_clause(penalty, f"{kinds}: {cost}")
            yield replace(text, source="") if is_open else text

    def describe_roles(self, roles: Iterable[str]) -> str:
        return self.fill("third_parties", roles=", ".join(self.phrases["roles"][role] for role in roles))

    def describe_workplace(self, channels: tuple[str, ...]) -> str:
        """Return by which channels a contact point at work may be used."""
        texts = self.phrases["workplace"]
        if not channels:
            return str(texts["never"])
        return str(texts["some"].format(channels=phrases.join_channels(channels, self.language)))

    def describe_limitation(self, years: int | None, *, bars: bool) -> str:
        """Return when a debt is prescribed; `bars` says whether the law then bars its collection."""
        texts = self.phrases["limitation"]
        term = texts["years"].format(years=years) if years else texts["unknown"]
        return str(term + texts["bars" if bars else "keeps"])

    def describe_keys(self, keys: Iterable[str]) -> tuple[str, ...]:
        return tuple(phrases.describe_key(key, self.language) for key in keys)

    def describe_records(self, article: Mapping[str, Any]) -> RuleText:
        """Return the years that proof is kept: the law's, or where it is silent the project's own."""
        is_by_law = article["years"] is not None
        years = article["years"] if is_by_law else article["default_years"]
        return RuleText(
            text=self.phrases["records"]["law" if is_by_law else "default"].format(years=years),
            rule=f"{self.law.code}/records",
            source=self.translate(article.get("source")) or self.phrases["basis"]["default"],
            basis="law" if is_by_law else "default",
            certainty=article["certainty"],
            note=self.translate(article.get("note") or article.get("what")),
        )

    def describe_registry(self, article: Mapping[str, Any]) -> RuleText:
        """Return a credit registry with the duty that goes with it."""
        name = self.translate(article["name"])
        duty = self.translate(article["duty"])
        return self.describe_article(article, text=f"{name}: {duty}")

    def describe_article(self, article: Mapping[str, Any], *, text: str = "") -> RuleText:
        """Return an article that the gate does not judge; without `text`, in its own words."""
        return RuleText(
            text=text or self.translate(article["rule"]),
            rule="",
            source=self.translate(article.get("source")),
            basis="default" if article["certainty"] == "default" else "law",
            certainty=article["certainty"],
        )

    def describe_local(self, place: str) -> Iterable[RuleText]:
        """Yield what a subdivision adds beside its hours."""
        articles = self.law.articles["subdivisions"].get(place, {})
        for key in ("adds_prohibited", "adds_required"):
            for item in articles.get(key, ()):
                yield RuleText(
                    text=phrases.describe_key(item, self.language),
                    rule="",
                    source=self.translate(articles["source"]),
                    basis="law",
                    certainty=articles["certainty"],
                    note=key.removeprefix("adds_"),
                )


def _known_day(day: date) -> date | None:
    """Return None for a rule that has always been in force."""
    return None if day == ALWAYS else day
