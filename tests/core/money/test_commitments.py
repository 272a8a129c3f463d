"""A promise is kept by money: which, until when, and counted once. Amounts in cents."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from tests.core.rules.tables import table

from recobra_core.money.commitments import COMMITMENTS, MONEY, judge_commitments

# Instants of the core are UTC without a zone.
MADE = datetime.fromisoformat("2026-11-23T15:00")
TODAY = date(2026, 12, 20)
ANY = None
TOTAL = 45_050


def promise(amount=TOTAL, *, since=23, until=29, account=ANY, after=0):
    """A promise made on the 23rd of November, to pay until a day with its grace; `after` minutes after the first."""
    return {
        "account_id": account,
        "amount_minor": amount,
        "from_day": date(2026, 11, since),
        "until_day": date(2026, 11, until),
        "made_at_utc": MADE + timedelta(days=since - 23, minutes=after),
    }


def paid(amount, day, *, account=1, known=None, reversed_day=None):
    """Money paid on a day of November, known at noon of that day, or at another instant."""
    return {
        "account_id": account,
        "amount_minor": amount,
        "paid_day": date(2026, 11, day),
        "received_at_utc": known or MADE + timedelta(days=day - 23, hours=2),
        "reversed_day": reversed_day,
    }


# name: promises, oldest first; money; what each promise got, and its state
CASES = {
    "nothing came": ([promise()], [], [(0, "BROKEN")]),
    "on the last day of grace": ([promise()], [paid(TOTAL, 29)], [(TOTAL, "KEPT")]),
    "a day after the grace": ([promise()], [paid(TOTAL, 30)], [(0, "BROKEN")]),
    "paid before": ([promise()], [paid(TOTAL, 22)], [(0, "BROKEN")]),
    "paid before, told afterwards": ([promise()], [paid(TOTAL, 22, known=MADE + timedelta(1))], [(0, "BROKEN")]),
    "paid that morning, known then": ([promise()], [paid(TOTAL, 23, known=MADE)], [(0, "BROKEN")]),
    "paid that evening": ([promise()], [paid(TOTAL, 23)], [(TOTAL, "KEPT")]),
    "one cent is missing": ([promise()], [paid(TOTAL - 1, 25)], [(TOTAL - 1, "PARTLY_KEPT")]),
    "in three parts": ([promise()], [paid(20_000, 24), paid(20_000, 25), paid(5_050, 29)], [(TOTAL, "KEPT")]),
    "more than was promised": ([promise()], [paid(TOTAL + 1, 25)], [(TOTAL, "KEPT")]),
    "reversed": ([promise()], [paid(TOTAL, 25, reversed_day=date(2026, 11, 26))], [(0, "BROKEN")]),
    "reversed in part": (
        [promise()],
        [paid(40_000, 25), paid(5_050, 25, reversed_day=TODAY)],
        [(40_000, "PARTLY_KEPT")],
    ),
    "reversed only tomorrow": ([promise()], [paid(TOTAL, 25, reversed_day=date(2026, 12, 21))], [(TOTAL, "KEPT")]),
    "money counts once, oldest first": (
        [promise(30_000), promise(30_000, after=5)],
        [paid(45_000, 25)],
        [(30_000, "KEPT"), (15_000, "PARTLY_KEPT")],
    ),
    "the older one is over": (
        [promise(30_000, until=25), promise(30_000, until=29, after=5)],
        [paid(30_000, 28)],
        [(0, "BROKEN"), (30_000, "KEPT")],
    ),
    "the younger one was not made yet": (
        [promise(30_000), promise(30_000, since=27)],
        [paid(60_000, 25)],
        [(30_000, "KEPT"), (0, "BROKEN")],
    ),
    "the older one is covered by what came first": (
        [promise(30_000), promise(30_000, since=26)],
        [paid(20_000, 25), paid(20_000, 27), paid(20_000, 28)],
        [(30_000, "KEPT"), (30_000, "KEPT")],
    ),
    "of one account": (
        [promise(10_000, account=2), promise(10_000, after=5)],
        [paid(10_000, 25, account=1)],
        [(0, "BROKEN"), (10_000, "KEPT")],
    ),
    "of two accounts, the whole debt after them": (
        [promise(10_000, account=1), promise(10_000, account=2), promise(5_000, after=5)],
        [paid(12_000, 25, account=1), paid(9_000, 26, account=2)],
        [(10_000, "KEPT"), (9_000, "PARTLY_KEPT"), (2_000, "PARTLY_KEPT")],
    ),
    "what could not be applied": (
        [promise(10_000, account=1), promise(10_000, after=5)],
        [paid(10_000, 25, account=None)],
        [(0, "BROKEN"), (10_000, "KEPT")],
    ),
}


def judged(engine, cases, as_of=TODAY, rank_max=3):
    """Judge all cases in one query, each as a debtor of its own; return (paid, state) of each promise, by case."""
    lines, money = [], []
    for debtor_id, (promises, payments, _expected) in enumerate(cases):
        common = {"debtor_id": debtor_id, "currency": "PEN"}
        for rank, line in enumerate(promises, start=1):
            pk = debtor_id * 10 + rank
            lines.append(common | line | {"line_id": pk, "commitment_id": pk, "rank": rank})
        for order, row in enumerate(payments):
            money.append(common | row | {"money_id": debtor_id * 10 + order})
    found = judge_commitments(
        table(engine, lines, COMMITMENTS.to_pyarrow()),
        table(engine, money, MONEY.to_pyarrow()),
        as_of=as_of,
        rank_max=rank_max,
    )
    rows = sorted(engine.to_pyarrow(found).to_pylist(), key=lambda row: row["commitment_id"])
    by_case: dict[int, list] = {}
    for row in rows:
        by_case.setdefault(row["commitment_id"] // 10, []).append((row["paid_minor"], row["state"]))
    return by_case, rows


@pytest.fixture(scope="module")
def answers(engine):
    return judged(engine, list(CASES.values()))[0]


@pytest.mark.parametrize("name", CASES)
def test_a_promise_is_judged_by_the_money_that_came(answers, name):
    assert answers[list(CASES).index(name)] == CASES[name][2]


def test_until_its_last_day_a_promise_is_pending_and_only_what_was_paid_by_then_counts(engine):
    cases = [
        ([promise()], [paid(TOTAL, 29)], None),
        ([promise()], [paid(TOTAL, 27)], None),
        ([promise()], [paid(50, 24)], None),
    ]
    by_case, rows = judged(engine, cases, as_of=date(2026, 11, 28))
    assert by_case == {0: [(0, "PENDING")], 1: [(TOTAL, "KEPT")], 2: [(50, "PENDING")]}
    assert [row["last_paid_day"] for row in rows] == [None, date(2026, 11, 27), date(2026, 11, 24)]
    on_the_last_day, _rows = judged(engine, [([promise()], [], None)], as_of=date(2026, 11, 29))
    assert on_the_last_day == {0: [(0, "PENDING")]}


def test_money_of_another_debtor_or_currency_keeps_no_promise(engine):
    made = {"line_id": 1, "commitment_id": 1, "debtor_id": 1, "currency": "PEN", "rank": 1}
    payments = [
        {"money_id": 1, "debtor_id": 2, "currency": "PEN"} | paid(TOTAL, 25),
        {"money_id": 2, "debtor_id": 1, "currency": "USD"} | paid(TOTAL, 25),
    ]
    lines = table(engine, [made | promise()], COMMITMENTS.to_pyarrow())
    money = table(engine, payments, MONEY.to_pyarrow())
    (row,) = engine.to_pyarrow(judge_commitments(lines, money, as_of=TODAY, rank_max=1)).to_pylist()
    assert (row["paid_minor"], row["state"]) == (0, "BROKEN")


def test_the_two_sides_of_a_sum_agree_whatever_the_order(engine):
    """What all promises got is never more than the money, and a single promise for all of it gets exactly that."""
    payments = [paid(amount, day) for amount, day in ((1, 24), (9_999, 24), (17, 25), (333, 28))]
    total = sum(row["amount_minor"] for row in payments)
    cases = [([promise(total)], payments, None), ([promise(5_000), promise(5_000), promise(5_000)], payments, None)]
    by_case, _rows = judged(engine, cases)
    assert by_case[0] == [(total, "KEPT")]
    assert by_case[1] == [(5_000, "KEPT"), (5_000, "KEPT"), (total - 10_000, "PARTLY_KEPT")]
