"""What must never happen, whatever the portfolio: two messages to one person, a step lost or done twice."""

from collections import Counter
from datetime import date, timedelta

import ibis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import extent
from tests.core.decide import builders
from tests.core.decide.builders import TODAY, kept, read

from recobra_core.decide import ready
from recobra_core.decide.due import find_due_steps, find_silenced
from recobra_core.decide.plan import plan_contacts

SOME_DAYS = st.one_of(st.none(), st.integers(0, 20).map(lambda days: TODAY - timedelta(days)))
ACCOUNT = st.fixed_dictionaries(
    {
        "debtor_id": st.integers(1, 6),
        "creditor_id": st.integers(1, 2),
        "dpd": st.one_of(st.none(), st.integers(-10, 200)),
        "cycle_date": st.sampled_from([None, date(2026, 5, 1), date(2026, 11, 12)]),
        "stage": st.sampled_from(["PREVENTIVE", "ADMINISTRATIVE", "EXTRAJUDICIAL", "JUDICIAL"]),
        "segment": st.sampled_from([None, "monto-alto", "general"]),
        "held": st.sampled_from([None, False, False, False, True]),
        "last_payment_on": SOME_DAYS,
    }
)
POINT = st.fixed_dictionaries(
    {
        "debtor_id": st.integers(1, 6),
        "channel": st.sampled_from(["email", "sms", "letter"]),
        "valid": st.sampled_from([True, True, False, None]),
        "opted_out": st.sampled_from([False, False, True, None]),
        "quality": st.one_of(st.none(), st.integers(0, 2)),
    }
)
FIRED = st.tuples(
    st.integers(0, 19), st.sampled_from([step.key for step in ready.load_strategy("consumo").steps]), st.integers(0, 20)
)


@pytest.fixture(scope="module")
def duckdb():
    return ibis.duckdb.connect()


def numbered(accounts):
    return [{**account, "account_id": number} for number, account in enumerate(accounts)]


def identities(rows):
    return Counter((row["account_id"], row["step_key"], row["cycle_date"], row["occurrence"]) for row in rows)


A_FEW = settings(
    max_examples=extent.choose(daily=3, whole=15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@A_FEW
@given(st.lists(ACCOUNT, max_size=20), st.lists(POINT, max_size=12))
def test_one_contact_per_person_and_creditor_and_no_step_lost(duckdb, accounts, points):
    portfolio = builders.accounts(duckdb, numbered(accounts))
    due = kept(
        duckdb,
        find_due_steps(portfolio, builders.firings(duckdb, []), ready.load_strategy("consumo"), as_of=TODAY),
    )
    templates = builders.templates(duckdb, "recordatorio", "recordatorio-firme", "aviso-extrajudicial")
    plan = plan_contacts(
        due,
        portfolio,
        builders.points(duckdb, points),
        templates,
        as_of=TODAY,
        channels_open=("email", "sms"),
    )
    candidates, items, unreachable = (read(duckdb, part) for part in (plan.candidates, plan.items, plan.unreachable))
    messages = [row for row in read(duckdb, due) if row["track"] == "message"]

    spoken_to = Counter((row["debtor_id"], row["creditor_id"]) for row in candidates + unreachable)
    assert set(spoken_to.values()) <= {1}
    assert identities(items) == identities(messages)
    reached = {(row["debtor_id"], row["creditor_id"]) for row in candidates}
    assert {(row["debtor_id"], row["creditor_id"]) for row in items if row["reachable"]} == reached
    assert {(row["debtor_id"], row["creditor_id"]) for row in items} == set(spoken_to)
    assert all(row["opted_out"] is False and row["point_valid"] is True for row in candidates)


@A_FEW
@given(st.lists(ACCOUNT, max_size=20), st.lists(FIRED, max_size=20, unique_by=lambda fired: fired[:2]))
def test_the_second_run_of_a_day_does_nothing(duckdb, accounts, fired):
    strategy = ready.load_strategy("consumo")
    rows = numbered(accounts)
    past = [
        {
            "account_id": account,
            "step_key": step,
            "cycle_date": rows[account]["cycle_date"],
            "occurrence": 1,
            "fired_on": TODAY - timedelta(days),
        }
        for account, step, days in fired
        if account < len(rows) and rows[account]["cycle_date"]
    ]
    portfolio = builders.accounts(duckdb, rows)
    first = read(duckdb, find_due_steps(portfolio, builders.firings(duckdb, past), strategy, as_of=TODAY))
    quiet = {row["account_id"] for row in read(duckdb, find_silenced(portfolio, strategy, as_of=TODAY))}

    assert set(identities(first + past).values()) <= {1}
    assert set(Counter((row["account_id"], row["track"]) for row in first).values()) <= {1}
    assert quiet.isdisjoint(row["account_id"] for row in first)
    memory = [*past, *({**row, "fired_on": TODAY} for row in first)]
    assert read(duckdb, find_due_steps(portfolio, builders.firings(duckdb, memory), strategy, as_of=TODAY)) == []
