"""Files of the law of words (`content/data/`), read and checked: countries, languages and what they share.

A wrong file stops the program: the error names the file and every fault.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Annotated, NamedTuple

from recobra_core import yaml_text
from recobra_core.documents import Day, DocumentModel, Items, ModelT, choice, read_document
from recobra_core.law.document_types import Channel, CountryCode, FileContext
from recobra_core.law.model import ALWAYS

from .model import LEVELS, SENTENCES, CountryContent, RequiredPart, Ruling, Vocabulary
from .phrases import compile_phrases

LANGUAGES = ("es", "pt", "en")
_CATEGORIES = tuple(code for code in SENTENCES if not code.startswith(("missing_", "unknown_")))
_PARTS = tuple(code.removeprefix("missing_") for code in SENTENCES if code.startswith("missing_"))


NO_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType({})

_Category = Annotated[str, choice(*_CATEGORIES)]
_Part = Annotated[str, choice(*_PARTS)]
_Level = Annotated[str, choice(*LEVELS)]
_Words = Items[str]


class RulingDocument(DocumentModel):
    """How hard one kind of words is taken, and by which article."""

    level: _Level
    article: str
    source: str
    certainty: str


class RequiredDocument(DocumentModel):
    """A part that messages must have."""

    part: _Part
    level: _Level
    short: _Level | None = None
    link: bool
    link_certainty: str = "default"
    channels: Items[Channel] = ()
    claims_only: bool = False
    article: str
    source: str
    certainty: str


class VersionDocument(DocumentModel):
    """What a country says about words from a day on."""

    effective_from: Day = ALWAYS
    legal_templates: bool = True
    categories: dict[_Category, RulingDocument] = {}
    required: Items[RequiredDocument] = ()
    replaces_required: bool = False


class CountryDocument(DocumentModel):
    """The file of a country."""

    country: CountryCode
    languages: Items[Annotated[str, choice(*LANGUAGES)]]
    phrases: dict[_Category, _Words] = {}
    versions: Items[VersionDocument]
    note: str | None = None


class DenialsDocument(DocumentModel):
    """How a language denies."""

    heads: _Words
    go_on: _Words
    not_yet: _Words


class VocabularyDocument(DocumentModel):
    """The file of a language."""

    language: str
    spelled_by_ear: bool
    phrases: dict[_Category, _Words]
    strong: dict[_Category, _Words]
    innocent: _Words
    denials: DenialsDocument
    letterheads: _Words
    debt: _Words


class PartDocument(DocumentModel):
    """How a message says one of its parts."""

    variables: _Words
    phrases: _Words


class CommonDocument(DocumentModel):
    """What all countries share."""

    categories: dict[_Category, RulingDocument]
    required: Items[RequiredDocument]
    parts: dict[_Part, PartDocument]
    tell_the_debt: _Words


class PartWords(NamedTuple):
    """How a message says one of its parts: by any of the variables, or by any of the phrases."""

    variables: tuple[str, ...]
    phrases: re.Pattern[str]


def find_content(country: str, *, on: date) -> CountryContent | None:
    """Return what a country says about words on a day, None where nothing is known of it or of the day."""
    begun = [version for version in _load_country(country) if version.effective_from <= on]
    return max(begun, key=lambda version: version.effective_from, default=None)


@cache
def known_countries() -> frozenset[str]:
    """Return the ISO codes of the countries that say something about words."""
    folder = resources.files(__package__) / "data"
    codes = [file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml")]
    # Countries are in capitals (PE.yaml); the other files are languages and what all countries share.
    return frozenset(code for code in codes if code.isupper())


# One by one: a company writes into a few of them, and reading one takes 30 ms.
@cache
def _load_country(country: str) -> tuple[CountryContent, ...]:
    """Return a country's versions, none where it is not known. Raises DocumentError."""
    if country not in known_countries():
        return ()
    file = f"{country}.yaml"
    return read_country(_read_text(file), file=file)


