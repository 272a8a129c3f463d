"""Files of the law of contact (`data/<CC>.yaml`): their hours, channels and caps.

A wrong file stops the program: the error names the file and every fault.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from recobra_core import yaml_text
from recobra_core.documents import (
    DocumentModel,
    Expected,
    Items,
    choice,
    read_document,
    refuse,
    refuse_all,
    whole,
)
from recobra_core.law.clause_files import CountrySections, LocalSections, build_sections
from recobra_core.law.document_types import Basis, CapName, Channel, Clause, CountryCode, FileContext, Week, YearDay
from recobra_core.law.model import Cap, Country, HolidayCalendar, LocalHoliday, Rule

__all__ = ["load_countries", "read_country"]


class LocalHolidayDocument(DocumentModel):
    """A holiday that the `holidays` package does not know: of a state or province, or of the country.

    Each year on the same day, or in one year alone.
    """

    subdivision: str = ""
    day: YearDay
    year: Annotated[int, whole(2_000, 2_100)] | None = None
    holiday: str
    source: str
    certainty: str


class CalendarDocument(DocumentModel):
    """The holidays that a country keeps."""

    code: str
    categories: Items[str]
    subdivisions: bool
    monday_after_sunday: bool = False
    local: Items[LocalHolidayDocument] = ()
    note: str | None = None


class CapDocument(DocumentModel):
    """A cap (`n` contacts per period) or a gap (`clear_days`), by the name that rules use."""

    n: int | None = None
    clear_days: Annotated[int, whole(1, 366)] | None = None
    scope: Annotated[str, choice("channel", "all", "group", "after_conversation")] | None = None
    counts: Annotated[str, choice("contacts", "attempts", "distinct_channels")] = "contacts"
    per: Annotated[str, choice("day", "week", "7_consecutive_days")] | None = None
    week: Annotated[str, choice("both", "calendar", "rolling")] = "both"
    channels: Items[Channel] = ()
    subject: Annotated[str, choice("debtor", "debt")] = "debtor"
    basis: Basis
    source: str
    certainty: str = "default"
    note: str | None = None

    @model_validator(mode="after")
    def _check_shape(self) -> Self:
        """Refuse a number outside what its kind allows, and a cap that leaves out what its kind needs."""
        is_gap = self.clear_days is not None
        least = 1
        most = 366
        if self.scope == "after_conversation":
            # A conversation leaves no room for any contact.
            least = 0
            most = 0
        elif self.counts == "distinct_channels":
            # The only such rule known is one channel a week.
            most = 1
        refusals = []
        if not is_gap and (self.n is None or not least <= self.n <= most):
            expected = Expected(f"a number from {least} to {most}", f"un número de {least} a {most}")
            refusals.append(refuse(expected, found="" if self.n is None else f"«{self.n}»", at=("n",)))
        needed = {"scope": self.scope, "per": self.per}
        if not is_gap:
            missing = [key for key, value in needed.items() if value is None]
            refusals += [refuse(Expected("a value", "un valor"), found="", at=(key,)) for key in missing]
        if (is_gap or self.scope in {"group", "after_conversation"}) and "channels" not in self.model_fields_set:
            refusals.append(refuse(Expected("a list of channels", "una lista de canales"), found="", at=("channels",)))
        if refusals:
            raise refuse_all(refusals)
        return self


class ConsentDocument(DocumentModel):
    """Whether a channel needs an authorisation, and where that is written."""

    required: bool
    source: Annotated[str | None, Field(validate_default=True)] = None
    certainty: str | None = None

    @field_validator("source")
    @classmethod
    def _check_source(cls, source: str | None, info: ValidationInfo) -> str | None:
        if source is None and info.data.get("required"):
            raise refuse(Expected("the article that requires it", "el artículo que lo exige"), found="")
        return source


class RuleDocument(Clause):
    """A dated rule of one or several channels."""

    channels: Items[Channel]
    allowed: bool
    windows: Week
    holidays: Annotated[str, choice("open", "closed")]
    caps: Items[CapName]
    consent: ConsentDocument | None = None


class SubdivisionDocument(LocalSections):
    """What a state or province has of its own."""

    name: str = ""
    rules: Items[RuleDocument] = ()
    articles: dict[str, Any] = {}


class CountryDocument(CountrySections):
    """The file of a country."""

    country: CountryCode
    name: str
    currency: str
    authority: str
    note: str | None = None
    time_zones: Items[str]
    zones_by_subdivision: dict[str, Items[str]] = {}
    holiday_calendar: CalendarDocument
    caps: dict[str, CapDocument]
    rules: Items[RuleDocument]
    subdivisions: dict[str, SubdivisionDocument] = {}
    articles: dict[str, Any]

    @field_validator("rules")
    @classmethod
    def _check_rules(cls, rules: tuple[RuleDocument, ...]) -> tuple[RuleDocument, ...]:
        refusals = _refuse_versions(rules)
        if refusals:
            raise refuse_all(refusals)
        return rules

    @field_validator("subdivisions")
    @classmethod
    def _check_subdivisions(cls, subdivisions: dict[str, SubdivisionDocument]) -> dict[str, SubdivisionDocument]:
        refusals: list[PydanticCustomError] = []
        for region, entry in subdivisions.items():
            refusals += _refuse_versions(entry.rules, region, "rules")
        if refusals:
            raise refuse_all(refusals)
        return subdivisions


def _refuse_versions(rules: tuple[RuleDocument, ...], *at: str) -> list[PydanticCustomError]:
    """Return the refusals of two versions of one channel and day."""
    refusals = []
    versions: set[tuple[str, date]] = set()
    for number, rule in enumerate(rules):
        for channel in rule.channels:
            if (channel, rule.effective_from) in versions:
                expected = Expected("one version per channel and day", "una versión por canal y día")
                refusals.append(refuse(expected, found=f"«{channel}»", at=(*at, number, "channels")))
            versions.add((channel, rule.effective_from))
    return refusals


def read_country_document(raw: Any, *, file: str) -> CountryDocument:
    """Return the document of a country's file. Raises DocumentError with every fault."""
    caps = raw.get("caps") if isinstance(raw, Mapping) else None
    context = FileContext(file=file, caps=tuple(caps) if isinstance(caps, Mapping) else ())
    return read_document(CountryDocument, raw, file=file, context=context)


