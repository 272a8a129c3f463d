"""Files of the law of words (`content/data/`), read and checked: countries, languages and what they share.

A wrong file stops the program: the error names file and key.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, NamedTuple

from recobra_core import yaml_text
from recobra_core.channels import CHANNELS
from recobra_core.law.files import Node
from recobra_core.law.model import ALWAYS

from .model import LEVELS, SENTENCES, CountryContent, RequiredPart, Ruling, Vocabulary
from .phrases import compile_phrases

LANGUAGES = ("es", "pt", "en")
_CATEGORIES = tuple(code for code in SENTENCES if not code.startswith(("missing_", "unknown_")))
_PARTS = tuple(code.removeprefix("missing_") for code in SENTENCES if code.startswith("missing_"))


class PartWords(NamedTuple):
    """How a message says one of its parts: by any of the variables, or by any of the phrases."""

    variables: tuple[str, ...]
    phrases: re.Pattern[str]


def find_content(country: str, *, on: date) -> CountryContent | None:
    """Return what a country says about words on a day, None where nothing is known of it or of the day."""
    begun = [version for version in load_countries().get(country, ()) if version.effective_from <= on]
    return max(begun, key=lambda version: version.effective_from, default=None)


@cache
def load_countries() -> Mapping[str, tuple[CountryContent, ...]]:
    """Return every country's versions by its ISO code. Raises LawFileError."""
    folder = resources.files(__package__) / "data"
    # Countries are in capitals (PE.yaml); the other files are languages and what all countries share.
    codes = sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))
    countries = {}
    for code in codes:
        if code.isupper():
            file = f"{code}.yaml"
            countries[code] = read_country(_read_text(file), file=file)
    return MappingProxyType(countries)


def read_country(text: str, *, file: str) -> tuple[CountryContent, ...]:
    """Check one country's file. Raises LawFileError."""
    node = Node(yaml_text.load(text), file)
    node.check_keys("country", "languages", "phrases", "versions", "note")
    code = node.get("country", str)
    if file != f"{code}.yaml":
        raise node.error("country", f"the name of the file, {file}", code)
    phrases = _read_phrases(node.get_child("phrases", {}), by_ear=True)
    # Phrases of a country are written once for all its versions.
    return tuple(_read_version(version, node, phrases) for version in node.get_children("versions"))


@cache
def load_vocabulary(language: str) -> Vocabulary:
    """Return how a language says what may not be said. Raises LawFileError."""
    node = Node(yaml_text.load(_read_text(f"{language}.yaml")), f"{language}.yaml")
    node.check_keys("language", "spelled_by_ear", "phrases", "strong", "innocent", "denials", "letterheads", "debt")
    by_ear = node.get("spelled_by_ear", bool)
    denials = node.get_child("denials")
    denials.check_keys("heads", "go_on", "not_yet")
    # `heads` deny; what follows is denied as long as only words of `go_on` come.
    head = compile_phrases(denials.get_names("heads"), by_ear=by_ear).pattern
    word = compile_phrases(denials.get_names("go_on"), by_ear=by_ear).pattern
    return Vocabulary(
        language=node.get("language", str),
        phrases=_read_phrases(node.get_child("phrases"), by_ear=by_ear, strong=node.get_child("strong")),
        innocent=compile_phrases(node.get_names("innocent"), by_ear=by_ear),
        denial=re.compile(rf"{head}(?:[ ,«»\"'()/\n]{{1,3}}{word})*"),
        not_yet=compile_phrases(denials.get_names("not_yet"), by_ear=by_ear),
        letterheads=compile_phrases(node.get_names("letterheads"), by_ear=False),
        debt=compile_phrases(node.get_names("debt"), by_ear=False),
    )


def country_phrases(country: str) -> Mapping[str, re.Pattern[str]]:
    """Return the phrases that a country adds to its languages'."""
    return load_countries()[country][0].phrases


@cache
def load_parts() -> Mapping[str, PartWords]:
    """Return how a message says each of its parts, by the name of the part."""
    node = _load_common().get_child("parts")
    node.check_keys(*_PARTS)
    parts = {}
    for part in node.raw:
        entry = node.get_child(part)
        entry.check_keys("variables", "phrases")
        phrases = compile_phrases(entry.get_names("phrases"), by_ear=False)
        parts[part] = PartWords(variables=entry.get_names("variables"), phrases=phrases)
    return MappingProxyType(parts)


@cache
def amount_variables() -> frozenset[str]:
    """Return the variables that tell a debt to whoever reads them."""
    return frozenset(_load_common().get_names("tell_the_debt"))


@cache
def _load_common() -> Node:
    return Node(yaml_text.load(_read_text("common.yaml")), "common.yaml")


def _read_version(node: Node, country: Node, phrases: Mapping[str, re.Pattern[str]]) -> CountryContent:
    """Read one dated version; what the country does not settle itself comes from `common.yaml`."""
    node.check_keys("effective_from", "legal_templates", "categories", "required", "replaces_required")
    common = _load_common()
    own_categories = node.get_child("categories", {})
    own_categories.check_keys(*_CATEGORIES)
    rulings = {}
    for name in _CATEGORIES:
        source = own_categories if name in own_categories.raw else common.get_child("categories")
        ruling = source.get_child(name)
        ruling.check_keys("level", "article", "source", "certainty")
        rulings[name] = Ruling(
            level=ruling.get_choice("level", LEVELS),
            article=ruling.get("article", str),
            source=ruling.get("source", str),
            certainty=ruling.get("certainty", str),
        )
    entries: list[Node] = []
    if not node.get("replaces_required", bool, default=False):
        entries += common.get_children("required")
    if "required" in node.raw:
        entries += node.get_children("required")
    # A country's own entry takes the place of the usual one for the same part.
    required = {entry.get("part", str): _read_required(entry) for entry in entries}
    return CountryContent(
        country=country.get("country", str),
        effective_from=node.get("effective_from", date, None) or ALWAYS,
        languages=country.get_names("languages", LANGUAGES),
        legal_templates=node.get("legal_templates", bool, default=True),
        rulings=MappingProxyType(rulings),
        required=tuple(required.values()),
        phrases=phrases,
    )


def _read_required(node: Node) -> RequiredPart:
    """Read a part that messages must have. Without `short`, it weighs the same in short channels."""
    node.check_keys(
        "part", "level", "short", "link", "link_certainty", "channels", "claims_only", "article", "source", "certainty"
    )
    level = node.get_choice("level", LEVELS)
    return RequiredPart(
        part=node.get_choice("part", _PARTS),
        level=level,
        short=node.get_choice("short", LEVELS, level),
        link=node.get("link", bool),
        link_certainty=node.get("link_certainty", str, "default"),
        channels=frozenset(node.get_names("channels", CHANNELS)) if "channels" in node.raw else frozenset(),
        claims_only=node.get("claims_only", bool, default=False),
        article=node.get("article", str),
        source=node.get("source", str),
        certainty=node.get("certainty", str),
    )


def _read_phrases(node: Node, *, by_ear: bool, strong: Node | None = None) -> Mapping[str, re.Pattern[str]]:
    """Return an expression per category. `strong` words are also found when split or mistyped."""
    node.check_keys(*_CATEGORIES)
    strong_words: Mapping[str, Any] = strong.raw if strong else {}
    return MappingProxyType(
        {
            name: compile_phrases(node.get_names(name), by_ear=by_ear, strong=strong_words.get(name, ()))
            for name in node.raw
        }
    )


def _read_text(name: str) -> str:
    return (resources.files(__package__) / "data" / name).read_text(encoding="utf-8")
