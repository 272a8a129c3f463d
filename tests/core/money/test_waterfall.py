"""A payment is applied to what is owed, in the company's order. Amounts in major units in the tables of cases.

Cases restated from Apache Fineract's loan repayment strategies and from ERPNext's payment terms.
"""

from datetime import date

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import extent
from tests.core.rules.tables import table

from recobra_core.money import CONCEPTS, Waterfall, WaterfallError, allocate_payments

PAYMENTS = pa.schema({"payment_id": pa.int64(), "account_id": pa.int64(), "amount_minor": pa.int64()})
ITEMS = pa.schema(
    {
        "item_id": pa.int64(),
        "account_id": pa.int64(),
        "due_date": pa.date32(),
        "concept": pa.string(),
        "open_minor": pa.int64(),
    }
)
LETTERS = {"P": "PRINCIPAL", "I": "INTEREST", "F": "FEE", "N": "LATE_INTEREST"}

# Due: penalty, fee, interest, principal. In advance: principal, penalty, fee, interest.
PENALTY_FIRST = Waterfall(
    by="concept",
    concepts=("LATE_INTEREST", "FEE", "INTEREST", "TAX", "PRINCIPAL"),
    in_advance=("PRINCIPAL", "LATE_INTEREST", "FEE", "INTEREST", "TAX"),
)
FEE_LAST = Waterfall(by="concept", concepts=("LATE_INTEREST", "INTEREST", "TAX", "PRINCIPAL", "FEE"))
THREE = {"P": [(1000, 2, 1), (1000, 3, 1), (1000, 4, 1)]}
SINGLE = {"P": [(1000, 2, 1)]}
FIRST_NSF = {"P": [(500, 2, 1)], "N": [(50, 1, 20)]}
SECOND_NSF = {"P": [(500, 2, 1)], "N": [(50, 1, 20), (10, 1, 23)]}

# name, order, owed {concept: (amount, month, day)}, payments ((month, day), amount, what each pays), outstanding
CASES = [
    ("on time", PENALTY_FIRST, THREE, [((2, 1), 1000, {"P": 1000})], 2000),
    ("early", PENALTY_FIRST, THREE, [((1, 10), 1000, {"P": 1000})], 2000),
    ("more than due", PENALTY_FIRST, THREE, [((2, 1), 1500, {"P": 1500})], 1500),
    ("penalty due with it", PENALTY_FIRST, {**THREE, "N": [(50, 2, 1)]}, [((2, 1), 500, {"P": 450, "N": 50})], 2550),
    ("fee due with it", PENALTY_FIRST, {**THREE, "F": [(50, 2, 1)]}, [((2, 1), 500, {"P": 450, "F": 50})], 2550),
    ("interest due with it", PENALTY_FIRST, {**THREE, "I": [(30, 2, 1)]}, [((2, 1), 500, {"P": 470, "I": 30})], 2530),
    (
        "penalty and fee",
        PENALTY_FIRST,
        {**THREE, "N": [(50, 2, 1)], "F": [(50, 2, 1)]},
        [((2, 1), 500, {"P": 400, "F": 50, "N": 50})],
        2600,
    ),
    (
        "penalty due before the instalment, twice",
        PENALTY_FIRST,
        {**THREE, "N": [(50, 1, 15), (50, 1, 20)]},
        [((1, 15), 500, {"P": 450, "N": 50}), ((1, 20), 500, {"P": 450, "N": 50})],
        2100,
    ),
    (
        "two penalties at once",
        PENALTY_FIRST,
        {**THREE, "N": [(50, 1, 15), (50, 1, 20)]},
        [((1, 20), 1100, {"P": 1000, "N": 100})],
        2000,
    ),
    (
        "two penalties, fee and interest",
        PENALTY_FIRST,
        {**THREE, "N": [(50, 1, 15), (50, 1, 20)], "F": [(50, 1, 20)], "I": [(30, 1, 20)]},
        [((1, 20), 1180, {"P": 1000, "I": 30, "F": 50, "N": 100})],
        2000,
    ),
    (
        "a penalty to come waits for its day",
        PENALTY_FIRST,
        FIRST_NSF,
        [((1, 17), 450, {"P": 450}), ((1, 21), 50, {"N": 50})],
        50,
    ),
    (
        "one penalty due, one to come",
        PENALTY_FIRST,
        SECOND_NSF,
        [((1, 17), 100, {"P": 100}), ((1, 20), 100, {"P": 50, "N": 50})],
        360,
    ),
    ("fee last", FEE_LAST, {**SINGLE, "F": [(20, 2, 1)]}, [((2, 1), 1020, {"P": 1000, "F": 20})], 0),
    (
        "fee last, with penalty",
        FEE_LAST,
        {**SINGLE, "F": [(20, 2, 1)], "N": [(20, 2, 1)]},
        [((1, 28), 520, {"P": 500, "N": 20}), ((2, 1), 500, {"P": 500}), ((2, 5), 20, {"F": 20})],
        0,
    ),
    (
        "fee last, early",
        FEE_LAST,
        {**SINGLE, "F": [(20, 2, 1)]},
        [((1, 25), 500, {"P": 500}), ((2, 1), 520, {"P": 500, "F": 20})],
        0,
    ),
    ("terms of 30, 50 and 20", Waterfall(), {"P": [(30, 1, 1), (50, 2, 1), (20, 3, 1)]}, [((1, 1), 40, {"P": 40})], 60),
]


