"""The table of cases: each account of `due_cases.yaml` in one query, on each engine."""

from collections import defaultdict
from pathlib import Path

import pytest
from tests.core.decide import builders
from tests.core.decide.builders import ORDINARY_ACCOUNT, TODAY, read

from recobra_core import yaml_text
from recobra_core.decide.due import find_due_steps, find_silenced
from recobra_core.decide.strategy import Strategy

DOCUMENT = yaml_text.load(Path(__file__).with_name("due_cases.yaml").read_text("utf-8"))
STRATEGY = Strategy.parse(DOCUMENT["strategy"])
CASES = DOCUMENT["cases"]


def _firing(number, case, fired):
    cycle = fired.get("cycle") or {**ORDINARY_ACCOUNT, **case["account"]}["cycle_date"]
    return {
        "account_id": number,
        "step_key": fired["step"],
        "cycle_date": cycle,
        "occurrence": fired.get("occurrence", 1),
        "fired_on": fired["day"],
    }


@pytest.fixture(scope="module")
def portfolio(engine):
    accounts = [{**case["account"], "account_id": n, "debtor_id": n} for n, case in enumerate(CASES)]
    firings = [_firing(n, case, fired) for n, case in enumerate(CASES) for fired in case.get("fired", ())]
    return builders.accounts(engine, accounts), builders.firings(engine, firings)


@pytest.fixture(scope="module")
def due(engine, portfolio):
    steps = defaultdict(list)
    for row in read(engine, find_due_steps(*portfolio, STRATEGY, as_of=TODAY)):
        steps[row["account_id"]].append(row["step_key"] + (f"#{row['occurrence']}" if row["occurrence"] > 1 else ""))
    return steps


@pytest.fixture(scope="module")
def reasons(engine, portfolio):
    rows = read(engine, find_silenced(portfolio[0], STRATEGY, as_of=TODAY))
    return {row["account_id"]: row["reason"] for row in rows}


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case["name"] for case in CASES])
def test_what_falls_due(due, number):
    assert sorted(due[number]) == sorted(CASES[number]["due"])


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case["name"] for case in CASES])
def test_why_an_account_is_left_in_peace(reasons, number):
    assert reasons.get(number) == CASES[number].get("silenced")
