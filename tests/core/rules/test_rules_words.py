"""A rule said in words, written back as text, and shown as rows of the builder."""

from decimal import Decimal

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import extent
from tests.core.rules.tables import accounts

from recobra_core.rules import (
    ACCOUNT_COLUMNS,
    Row,
    RuleError,
    compile_rule,
    from_builder,
    to_builder,
)
from recobra_core.rules.compile import compile_condition
from recobra_core.rules.reach import find_unreachable

WORDS = [
    (
        "dpd between 31 and 60 and balance > 1000.5",
        "días de mora entre 31 y 60 y saldo mayor que 1.000,5",
        "days past due between 31 and 60 and balance more than 1,000.5",
    ),
    (
        "held and not has_email",
        "está en pausa y no tiene correo electrónico",
        "is on hold and not: has an e-mail address",
    ),
    (
        "product in ('LOAN', 'CARD') or stage = 'JUDICIAL'",
        "producto entre estos: préstamo, tarjeta o etapa igual a judicial",
        "product one of: loan, card or stage equal to judicial",
    ),
    (
        "held or (contacts_30d >= 3 and dpd is not null)",
        "está en pausa o (contactos en 30 días desde 3 y días de mora con dato)",
        "is on hold or (contacts in 30 days at least 3 and days past due known)",
    ),
    ("portfolio like 'AR%'", "cartera que empieza con «AR»", "portfolio beginning with “AR”"),
    (
        "coalesce(days_since_contact, 99) > 7",
        "días desde el último contacto (si no hay dato, 99) mayor que 7",
        "days since the last contact (if unknown, 99) more than 7",
    ),
    (
        "opened_date is null or opened_date < '2026-01-31'",
        "fecha de alta sin dato o fecha de alta menor que 31/01/2026",
        "opening date unknown or opening date less than 2026-01-31",
    ),
    (
        "not (overdue * 2 > balance)",
        "no se cumple ((saldo vencido × 2) mayor que saldo)",
        "not ((overdue amount × 2) more than balance)",
    ),
]


@pytest.mark.parametrize(("text", "spanish", "english"), WORDS)
def test_a_rule_is_said_in_words(text, spanish, english):
    rule = compile_rule(text, ACCOUNT_COLUMNS, unknown="no")
    assert rule.in_words("es") == spanish
    assert rule.in_words("en") == english


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("DPD>30 AND  Balance>=1000.50", "dpd > 30 and balance >= 1000.5"),
        ("((dpd > 30))", "dpd > 30"),
        ("dpd != 1", "dpd <> 1"),
        ("not dpd in (1,2)", "dpd not in (1, 2)"),
        ("held and (held or has_email) and held", "held and (held or has_email) and held"),
        ("not (held and has_email)", "not (held and has_email)"),
        ("balance - (overdue - 1) > -3", "balance - (overdue - 1) > -3"),
        ("portfolio = 'it''s'", "portfolio = 'it''s'"),
    ],
)
def test_a_rule_has_one_canonical_text(text, canonical):
    assert compile_rule(text, ACCOUNT_COLUMNS, unknown="no").text == canonical


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("dpd between 31 and 60", [Row("dpd", "between", ("31", "60"))]),
        ("balance > 1000.5 and held", [Row("balance", ">", ("1000.5",)), Row("held", "is true")]),
        ("not held and dpd is not null", [Row("held", "is false"), Row("dpd", "is not null")]),
        ("product not in ('LOAN', 'CARD')", [Row("product", "not in", ("LOAN", "CARD"))]),
        ("opened_date >= '2026-01-31'", [Row("opened_date", ">=", ("2026-01-31",))]),
        ("portfolio ilike '%it''s%'", [Row("portfolio", "ilike", ("%it's%",))]),
        ("subdivision is null", [Row("subdivision", "is null")]),
        ("held or has_email", None),
        ("dpd > contacts_30d", None),
        ("not (held and has_email)", None),
        ("coalesce(dpd, 0) > 3", None),
    ],
)
def test_the_builder_shows_what_rows_can_say(text, rows):
    rule = compile_rule(text, ACCOUNT_COLUMNS, unknown="no")
    assert to_builder(rule) == rows
    if rows:
        assert from_builder(rows, ACCOUNT_COLUMNS, unknown=rule.unknown) == rule.text


@pytest.mark.parametrize(
    ("row", "key"),
    [
        (Row("contacts_30d", ">", ("3 or true",)), "bad_row"),
        (Row("contacts_30d", ">", ("nan",)), "bad_row"),
        (Row("opened_date", ">", ("ayer",)), "bad_row"),
        (Row("held", "=", ("maybe",)), "bad_row"),
        (Row("balance", "between", ("1",)), "bad_row"),
        (Row("balance", "> 0 or", ("1",)), "not_allowed"),
        (Row("saldo", ">", ("1",)), "unknown_column"),
    ],
)
def test_the_builder_refuses_rows_that_do_not_fit(row, key):
    with pytest.raises(RuleError) as refusal:
        from_builder([row], ACCOUNT_COLUMNS)
    assert refusal.value.key == key


def test_a_quote_typed_in_the_builder_stays_text():
    text = from_builder([Row("portfolio", "=", ("x' or 'a' = 'a",))], ACCOUNT_COLUMNS)
    assert to_builder(compile_rule(text, ACCOUNT_COLUMNS)) == [Row("portfolio", "=", ("x' or 'a' = 'a",))]


