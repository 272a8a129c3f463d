"""A day of every case of `daily_cases.yaml`, decided in one go on each engine."""

from collections import defaultdict
from itertools import chain

import pytest
from tests.core.daily.deciding import Desk, decide
from tests.core.daily.stories import AS_OF, CASES, CHANNELS_OPEN, POLICIES, account_of, write_cases

NUMBERS = range(len(CASES))
NAMES = [case["name"] for case in CASES]
WITH_SECOND = [number for number in NUMBERS if "also" in CASES[number]]


@pytest.fixture(scope="module")
def day(engine, tmp_path_factory):
    facts, decided = tmp_path_factory.mktemp("facts"), tmp_path_factory.mktemp("decided")
    write_cases(facts)
    desk = Desk(engine=engine, facts=facts, decided=decided)
    tables = decide(desk, POLICIES, as_of=AS_OF, channels_open=CHANNELS_OPEN)
    return {name: table.to_pylist() for name, table in tables.items()}


@pytest.fixture(scope="module")
def accounts(day):
    return {row["account_id"]: row for row in day["classified"]}


@pytest.fixture(scope="module")
def of_debtor(day):
    """The rows of a table that are about the debtor of a case."""
    grouped = {name: defaultdict(list) for name in day}
    for name, row in chain.from_iterable(((name, row) for row in rows) for name, rows in day.items()):
        grouped[name][row["debtor_id"]].append(row)
    return grouped


@pytest.mark.parametrize("number", NUMBERS, ids=NAMES)
def test_what_is_known_of_the_account(accounts, number):
    found, expected = accounts[account_of(number)], CASES[number]["expect"]
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("number", WITH_SECOND, ids=[NAMES[number] for number in WITH_SECOND])
def test_what_is_known_of_the_second_account(accounts, number):
    found, expected = accounts[account_of(number) + 1], CASES[number]["also"]["expect"]
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("number", NUMBERS, ids=NAMES)
def test_what_falls_due(of_debtor, number):
    steps = [row["step_key"] for row in of_debtor["due"][number]]
    assert sorted(steps) == sorted(CASES[number]["due"])


@pytest.mark.parametrize("number", NUMBERS, ids=NAMES)
def test_one_contact_with_everything_that_is_due_or_a_reason(of_debtor, number):
    case = CASES[number]
    speaks = "recordatorio" in case["due"] or "aviso" in case["due"]
    waits = not speaks or case.get("waits", False)
    channel = None if waits or "unreachable" in case else case.get("contact", "email")
    assert [row["channel"] for row in of_debtor["contacts"][number]] == ([channel] if channel else [])
    assert [row["reason"] for row in of_debtor["unreachable"][number]] == (
        [case["unreachable"]] if "unreachable" in case else []
    )
    messages = [step for step in case["due"] if step in {"recordatorio", "aviso"}]
    assert [row["step_key"] for row in of_debtor["items"][number]] == ([] if waits else messages)


@pytest.mark.parametrize("number", NUMBERS, ids=NAMES)
def test_what_is_not_a_message_goes_its_own_way(of_debtor, number):
    due = CASES[number]["due"]
    assert len(of_debtor["tasks"][number]) == due.count("llamada")
    assert [row["reason"] for row in of_debtor["step_holds"][number]] == ["cortesia"] * due.count("pausa")
    assert [row["stage"] for row in of_debtor["stage_changes"][number]] == ["JUDICIAL"] * due.count("judicial")


def test_the_gate_opens_in_the_morning_of_lima(day):
    """An ordinary weekday: every contact of these cases is allowed, and has an hour to leave and one to stop."""
    assert {row["allowed"] for row in day["contacts"]} == {True}
    assert all(row["due_at"] < row["closes_at"] for row in day["contacts"])
    assert {row["due_at"].date() for row in day["contacts"]} == {AS_OF}
