"""Days past due, buckets and stages: the default limits, other limits, and what is refused."""

from datetime import date

import pyarrow as pa
import pytest
from tests.core.rules.tables import table

from recobra_core.stages import (
    Bucket,
    Limits,
    LimitsError,
    add_roll_rates,
    arrears_level_of,
    bucket_of,
    build_roll_matrix,
    compute_arrears,
    days_past_due,
    stage_of,
)

TODAY = date(2026, 11, 22)

# dpd, current stage, bucket, stage, arrears
CASES = [
    (-5, None, "not_due", "PREVENTIVE", "none"),
    (0, "ADMINISTRATIVE", "not_due", "PREVENTIVE", "none"),
    (1, "PREVENTIVE", "early_30", "ADMINISTRATIVE", "early"),
    (30, None, "early_30", "ADMINISTRATIVE", "early"),
    (31, None, "early_60", "ADMINISTRATIVE", "early"),
    (60, None, "early_60", "ADMINISTRATIVE", "early"),
    (61, None, "early_90", "EXTRAJUDICIAL", "early"),
    (90, None, "early_90", "EXTRAJUDICIAL", "early"),
    (91, None, "late", "EXTRAJUDICIAL", "late"),
    (4000, "EXTRAJUDICIAL", "late", "EXTRAJUDICIAL", "late"),
    (200, "JUDICIAL", "late", "JUDICIAL", "late"),
    (-3, "JUDICIAL", "not_due", "JUDICIAL", "none"),
    (None, None, "unknown", "PREVENTIVE", "unknown"),
    (None, "EXTRAJUDICIAL", "unknown", "EXTRAJUDICIAL", "unknown"),
]


def test_each_day_has_its_bucket_and_stage(engine):
    schema = pa.schema({"n": pa.int64(), "dpd": pa.int64(), "current": pa.string()})
    days = table(engine, [{"n": n, "dpd": case[0], "current": case[1]} for n, case in enumerate(CASES)], schema)
    limits = Limits()
    judged = days.select(
        "n",
        bucket=bucket_of(days.dpd, limits=limits),
        stage=stage_of(days.dpd, current=days.current, limits=limits),
        arrears=arrears_level_of(days.dpd, limits=limits),
    )
    found = engine.to_pyarrow(judged.order_by("n")).to_pylist()
    assert [(row["bucket"], row["stage"], row["arrears"]) for row in found] == [case[2:] for case in CASES]


def test_the_company_moves_its_limits(engine):
    limits = Limits(
        buckets=(
            Bucket(key="current", from_days=None, to_days=5, label_en="Current", label_es="Al día"),
            Bucket(key="arrears", from_days=6, to_days=None, label_en="Arrears", label_es="Mora"),
        ),
        administrative_from=6,
        extrajudicial_from=10,
        late_from=10,
    )
    days = table(engine, [{"dpd": dpd, "current": None} for dpd in (5, 6, 10)], _DAYS)
    judged = days.select(
        "dpd",
        bucket=bucket_of(days.dpd, limits=limits),
        stage=stage_of(days.dpd, current=days.current, limits=limits),
    )
    assert engine.to_pyarrow(judged.order_by("dpd")).to_pylist() == [
        {"dpd": 5, "bucket": "current", "stage": "PREVENTIVE"},
        {"dpd": 6, "bucket": "arrears", "stage": "ADMINISTRATIVE"},
        {"dpd": 10, "bucket": "arrears", "stage": "EXTRAJUDICIAL"},
    ]


_DAYS = pa.schema({"dpd": pa.int64(), "current": pa.string()})


def _buckets(*ends):
    return tuple(
        Bucket(key=f"b{n}", from_days=start, to_days=end, label_en="x", label_es="x")
        for n, (start, end) in enumerate(ends)
    )


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ([(None, 0), (2, None)], "Days 1 to 1 are in no bucket"),
        ([(None, 0), (0, None)], "Days 0 to 0 are in both b0 and b1"),
        ([(None, 0), (1, 30), (20, None)], "Days 20 to 30 are in both b1 and b2"),
        ([(None, 10), (11, 5), (6, None)], "b1 ends"),
        ([(-3, 0), (1, None)], "b0 must have no first day"),
        ([(None, 0), (1, 90)], "b1 no last day"),
        ([(None, 0), (None, None)], "Only the first and the last"),
        ([(None, None)], "2 to 50 buckets, not 1"),
    ],
)
def test_buckets_cover_every_day_once(ends, said):
    with pytest.raises(LimitsError, match=said):
        Limits(buckets=_buckets(*ends))