def read_country(text: str, *, file: str) -> tuple[CountryContent, ...]:
    """Check one country's file. Raises DocumentError."""
    written = read_document(CountryDocument, yaml_text.load(text), file=file, context=FileContext(file=file))
    # Phrases of a country are written once for all its versions.
    phrases = _compile_categories(written.phrases, by_ear=True)
    return tuple(_build_version(version, written, phrases) for version in written.versions)


@cache
def load_vocabulary(language: str) -> Vocabulary:
    """Return how a language says what may not be said. Raises DocumentError."""
    written = _read_file(VocabularyDocument, f"{language}.yaml")
    by_ear = written.spelled_by_ear
    denials = written.denials
    # `heads` deny; what follows is denied as long as only words of `go_on` come.
    head = compile_phrases(denials.heads, by_ear=by_ear).pattern
    word = compile_phrases(denials.go_on, by_ear=by_ear).pattern
    return Vocabulary(
        language=written.language,
        phrases=_compile_categories(written.phrases, by_ear=by_ear, strong=written.strong),
        innocent=compile_phrases(written.innocent, by_ear=by_ear),
        denial=re.compile(rf"{head}(?:[ ,«»\"'()/\n]{{1,3}}{word})*"),
        not_yet=compile_phrases(denials.not_yet, by_ear=by_ear),
        letterheads=compile_phrases(written.letterheads, by_ear=False),
        debt=compile_phrases(written.debt, by_ear=False),
    )


def country_phrases(country: str) -> Mapping[str, re.Pattern[str]]:
    """Return the phrases that a country adds to its languages'."""
    return _load_country(country)[0].phrases


@cache
def load_parts() -> Mapping[str, PartWords]:
    """Return how a message says each of its parts, by the name of the part."""
    parts = {}
    for part, words in _load_common().parts.items():
        phrases = compile_phrases(words.phrases, by_ear=False)
        parts[part] = PartWords(variables=words.variables, phrases=phrases)
    return MappingProxyType(parts)


@cache
def amount_variables() -> frozenset[str]:
    """Return the variables that tell a debt to whoever reads them."""
    return frozenset(_load_common().tell_the_debt)


@cache
def _load_common() -> CommonDocument:
    return _read_file(CommonDocument, "common.yaml")


def _build_version(
    written: VersionDocument, country: CountryDocument, phrases: Mapping[str, re.Pattern[str]]
) -> CountryContent:
    """Return one dated version; what the country does not settle itself comes from `common.yaml`."""
    common = _load_common()
    rulings = {name: Ruling(**vars(written.categories.get(name) or common.categories[name])) for name in _CATEGORIES}
    entries = written.required if written.replaces_required else (*common.required, *written.required)
    # A country's own entry takes the place of the usual one for the same part.
    required = {entry.part: _build_required(entry) for entry in entries}
    return CountryContent(
        country=country.country,
        effective_from=written.effective_from,
        languages=country.languages,
        legal_templates=written.legal_templates,
        rulings=MappingProxyType(rulings),
        required=tuple(required.values()),
        phrases=phrases,
    )


def _build_required(written: RequiredDocument) -> RequiredPart:
    """Return a part that messages must have. Without `short`, it weighs the same in short channels."""
    fields = vars(written) | {"short": written.short or written.level, "channels": frozenset(written.channels)}
    return RequiredPart(**fields)


def _compile_categories(
    phrases: Mapping[str, tuple[str, ...]], *, by_ear: bool, strong: Mapping[str, tuple[str, ...]] = NO_WORDS
) -> Mapping[str, re.Pattern[str]]:
    """Return an expression per category. `strong` words are also found when split or mistyped."""
    return MappingProxyType(
        {name: compile_phrases(words, by_ear=by_ear, strong=strong.get(name, ())) for name, words in phrases.items()}
    )


def _read_file(model: type[ModelT], name: str) -> ModelT:
    return read_document(model, yaml_text.load(_read_text(name)), file=name)


def _read_text(name: str) -> str:
    return (resources.files(__package__) / "data" / name).read_text(encoding="utf-8")