def _items(engine, owed):
    rows = [
        (LETTERS[letter], date(2023, month, day), amount)
        for letter, parts in owed.items()
        for amount, month, day in parts
    ]
    return [
        {"item_id": n, "account_id": 1, "due_date": due, "concept": concept, "open_minor": amount * 100}
        for n, (concept, due, amount) in enumerate(rows)
    ]


def _pay(engine, payments, items, order, as_of):
    paid = [dict(zip(PAYMENTS.names, payment, strict=True)) for payment in payments]
    found = allocate_payments(table(engine, paid, PAYMENTS), table(engine, items, ITEMS), order, as_of=as_of)
    shares = engine.to_pyarrow(found.shares).to_pylist()
    left = engine.to_pyarrow(found.remainders).to_pylist()
    return shares, {row["payment_id"]: row["left_minor"] for row in left}


@pytest.mark.parametrize(
    ("order", "owed", "steps", "outstanding"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_a_payment_follows_the_order(engine, order, owed, steps, outstanding):
    items = _items(engine, owed)
    for (month, day), amount, expected in steps:
        shares, left = _pay(engine, [(1, 1, amount * 100)], items, order, date(2023, month, day))
        paid = {letter: sum(s["amount_minor"] for s in shares if s["concept"] == LETTERS[letter]) for letter in LETTERS}
        assert {letter: minor // 100 for letter, minor in paid.items() if minor} == expected
        assert left == {1: 0}
        for item in items:
            item["open_minor"] -= sum(s["amount_minor"] for s in shares if s["item_id"] == item["item_id"])
    assert sum(item["open_minor"] for item in items) == outstanding * 100


def test_the_oldest_instalment_is_paid_before_the_next(engine):
    items = _items(engine, {"P": [(30, 1, 1), (50, 2, 1)], "I": [(5, 1, 1), (5, 2, 1)], "F": [(1, 2, 1)]})
    shares, left = _pay(engine, [(1, 1, 4_200)], items, Waterfall(), date(2023, 1, 1))
    assert {s["item_id"]: s["amount_minor"] for s in shares} == {0: 3000, 2: 500, 3: 500, 4: 100, 1: 100}
    assert left == {1: 0}


def test_several_payments_follow_one_another(engine):
    items = _items(engine, {"P": [(30, 1, 1), (50, 2, 1)]})
    undated = {"item_id": 9, "account_id": 1, "due_date": None, "concept": "PRINCIPAL", "open_minor": 500}
    other = {"item_id": 7, "account_id": 2, "due_date": date(2023, 1, 1), "concept": "GASTOS", "open_minor": 100}
    payments = [(1, 1, 2_000), (2, 1, 2_000), (3, 1, 9_000), (4, 2, 150), (5, 3, 70), (6, 1, -300), (7, 1, 0)]
    shares, left = _pay(engine, payments, [*items, undated, other], Waterfall(), date(2023, 1, 1))
    assert {(s["payment_id"], s["item_id"]): s["amount_minor"] for s in shares} == {
        (1, 0): 2_000,
        (2, 0): 1_000,
        (2, 1): 1_000,
        (3, 1): 4_000,
        (3, 9): 500,
        (4, 7): 100,
    }
    assert left == {1: 0, 2: 0, 3: 4_500, 4: 50, 5: 70, 6: -300, 7: 0}


def test_the_payments_say_which_comes_first(engine):
    schema = PAYMENTS.append(pa.field("paid_on", pa.date32()))
    rows = [
        {"payment_id": 1, "account_id": 1, "amount_minor": 100, "paid_on": date(2023, 1, 9)},
        {"payment_id": 2, "account_id": 1, "amount_minor": 100, "paid_on": date(2023, 1, 2)},
    ]
    items = table(engine, _items(engine, {"P": [(1, 1, 1)]}), ITEMS)
    found = allocate_payments(
        table(engine, rows, schema), items, Waterfall(), as_of=date(2023, 1, 9), paid_by=["paid_on"]
    )
    assert [row["payment_id"] for row in engine.to_pyarrow(found.shares).to_pylist()] == [2]


_ORDERS = st.builds(
    Waterfall, by=st.sampled_from(["due_date", "concept"]), concepts=st.permutations(CONCEPTS).map(tuple)
)
_DUE = st.one_of(st.none(), st.dates(date(2023, 1, 1), date(2023, 1, 6)))
_OWED = st.tuples(st.integers(1, 3), _DUE, st.sampled_from(CONCEPTS), st.integers(-50, 300))
_PAID = st.tuples(st.integers(1, 4), st.integers(-20, 500))
TODAY = date(2023, 1, 3)
DUCKDB = ibis.duckdb.connect()


def _one_by_one(payments, items, order):
    """The same answer by hand: each payment walks down the list of what is owed."""

    def rank(item):
        due, place = item["due_date"] or date.max, order.concepts.index(item["concept"])
        if order.by == "due_date":
            return due, place, item["item_id"]
        return due > TODAY, place, due, item["item_id"]

    open_minor = {item["item_id"]: max(item["open_minor"], 0) for item in items}
    paid = {}
    for payment_id, account_id, amount in payments:
        left = max(amount, 0)
        for item in sorted((i for i in items if i["account_id"] == account_id), key=rank):
            share = min(left, open_minor[item["item_id"]])
            open_minor[item["item_id"]] -= share
            left -= share
            if share:
                paid[payment_id, item["item_id"]] = share
    return paid


@settings(max_examples=extent.choose(daily=15, whole=40), deadline=None)
@given(st.lists(_PAID, max_size=6), st.lists(_OWED, max_size=8), _ORDERS)
def test_no_cent_is_lost_and_nothing_paid_twice(paid, owed, order):
    payments = [(n, account, amount) for n, (account, amount) in enumerate(paid)]
    items = [dict(zip(ITEMS.names, (n, *item), strict=True)) for n, item in enumerate(owed)]
    shares, left = _pay(DUCKDB, payments, items, order, TODAY)
    for payment_id, _, amount in payments:
        assert sum(s["amount_minor"] for s in shares if s["payment_id"] == payment_id) + left[payment_id] == amount
    for item in items:
        given_minor = sum(s["amount_minor"] for s in shares if s["item_id"] == item["item_id"])
        assert given_minor <= max(item["open_minor"], 0)
    assert all(s["amount_minor"] > 0 for s in shares)
    assert {(s["payment_id"], s["item_id"]): s["amount_minor"] for s in shares} == _one_by_one(payments, items, order)


def test_an_order_names_every_concept_once():
    with pytest.raises(WaterfallError, match="once each"):
        Waterfall(concepts=("FEE", "PRINCIPAL"))
    with pytest.raises(WaterfallError, match="once each"):
        Waterfall(by="concept", in_advance=(*CONCEPTS, "FEE"))
    with pytest.raises(WaterfallError, match="by concept only"):
        Waterfall(in_advance=CONCEPTS)
