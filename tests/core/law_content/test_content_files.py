"""The data of content: complete for every country, dated, and refused where wrong."""

from __future__ import annotations

from datetime import date
from importlib import resources

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import extent

from recobra_core import yaml_text
from recobra_core.documents import DocumentError
from recobra_core.law import load_countries as contact_countries
from recobra_core.law.content import SENTENCES, MessageFacts, files, lint_text
from recobra_core.law.content.model import LEVELS
from recobra_core.law.content.normal_form import fold_text

TODAY = date(2026, 11, 23)
CHILE = (resources.files("recobra_core.law.content") / "data" / "CL.yaml").read_text(encoding="utf-8")


def test_every_country_with_rules_of_contact_has_rules_of_content():
    assert files.known_countries() == set(contact_countries())
    for country in sorted(files.known_countries()):
        rules = files.find_content(country, on=TODAY)
        assert rules is not None
        assert all(ruling.level in LEVELS and ruling.article for ruling in rules.rulings.values())
        assert {"creditor", "how_to_pay"} <= {required.part for required in rules.required}


def test_every_code_and_part_has_its_sentence():
    spoken = {code for language in ("es", "pt", "en") for code in files.load_vocabulary(language).phrases}
    assert spoken <= set(SENTENCES)
    assert {f"missing_{part}" for part in files.load_parts()} == {
        code for code in SENTENCES if code.startswith("missing_")
    }


def test_a_text_is_judged_by_the_law_of_its_day():
    raw = yaml_text.load(CHILE)
    later = {**raw["versions"][0], "effective_from": date(2027, 1, 1), "categories": {}}
    raw["versions"].append(later)
    before, after = files.read_country(yaml.safe_dump(raw), file="CL.yaml")
    assert before.rulings["judicial_look"].level == "outright"
    assert after.rulings["judicial_look"].level == "barred"
    assert after.effective_from == date(2027, 1, 1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"country": "ZZ"}, "the name of the file"),
        ({"languages": ["xx"]}, "one of: es, pt, en"),
        ({"versions": [{"categories": {"rudeness": {}}}]}, "rudeness: found «rudeness»; expected one of"),
        ({"versions": [{"categories": {"threat": {"level": "maybe"}}}]}, "one of: outright"),
        ({"versions": [{"categories": {}, "required": [{"part": "hat", "level": "free", "link": True}]}]}, "part"),
        ({"extra": 1}, "extra: found «extra»; expected one of"),
    ],
)
def test_a_wrong_file_says_where_it_is_wrong(wrong, said):
    raw = {**yaml_text.load(CHILE), **wrong}
    with pytest.raises(DocumentError, match=said):
        files.read_country(yaml.safe_dump(raw), file="CL.yaml")


@settings(max_examples=extent.choose(daily=60, whole=200), deadline=None)
@given(text=st.text(max_size=300))
def test_any_text_is_read_and_every_finding_stands_where_it_says(text):
    for finding in lint_text(text, country="CL", channel="sms", kind="free", facts=MessageFacts(on=TODAY)):
        assert 0 <= finding.start <= finding.end <= len(text)
        assert text[finding.start : finding.end] == finding.excerpt


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=200), markup=st.booleans(), template=st.booleans())
def test_folding_never_leaves_the_text(text, markup, template):
    folded = fold_text(text, markup=markup, template=template)
    assert len(folded.text) == len(folded.places) == len(folded.ends)
    assert all(0 <= start < end <= len(text) for start, end in zip(folded.places, folded.ends, strict=True))


def test_a_long_text_is_read_in_reasonable_time():
    text = "Le recordamos que puede pagar su cuota por los canales de siempre. " * 1_000
    assert lint_text(text, country="CL", channel="email", kind="free", facts=MessageFacts(on=TODAY, reply=True)) == ()