_numbers = st.one_of(
    st.integers(-10_000, 10_000), st.decimals(-100, 100, places=2, allow_nan=False, allow_infinity=False)
)
_money = st.sampled_from(["balance", "overdue", "balance - overdue", "abs(overdue)", "greatest(overdue, 1.5)"])
_simple = st.one_of(
    st.builds(lambda m, op, n: f"{m} {op} {n}", _money, st.sampled_from(["<", ">=", "=", "<>"]), _numbers),
    st.builds(lambda a, b: f"dpd between {min(a, b)} and {max(a, b)}", _numbers, _numbers),
    st.text("abc'%_ñ", max_size=5).map(lambda s: "portfolio like '" + s.replace("'", "''") + "'"),
    st.sampled_from(["held", "dpd is null", "product in ('LOAN', 'CARD')", "portfolio not in ('a')"]),
)
_rules = st.recursive(
    _simple,
    lambda inner: st.one_of(
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=6,
)


@settings(max_examples=extent.choose(daily=60, whole=150), deadline=None)
@given(_rules)
def test_reading_the_canonical_text_gives_the_same_rule(text):
    rule = compile_rule(text, ACCOUNT_COLUMNS, unknown="no")
    again = compile_rule(rule.text, ACCOUNT_COLUMNS, unknown="no")
    assert again == rule
    assert rule.in_words("es")


_missing = st.recursive(
    st.sampled_from(
        (
            "dpd > 3",
            "dpd is null",
            "dpd in (1, 5)",
            "dpd + days_since_contact > 2",
            "days_since_contact = 1",
            "days_since_contact is not null",
            "least(dpd, days_since_contact) < 4",
            "coalesce(dpd, days_since_contact, 0) > 1",
            "subdivision = 'x'",
            "subdivision is not null",
            "subdivision like 'x%'",
            "held",
        )
    ),
    lambda inner: st.one_of(
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=8,
)
KNOWN_OR_NOT = [
    {"dpd": dpd, "days_since_contact": days, "subdivision": place, "held": held}
    for dpd in (None, 1, 5)
    for days in (None, 1, 3)
    for place in (None, "x", "y")
    for held in (True, False)
]
DUCKDB = ibis.duckdb.connect()


@settings(max_examples=extent.choose(daily=60, whole=150), deadline=None)
@given(_missing)
def test_an_accepted_rule_always_has_an_answer(text):
    """What the check promises, seen on every combination of known and missing facts."""
    table = accounts(DUCKDB, *KNOWN_OR_NOT)
    asked = compile_rule(text, ACCOUNT_COLUMNS, unknown="no")
    answer = compile_condition(asked.root, table)
    unanswered = DUCKDB.to_pyarrow((answer.fill_null(True) != answer.fill_null(False)).sum()).as_py()
    try:
        compile_rule(text, ACCOUNT_COLUMNS)
    except RuleError as error:
        refusal = error
    else:
        assert unanswered == 0
        return
    assert refusal.key == "unknown_null"


@settings(max_examples=extent.choose(daily=60, whole=200), deadline=None)
@given(st.text("ab1 '().,<>=-+*%;\"nodrpheld\n\\", max_size=60))
def test_any_text_is_a_rule_or_a_refusal(text):
    try:
        rule = compile_rule(text, ACCOUNT_COLUMNS, unknown="no")
    except RuleError as error:
        refusal = error
    else:
        assert compile_rule(rule.text, ACCOUNT_COLUMNS, unknown="no").root == rule.root
        return
    assert 0 <= refusal.position <= max(len(text), 1)


def test_whole_decimals_read_as_integers():
    assert compile_rule("balance > 1000.00", ACCOUNT_COLUMNS).text == "balance > 1000"
    assert Decimal("1000.5") == Decimal(to_builder(compile_rule("balance > 1000.50", ACCOUNT_COLUMNS))[0].values[0])


COVERED = [
    ("balance >= 0", "dpd > 3", True),
    ("overdue >= 2000", "overdue >= 5000 and stage = 'JUDICIAL'", True),
    ("overdue >= 2000", "overdue >= 100", False),
    ("dpd is not null and dpd > 3", "dpd between 4 and 9", True),
    ("dpd > 3 and overdue > 10", "dpd > 4", False),
    ("stage = 'JUDICIAL'", "stage = 'JUDICIAL' and balance > 1", True),
    ("dpd < 30", "dpd <= 30", False),
    ("dpd = 30", "dpd = 30", True),
]


@pytest.mark.parametrize(("earlier", "later", "is_covered"), COVERED)
def test_a_rule_behind_one_that_takes_all_its_accounts_is_known(earlier, later, is_covered):
    rules = [compile_rule(text, ACCOUNT_COLUMNS, unknown="no") for text in (earlier, later)]
    assert find_unreachable(rules) == ({1: 0} if is_covered else {})
    # What is unknown and matches all the same is not covered by a rule that leaves it out.
    takes_unknown = compile_rule("dpd > 4", ACCOUNT_COLUMNS, unknown="yes")
    assert find_unreachable([compile_rule("dpd > 3", ACCOUNT_COLUMNS, unknown="no"), takes_unknown]) == {}


def test_the_builder_says_what_the_unknown_means():
    rows = [Row("overdue", ">=", ("2000",)), Row("dpd", "between", ("31", "90"))]
    text = from_builder(rows, ACCOUNT_COLUMNS)
    assert text == "overdue >= 2000 and dpd is not null and dpd between 31 and 90"
    assert to_builder(compile_rule(text, ACCOUNT_COLUMNS)) == rows
