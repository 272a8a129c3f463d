"""The ageing adds up to what is owed, whatever the items; days to collect weigh by what was paid."""

from datetime import date, timedelta

import ibis
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import extent
from tests.core.rules.tables import table

from recobra_core.kpi import compute_ageing, compute_days_to_collect
from recobra_core.stages import Limits

TODAY = date(2026, 11, 22)
ITEMS = pa.schema(
    {
        "account_id": pa.int64(),
        "debtor_id": pa.int64(),
        "due_date": pa.date32(),
        "open_minor": pa.int64(),
        "currency": pa.string(),
    }
)


def _due(days_past):
    return TODAY - timedelta(days=days_past)


def _items(engine, *rows):
    return table(engine, [dict(zip(ITEMS.names, row, strict=True)) for row in rows], ITEMS)


def _rows(engine, expression):
    return [tuple(row.values()) for row in engine.to_pyarrow(expression).to_pylist()]


def test_each_instalment_falls_in_its_bucket(engine):
    items = _items(
        engine,
        (1, 1, _due(45), 500, "ARS"),
        (1, 1, _due(15), 500, "ARS"),
        (1, 1, _due(-15), 500, "ARS"),
        (2, 1, _due(30), 70, "ARS"),
        (3, 2, _due(0), 30, "ARS"),
        (3, 2, _due(91), 1, "ARS"),
        (4, 3, None, 9, "ARS"),
        (5, 3, _due(200), -60, "ARS"),
        (6, 4, _due(70), 0, "ARS"),
    )
    assert _rows(engine, compute_ageing(items, as_of=TODAY, limits=Limits())) == [
        ("not_due", None, 0, 2, 2, 530),
        ("early_30", 1, 30, 2, 1, 570),
        ("early_60", 31, 60, 1, 1, 500),
        ("early_90", 61, 90, 0, 0, 0),
        ("late", 91, None, 1, 1, 1),
        ("unknown", None, None, 1, 1, 9),
        ("credit", None, None, 1, 1, -60),
    ]


def test_currencies_are_not_added_together(engine):
    items = _items(engine, (1, 1, _due(5), 100, "ARS"), (2, 1, _due(5), 7, "CLP"))
    rows = _rows(engine, compute_ageing(items, as_of=TODAY, limits=Limits(), by=["currency"]))
    assert len(rows) == 10
    assert [row for row in rows if row[-1]] == [
        ("ARS", "early_30", 1, 30, 1, 1, 100),
        ("CLP", "early_30", 1, 30, 1, 1, 7),
    ]


def test_an_empty_portfolio_has_empty_buckets(engine):
    rows = _rows(engine, compute_ageing(_items(engine), as_of=TODAY, limits=Limits()))
    assert [row[0] for row in rows] == ["not_due", "early_30", "early_60", "early_90", "late"]
    assert {row[3:] for row in rows} == {(0, 0, 0)}


_ROWS = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.integers(1, 3),
        st.one_of(st.none(), st.integers(-200, 200).map(_due)),
        st.integers(-(10**12), 10**12),
        st.just("ARS"),
    ),
    max_size=12,
)


@settings(max_examples=extent.choose(daily=15, whole=40), deadline=None)
@given(_ROWS)
def test_the_buckets_add_up_to_the_outstanding(rows):
    engine = ibis.duckdb.connect()
    found = _rows(engine, compute_ageing(_items(engine, *rows), as_of=TODAY, limits=Limits()))
    assert sum(row[-1] for row in found) == sum(row[3] for row in rows)


SHARES = pa.schema(
    {"due_date": pa.date32(), "paid_date": pa.date32(), "amount_minor": pa.int64(), "portfolio": pa.string()}
)


def test_days_to_collect_weigh_by_amount(engine):
    rows = [
        (_due(30), TODAY, 300, "A"),
        (_due(-10), TODAY, 100, "A"),
        (None, TODAY, 5000, "A"),
        (_due(7), TODAY, 50, "B"),
    ]
    shares = table(engine, [dict(zip(SHARES.names, row, strict=True)) for row in rows], SHARES)
    by_portfolio = compute_days_to_collect(shares, by=["portfolio"]).order_by("portfolio")
    assert _rows(engine, by_portfolio) == [("A", 400, 20.0), ("B", 50, 7.0)]
    nothing = compute_days_to_collect(shares.filter(shares.portfolio == "none"))
    assert _rows(engine, nothing) == [(0, None)]
