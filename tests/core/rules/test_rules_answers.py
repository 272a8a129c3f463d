"""What a rule answers, account by account, on each engine."""

from datetime import date

import ibis
import pyarrow as pa
import pytest
from tests.core.rules.tables import accounts, answers

from recobra_core.rules import ACCOUNT_COLUMNS, Column, compile_rule

CATALOGUE = ACCOUNT_COLUMNS.extend(
    [Column(name="attr_income", type="number", nullable=True, label_en="income", label_es="ingreso")]
)
ACCOUNTS = (
    {
        "dpd": 45,
        "balance_minor": 100_000,
        "overdue_minor": 25_000,
        "product": "LOAN",
        "held": False,
        "subdivision": "Córdoba",
        "oldest_due_date": date(2026, 10, 8),
        "contacts_30d": 3,
        "attr_income": 1500.5,
        "days_since_contact": 9,
        "stage": "ADMINISTRATIVE",
    },
    {
        "dpd": 0,
        "balance_minor": 1_001,
        "overdue_minor": 0,
        "product": "CARD",
        "held": True,
        "subdivision": None,
        "currency_exponent": 0,
        "oldest_due_date": None,
        "contacts_30d": 0,
        "attr_income": None,
        "days_since_contact": None,
        "stage": "PREVENTIVE",
    },
    {
        "dpd": None,
        "balance_minor": 100_001,
        "overdue_minor": 100_001,
        "product": "INVOICE",
        "held": False,
        "subdivision": "it's",
        "oldest_due_date": date(2026, 1, 1),
        "contacts_30d": 1,
        "attr_income": 0.0,
        "days_since_contact": 40,
        "stage": "JUDICIAL",
    },
)

# rule, answers of the three accounts with unknown = no
CASES = [
    ("dpd between 31 and 60", [True, False, False]),
    ("dpd not between 31 and 60", [False, True, False]),
    ("balance > 1000", [False, True, True]),
    ("balance >= 1000", [True, True, True]),
    ("balance = 1000.01", [False, False, True]),
    ("balance in (1000, 1001)", [True, True, False]),
    ("overdue >= balance * 0.25", [True, False, True]),
    ("overdue > balance * 0.25", [False, False, True]),
    ("balance - overdue > 750", [False, True, False]),
    ("balance - overdue >= 750", [True, True, False]),
    ("-balance < -1000", [False, True, True]),
    ("abs(overdue - balance) = 0", [False, False, True]),
    ("least(overdue, 500) = 250", [True, False, False]),
    ("greatest(balance, 1000.5) = 1000.5", [True, False, True]),
    ("product in ('LOAN', 'CARD')", [True, True, False]),
    ("product not in ('LOAN')", [False, True, True]),
    ("product <> 'LOAN' and not held", [False, False, True]),
    ("held or balance > 1000", [False, True, True]),
    ("held = false", [True, False, True]),
    ("subdivision is null", [False, True, False]),
    ("subdivision is not null", [True, False, True]),
    ("subdivision = 'it''s'", [False, False, True]),
    ("subdivision like 'C%'", [True, False, False]),
    ("subdivision not like 'C%'", [False, False, True]),
    ("subdivision ilike 'c%'", [True, False, False]),
    ("length(subdivision) = 7", [True, False, False]),
    ("upper(subdivision) = 'IT''S'", [False, False, True]),
    ("oldest_due_date < '2026-10-08'", [False, False, True]),
    ("oldest_due_date between '2026-01-01' and '2026-12-31'", [True, False, True]),
    ("coalesce(oldest_due_date, '2026-11-01') > '2026-10-01'", [True, True, False]),
    ("coalesce(days_since_contact, 999) > 30", [False, True, True]),
    ("days_since_contact > 30 or days_since_contact is null", [False, True, True]),
    ("not (dpd > 30)", [False, True, False]),
    ("contacts_30d * 2 + 1 > 6.5", [True, False, False]),
    ("attr_income > 1500", [True, False, False]),
    ("attr_income * 2 >= 3001", [True, False, False]),
    ("coalesce(attr_income, 1) = 1", [False, True, False]),
    ("greatest(days_since_contact, 10) >= 10", [True, False, True]),
    ("true", [True, True, True]),
    ("not false and (stage = 'JUDICIAL' or dpd = 0)", [False, True, True]),
]


@pytest.fixture(scope="module")
def found(engine):
    """All the cases in one query."""
    table = accounts(engine, *ACCOUNTS, extra={"attr_income": pa.float64()})
    rules = {f"case_{n}": compile_rule(text, CATALOGUE, unknown="no") for n, (text, _) in enumerate(CASES)}
    judged = table.select("n", **{name: rule.condition(table) for name, rule in rules.items()})
    return engine.to_pyarrow(judged.order_by("n"))


@pytest.mark.parametrize("case", range(len(CASES)), ids=[text for text, _ in CASES])
def test_rule_answers(found, case):
    assert found[f"case_{case}"].to_pylist() == CASES[case][1]


@pytest.mark.parametrize(("unknown", "expected"), [("no", [True, False, False]), ("yes", [True, False, True])])
def test_the_author_says_what_unknown_means(engine, unknown, expected):
    table = accounts(engine, *ACCOUNTS)
    rule = compile_rule("dpd > 30", ACCOUNT_COLUMNS, unknown=unknown)
    assert answers(engine, table.mutate(yes=rule.condition(table)), "yes") == expected


def test_a_null_where_none_was_promised_never_matches(engine):
    table = accounts(
        engine, {"balance_minor": None}, {"balance_minor": 1}, {"balance_minor": 1, "currency_exponent": 9}
    )
    rule = compile_rule("balance >= 0", ACCOUNT_COLUMNS)
    assert answers(engine, table.mutate(yes=rule.condition(table)), "yes") == [False, True, False]


def test_one_rule_serves_several_currencies(engine):
    pesos = {"balance_minor": 100_000, "currency_exponent": 2}
    guaranies = {"balance_minor": 1_000, "currency_exponent": 0}
    dinars = {"balance_minor": 1_000_000, "currency_exponent": 3}
    funds = {"balance_minor": 10_000_000, "currency_exponent": 4}
    table = accounts(engine, pesos, guaranies, dinars, funds)
    rule = compile_rule("balance = 1000", ACCOUNT_COLUMNS)
    assert answers(engine, table.mutate(yes=rule.condition(table)), "yes") == [True] * 4


def test_the_largest_amounts_stay_exact(engine):
    table = accounts(engine, {"balance_minor": 10**14, "overdue_minor": 10**14 - 1})
    rule = compile_rule("overdue * 1.01 < balance * 1.01", ACCOUNT_COLUMNS)
    assert answers(engine, table.mutate(yes=rule.condition(table)), "yes") == [True]


def test_a_rule_says_which_columns_it_reads():
    rule = compile_rule("balance > 10 and product = 'LOAN'", ACCOUNT_COLUMNS)
    assert rule.columns == {"balance", "product"}


def test_no_condition_is_ever_null():
    table = ibis.table({"dpd": "int64"}, name="accounts")
    rule = compile_rule("dpd > 3", ACCOUNT_COLUMNS, unknown="no")
    assert "COALESCE" in ibis.to_sql(table.filter(rule.condition(table)), dialect="duckdb")
