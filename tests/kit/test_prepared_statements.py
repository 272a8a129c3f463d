"""Prepared statements answer as new ones do, whatever was decided before them on the same thread."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import cache

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recobra.kit import engine
from recobra.kit.engine import compile_statement, source_table

MONEY = pa.schema([("debtor_id", pa.int64()), ("amount", pa.int64()), ("note", pa.string())])
WISHES = pa.schema([("debtor_id", pa.int64()), ("channels", pa.list_(pa.string()))])
ROWS = st.lists(st.tuples(st.integers(1, 3), st.integers(-(2**40), 2**40), st.none() | st.text(max_size=3)), max_size=4)
LISTS = st.lists(st.tuples(st.integers(1, 3), st.none() | st.lists(st.sampled_from(["sms", "email"]))), max_size=3)


@cache
def statements():
    """Three statements of which each reads what the one before has stored."""
    money, wishes = source_table("money", MONEY), source_table("wishes", WISHES)
    sums = money.group_by("debtor_id").agg(total=money.amount.sum(), notes=money.note.nunique())
    stored = source_table("sums", sums.schema())
    joined = stored.left_join(wishes, "debtor_id").select("debtor_id", "total", "notes", "channels")
    return [
        compile_statement("sums", sums, store=True, fetch=False),
        compile_statement("joined", joined),
        compile_statement("late", stored.agg(count=stored.count(), most=stored.total.max(where=stored.total > 0))),
    ]


def tables(money, wishes):
    return {
        "money": pa.Table.from_pylist([dict(zip(MONEY.names, row, strict=True)) for row in money], MONEY),
        "wishes": pa.Table.from_pylist([dict(zip(WISHES.names, row, strict=True)) for row in wishes], WISHES),
    }


def answers(results):
    return {name: sorted(table.to_pylist(), key=str) for name, table in results.items()}


def decide_anew(money, wishes):
    duck = engine.thread_duckdb("test")
    engine.register_tables(duck, tables(money, wishes))
    return answers(engine.run_statements(duck, statements()))


def decide_prepared(money, wishes):
    prepared = engine.thread_prepared(("test",))
    with prepared.fill(tables(money, wishes)):
        return answers(prepared.run(statements()))


@settings(max_examples=25)
@given(batches=st.lists(st.tuples(ROWS, LISTS), min_size=2, max_size=4))
def test_each_batch_is_decided_by_its_own_rows(batches):
    assert [decide_prepared(*batch) for batch in batches] == [decide_anew(*batch) for batch in batches]


def test_nothing_of_a_batch_that_failed_is_read_by_the_next():
    prepared = engine.thread_prepared(("test",))
    first = tables([(1, 500, "a")], [(1, ["sms"])])
    with suppress(ZeroDivisionError), prepared.fill(first):
        prepared.run(statements()[:1])
        raise ZeroDivisionError
    with pytest.raises(Exception, match="has not been filled"), prepared.fill({"wishes": first["wishes"]}):
        prepared.run(statements()[1:2])  # reads `sums`, which this batch has not stored
    with pytest.raises(Exception, match="has not been filled"), prepared.fill({"wishes": first["wishes"]}):
        prepared.run(statements()[:1])
    assert decide_prepared([(2, 7, None)], []) == decide_anew([(2, 7, None)], [])


def test_a_table_of_other_types_is_refused():
    decide_prepared([(1, 500, "a")], [])
    prepared = engine.thread_prepared(("test",))
    other = {**tables([], []), "money": pa.table({"debtor_id": ["one"], "amount": [1], "note": ["a"]})}
    with pytest.raises(pa.ArrowInvalid), prepared.fill(other):
        pass


def test_two_threads_at_once_do_not_read_each_other():
    wrong = []

    def decide_often(debtor_id):
        for amount in range(1, 60):
            batch = [(debtor_id, amount, "a")], [(debtor_id, ["email"] * debtor_id)]
            found = decide_prepared(*batch)["joined"]
            expected = {"debtor_id": debtor_id, "total": amount, "notes": 1, "channels": ["email"] * debtor_id}
            if found != [expected]:
                wrong.append(found)

    threads = [threading.Thread(target=decide_often, args=[debtor_id]) for debtor_id in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_thread_keeps_a_few_sets_and_forgets_the_oldest():
    first = engine.thread_prepared(("test", 0))
    assert engine.thread_prepared(("test", 0)) is first
    for number in range(1, engine.MAX_PREPARED + 1):
        engine.thread_prepared(("test", number))
    assert engine.thread_prepared(("test", 0)) is not first


def test_what_is_set_up_holds_for_every_run():
    large = source_table("large_sums", MONEY)
    count = [compile_statement("count", large.agg(count=large.count()))]
    prepared = engine.thread_prepared(
        ("test", "view"),
        set_up=lambda duck: duck.sql("CREATE TEMP VIEW large_sums AS FROM money WHERE amount > 100"),
    )
    for amounts, expected in (([50, 500], 1), ([], 0), ([101, 102], 2)):
        with prepared.fill({"money": tables([(1, amount, None) for amount in amounts], [])["money"]}):
            assert prepared.run(count)["count"].to_pylist() == [{"count": expected}]
