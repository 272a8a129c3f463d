"""What a reader in Lima or Bogotá sees of the law's data: Spanish, whole, with the same articles and figures."""

import inspect
import re
from dataclasses import asdict
from importlib import resources

import pytest

from recobra_core import yaml_text
from recobra_core.law import blocks, load_countries, phrases
from recobra_core.law.company_rules import COMPANY_SOURCE
from recobra_core.law.description import describe_country, translate_text
from recobra_core.law.opening_hours import UNKNOWN_SOURCE

FOLDER = resources.files("recobra_core.law")
WRITTEN = yaml_text.load((FOLDER / "phrases" / "es_data.yaml").read_text(encoding="utf-8"))
DATA = {
    code: yaml_text.load((FOLDER / "data" / f"{code}.yaml").read_text(encoding="utf-8")) for code in load_countries()
}
READ = ("authority", "certainty", "duty", "name", "note", "required_content_basis", "rule", "source", "what")
CODES = ("certainty", "basis", "rule", "code", "currency", "channel", "place")
ENGLISH = re.compile(r"\b(the|and|of|only|law|not|with|by|from|for|default|reading|bill|to|is|are)\b", re.IGNORECASE)


def leaves(node, key=""):
    """Every text of a tree with the key it stands under."""
    if isinstance(node, dict):
        for name, part in node.items():
            yield from leaves(part, name)
    elif isinstance(node, list | tuple):
        for part in node:
            yield from leaves(part, key)
    elif isinstance(node, str):
        yield key, node


def texts_of(code):
    return {text for key, text in leaves(DATA[code]) if key in READ}


def days_of(code):
    starts = re.findall(r"effective_from: (\d{4}-\d\d-\d\d)", (FOLDER / "data" / f"{code}.yaml").read_text("utf-8"))
    return sorted({*map(yaml_text.load, starts), yaml_text.load("2026-11-24")})


GATE = {COMPANY_SOURCE, UNKNOWN_SOURCE, *re.findall(r'source="([^"]+)"', inspect.getsource(blocks))}


@pytest.mark.parametrize("code", sorted(load_countries()))
def test_every_text_of_a_country_is_translated_or_a_name(code):
    assert texts_of(code) - set(WRITTEN["texts"]) - set(WRITTEN["names"]) == set()


def test_what_the_gate_itself_names_as_its_source_is_translated():
    assert len(GATE) == 4
    assert set(WRITTEN["texts"]) >= GATE
    assert translate_text("the debtor's wish", language="es") == "la voluntad del deudor"


def test_no_translation_stands_for_a_text_that_is_gone():
    used = GATE.union(*map(texts_of, DATA))
    assert set(WRITTEN["texts"]) - used == set()
    assert set(WRITTEN["names"]) - used == set()
    assert set(WRITTEN["names"]).isdisjoint(WRITTEN["texts"])


def test_names_and_translations_are_not_english():
    spanish = [*WRITTEN["names"], *WRITTEN["texts"].values()]
    assert [each for each in spanish if ENGLISH.search(each)] == []
    assert [key for key, text in WRITTEN["texts"].items() if key == text] == []


def figures(text):
    return set(re.findall(r"\d+", re.sub(r"(?<=\d)[.,](?=\d)", "", text)))


@pytest.mark.parametrize("english", WRITTEN["texts"])
def test_a_translation_has_the_figures_and_articles_of_its_text(english):
    assert figures(WRITTEN["texts"][english]) == figures(english)


@pytest.mark.parametrize("code", sorted(load_countries()))
def test_the_spanish_page_of_a_country_says_nothing_in_english(code):
    for day in days_of(code):
        page = [text for key, text in leaves(asdict(describe_country(country=code, day=day))) if key not in CODES]
        assert [text for text in page if text in WRITTEN["texts"]] == []
        assert [text for text in page if re.search(r"\b(the|and|law|only)\b", text)] == []


@pytest.mark.parametrize("code", sorted(load_countries()))
def test_the_lists_of_states_are_translated_too(code):
    local = load_countries()[code].articles["subdivisions"].values()
    listed = {key for own in local for name in ("adds_prohibited", "adds_required") for key in own.get(name, ())}
    assert listed <= set(phrases.load_phrases("es")["lists"])


@pytest.mark.parametrize("code", sorted(load_countries()))
def test_a_further_row_is_whole(code):
    """A comma in a text that is not quoted would cut it off there."""
    for row in DATA[code]["articles"]["further"]:
        assert set(row) == {"topic", "rule", "source", "certainty"}


def test_chile_reads_in_spanish_and_in_english():
    page = describe_country(country="CL", day=yaml_text.load("2026-11-24"))
    assert page.authority == "SERNAC, juzgados de policía local; CMF"
    assert page.sanctions.text.startswith("Hasta 300 UTM por infracción")
    assert (
        page.channels[0].rule.source == "Ley 19.496 art. 37 (Ley 21.320), con el Código de Procedimiento Civil art. 59"
    )
    assert page.registries[0].text.startswith("Prefijos 600/809 de SUBTEL: las llamadas masivas")
    english = describe_country(country="CL", day=page.day, language="en")
    assert english.authority == "SERNAC, local police courts; CMF"
    assert english.registries[0].text.startswith("SUBTEL prefixes 600/809: mass and commercial calls")


def test_what_is_no_text_of_the_law_stays_as_it_is():
    assert translate_text("CABA Ley 6171", language="es") == "CABA Ley 6171"
    assert translate_text("", language="es") == ""
    with pytest.raises(KeyError):
        translate_text("press", language="fr")
