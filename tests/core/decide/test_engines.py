"""The same decisions on DuckDB and on Spark, row by row, over a portfolio drawn by chance."""

from datetime import timedelta
from functools import partial
from random import Random

import ibis
import pytest
from tests.core.decide import builders
from tests.core.decide.builders import TODAY, kept, read

from recobra_core.decide import ready
from recobra_core.decide.due import find_due_steps, find_silenced
from recobra_core.decide.plan import plan_contacts
from recobra_core.decide.reach_preview import count_reach

ACCOUNTS = 1500
CHANNELS = ("email", "sms", "letter")


def portfolio(chance):
    for number in range(ACCOUNTS):
        dpd = chance.choice([None, *range(-8, 150)])
        yield {
            "account_id": number,
            "debtor_id": number // 2,
            "creditor_id": chance.choice([1, 2]),
            "dpd": dpd,
            "overdue_minor": chance.randrange(2_000_000),
            "balance_minor": chance.randrange(4_000_000),
            "cycle_date": None if dpd is None else TODAY - timedelta(dpd),
            "stage": chance.choice(["PREVENTIVE", "ADMINISTRATIVE", "EXTRAJUDICIAL"]),
            "held": chance.random() < 0.05,
            "last_payment_on": chance.choice([None, TODAY - timedelta(chance.randrange(30))]),
        }


def past(chance, accounts, strategy):
    for account in accounts:
        for step in chance.sample(strategy.steps, 2):
            if account["cycle_date"] and chance.random() < 0.4:
                yield {
                    "account_id": account["account_id"],
                    "step_key": step.key,
                    "cycle_date": account["cycle_date"],
                    "occurrence": 1,
                    "fired_on": TODAY - timedelta(chance.randrange(20)),
                }


def ways(chance):
    for debtor in range(ACCOUNTS // 2):
        for channel in chance.sample(CHANNELS, chance.randrange(3)):
            quality, valid = chance.choice([None, 1, 2]), chance.random() < 0.9
            opted_out = chance.choice([False, False, True, None])
            yield {"debtor_id": debtor, "channel": channel, "quality": quality, "valid": valid, "opted_out": opted_out}


def decisions(engine, *, is_reach_stored=False):
    chance, strategy = Random(20261122), ready.load_strategy("consumo")
    rows = list(portfolio(chance))
    firings = builders.firings(engine, past(chance, rows, strategy))
    accounts = builders.accounts(engine, rows)
    segment = ibis.cases(*((each.rule.condition(accounts), each.key) for each in strategy.segments), else_="none")
    accounts = kept(engine, accounts.mutate(segment=segment))
    due = kept(engine, find_due_steps(accounts, firings, strategy, as_of=TODAY))
    templates = builders.templates(engine, "recordatorio", "recordatorio-firme", "aviso-extrajudicial")
    planned = partial(plan_contacts, due, accounts, builders.points(engine, ways(chance)), templates, as_of=TODAY)
    plan = planned(stored=kept(engine, planned().reached)) if is_reach_stored else planned()
    return {
        "due": due,
        "silenced": find_silenced(accounts, strategy, as_of=TODAY),
        "candidates": plan.candidates,
        "items": plan.items,
        "unreachable": plan.unreachable,
        "touched": count_reach(due, accounts, plan),
    }


@pytest.fixture(scope="module")
def answers(engine):
    return {name: sorted(map(repr, read(engine, table))) for name, table in decisions(engine).items()}


@pytest.fixture(scope="module")
def reference():
    duckdb = ibis.duckdb.connect()
    return {name: sorted(map(repr, read(duckdb, table))) for name, table in decisions(duckdb).items()}


def test_a_plan_of_what_was_stored_is_the_same(reference):
    duckdb = ibis.duckdb.connect()
    stored = decisions(duckdb, is_reach_stored=True)
    for name in ("candidates", "items", "unreachable"):
        assert sorted(map(repr, read(duckdb, stored[name]))) == reference[name], name
        assert reference[name]


@pytest.mark.parametrize("name", ["due", "silenced", "candidates", "items", "unreachable", "touched"])
def test_every_row_is_the_same(answers, reference, name):
    assert answers[name] == reference[name]
    assert len(answers[name]) > 10