@cache
def load_countries() -> Mapping[str, Country]:
    """Return every country by its ISO code. Raises DocumentError."""
    folder = resources.files("recobra_core.law") / "data"
    files = [file for file in folder.iterdir() if file.name.endswith(".yaml")]
    countries = {}
    for file in sorted(files, key=lambda file: file.name):
        country = read_country(file.read_text(encoding="utf-8"), file=file.name)
        countries[country.code] = country
    return MappingProxyType(countries)


def read_country(text: str, *, file: str) -> Country:
    """Check one country's file and freeze it. Raises DocumentError."""
    written = read_country_document(yaml_text.load(text), file=file)
    code = written.country
    regions = written.subdivisions
    regional_articles = {region: entry.articles for region, entry in regions.items()}
    calendar = written.holiday_calendar
    return Country(
        code=code,
        name=written.name,
        currency=written.currency,
        authority=written.authority,
        note=written.note,
        time_zones=written.time_zones,
        zones_by_subdivision=MappingProxyType(written.zones_by_subdivision),
        calendar=HolidayCalendar(
            code=calendar.code,
            categories=calendar.categories,
            subdivisions=calendar.subdivisions,
            monday_after_sunday=calendar.monday_after_sunday,
            local=tuple(
                LocalHoliday(
                    subdivision=each.subdivision,
                    month=each.day[0],
                    day=each.day[1],
                    year=each.year,
                    name=each.holiday,
                )
                for each in calendar.local
            ),
        ),
        rules=_build_rules(written.rules, written, code),
        subdivisions=MappingProxyType(
            {region: _build_rules(entry.rules, written, region) for region, entry in regions.items()}
        ),
        sections=build_sections(written, place=code),
        local_sections=MappingProxyType(
            {region: build_sections(entry, place=region) for region, entry in regions.items()}
        ),
        articles=_freeze_value({**written.articles, "subdivisions": regional_articles}),
    )


def _build_rules(rules: tuple[RuleDocument, ...], country: CountryDocument, place: str) -> tuple[Rule, ...]:
    """Return all versions of a place: one entry may speak of several channels, each becomes a rule of its own."""
    built = []
    for rule in rules:
        built += [_build_rule(rule, country, place, channel) for channel in rule.channels]
    return tuple(built)


def _build_rule(written: RuleDocument, country: CountryDocument, place: str, channel: str) -> Rule:
    """Return an entry's rule for one of its channels."""
    consent = written.consent
    return Rule(
        place=place,
        channel=channel,
        effective_from=written.effective_from,
        allowed=written.allowed,
        basis=written.basis,
        windows=written.windows,
        open_on_holidays=written.holidays == "open",
        caps=tuple(_build_cap(country.caps[name], f"{country.country}/{name}") for name in written.caps),
        consent_source=consent.source if consent and consent.required else None,
        source=written.source,
        certainty=written.certainty,
        note=written.note,
    )


def _build_cap(written: CapDocument, rule: str) -> Cap:
    """Return a cap or a gap. `rule` is the name it gets."""
    is_gap = written.clear_days is not None
    scope = "group" if is_gap else written.scope or ""
    return Cap(
        rule=rule,
        scope=scope,
        n=written.clear_days or written.n or 0,
        per="clear_days" if is_gap else written.per or "",
        week=written.week,
        counts=written.counts,
        channels=written.channels if scope in {"group", "after_conversation"} else (),
        subject=written.subject,
        basis=written.basis,
        source=written.source,
        certainty=written.certainty,
    )


def _freeze_value(value: Any) -> Any:
    """Return YAML's lists and mappings as tuples and read-only mappings, all the way down."""
    if isinstance(value, Mapping):
        return MappingProxyType({key: _freeze_value(item) for key, item in value.items()})
    if isinstance(value, list):
        return tuple(_freeze_value(item) for item in value)
    return value
