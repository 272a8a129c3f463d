"""What may be said to a debtor, phrase by phrase, country by country."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from recobra_core import yaml_text
from recobra_core.law.content import MessageFacts, lint_text

CASES = [
    (country, case)
    for cases in yaml_text.load((Path(__file__).parent / "phrases.yaml").read_text("utf-8")).values()
    for case in cases
    for country in case["in"]
]


def facts(case):
    return MessageFacts(
        on=date(2026, 11, 23),
        part=case.get("part", "body"),
        markup=case.get("markup", False),
        third_party=case.get("third_party", False),
        reply=True,
        legal_template=bool(case.get("legal")),
        legal_decision=case.get("legal") is True,
        offer_consent=case.get("consent", False),
    )


@pytest.mark.parametrize(
    ("country", "case"), CASES, ids=[f"{c} {case['by']} {case['say'][:30]!a}" for c, case in CASES]
)
def test_a_phrase_is_judged(country, case):
    found = lint_text(
        case["say"],
        country=country,
        channel="email",
        kind=case["by"],
        language=case.get("language", "es"),
        facts=facts(case),
    )
    assert {(finding.code, finding.severity) for finding in found} == set(case["finds"].items())
    for finding in found:
        assert case["say"][finding.start : finding.end] == finding.excerpt or finding.code == "unknown_country"
        assert finding.sentence
        assert finding.article or finding.code == "unknown_country"


def test_there_are_enough_phrases_to_speak_of_a_language():
    assert len({case["say"] for _, case in CASES}) >= 120