def test_stage_limits_keep_their_order():
    with pytest.raises(LimitsError, match="later than"):
        Limits(administrative_from=30, extrajudicial_from=30)
    with pytest.raises(LimitsError, match="late_from must be a day past due"):
        Limits(late_from=0)


def test_bucket_keys_are_their_own():
    twice = Bucket(key="same", from_days=None, to_days=0, label_en="x", label_es="x")
    again = Bucket(key="same", from_days=1, to_days=None, label_en="x", label_es="x")
    with pytest.raises(LimitsError, match="unique"):
        Limits(buckets=(twice, again))


def test_days_count_from_the_due_date(engine):
    dates = [date(2026, 11, 27), TODAY, date(2026, 11, 21), date(2024, 2, 29), None]
    due = table(
        engine, [{"n": n, "due": day} for n, day in enumerate(dates)], pa.schema({"n": pa.int8(), "due": pa.date32()})
    )
    found = engine.to_pyarrow(due.mutate(dpd=days_past_due(due.due, as_of=TODAY)).order_by("n"))
    assert found["dpd"].to_pylist() == [-5, 0, 1, 997, None]


ITEMS = pa.schema({"account_id": pa.int64(), "due_date": pa.date32(), "open_minor": pa.int64()})


def test_the_oldest_unpaid_instalment_sets_the_days(engine):
    items = [
        (1, date(2026, 9, 1), 0),
        (1, date(2026, 10, 1), 500),
        (1, date(2026, 11, 22), 1000),
        (1, date(2026, 12, 1), 1000),
        (2, date(2026, 12, 1), 700),
        (3, None, 300),
        (4, date(2026, 9, 1), 0),
        (5, date(2026, 10, 1), -200),
        (5, date(2026, 11, 1), 900),
    ]
    open_items = table(engine, [dict(zip(ITEMS.names, item, strict=True)) for item in items], ITEMS)
    found = engine.to_pyarrow(compute_arrears(open_items, as_of=TODAY).order_by("account_id")).to_pylist()
    by_account = {row.pop("account_id"): tuple(row[name] for name in _ARREARS) for row in found}
    assert by_account == {
        1: (52, date(2026, 10, 1), date(2026, 11, 22), 2500, 500),
        2: (-9, date(2026, 12, 1), date(2026, 12, 1), 700, 0),
        3: (None, None, None, 300, 0),
        4: (None, None, None, 0, 0),
        5: (21, date(2026, 11, 1), None, 700, 900),
    }


_ARREARS = ("dpd", "oldest_due_date", "next_due_date", "balance_minor", "overdue_minor")
DAY = pa.schema({"account_id": pa.int64(), "bucket": pa.string(), "amount_minor": pa.int64(), "currency": pa.string()})


def _day(engine, *rows):
    return table(engine, [dict(zip(DAY.names, row, strict=True)) for row in rows], DAY)


def test_roll_between_two_days(engine):
    before = _day(
        engine,
        (1, "early_30", 100, "ARS"),
        (2, "early_30", 300, "ARS"),
        (3, "late", 50, "ARS"),
        (4, "early_30", 7, "CLP"),
    )
    after = _day(
        engine,
        (1, "early_60", 90, "ARS"),
        (2, "not_due", 10, "ARS"),
        (4, "early_30", 7, "CLP"),
        (5, "not_due", 20, "CLP"),
    )
    matrix = engine.to_pyarrow(add_roll_rates(build_roll_matrix(before, after, by=["currency"]), by=["currency"]))
    moves = {tuple(row.values()) for row in matrix.to_pylist()}
    assert moves == {
        ("ARS", "early_30", "early_60", 1, 100, 2500),
        ("ARS", "early_30", "not_due", 1, 300, 7500),
        ("ARS", "late", "gone", 1, 50, 10_000),
        ("CLP", "early_30", "early_30", 1, 7, 10_000),
        ("CLP", "new", "not_due", 1, 20, 10_000),
    }
