"""The table of cases that a lawyer can read, on every engine."""

from pathlib import Path
from typing import Any

import pytest

from recobra_core import yaml_text
from recobra_core.law import SENTENCES, load_countries

CASES = yaml_text.load((Path(__file__).parent / "gate_cases.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def answers(judge) -> list[dict[str, Any]]:
    return judge(CASES)


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda n: CASES[n]["name"])
def test_case(answers, number):
    case, answer = CASES[number], answers[number]
    assert answer["reason"] == case.get("blocked_by")
    assert answer["allowed"] is ("blocked_by" not in case)
    assert answer["rule"] == case.get("rule", answer["rule"])
    assert answer["rule"]
    assert answer["source"]


def test_every_country_and_every_reason_but_two_has_a_case():
    assert {case["where"][:2] for case in CASES} >= set(load_countries())
    told = {case["blocked_by"] for case in CASES if "blocked_by" in case}
    # These two have tests of their own: no country's zones lie so far apart, and no key is forgotten here.
    assert set(SENTENCES) - told == {"no_common_hour", "unknown_opening"}
