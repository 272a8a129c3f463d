"""Amounts in and out of minor units, and simple interest."""

from decimal import Decimal

import pytest
from babel.numbers import get_currency_precision
from hypothesis import given
from hypothesis import strategies as st

from recobra_core.money import (
    AMOUNT_LIMIT,
    EXPONENTS,
    MoneyError,
    exponent_of,
    from_minor,
    micros_of,
    round_whole,
    rounded_units,
    simple_interest,
    to_minor,
    units_of,
)


@pytest.mark.parametrize(
    ("amount", "currency", "rounding", "minor"),
    [
        ("1234.56", "ARS", None, 123456),
        ("1234.50", "MXN", None, 123450),
        ("1234", "CLP", None, 1234),
        ("1234.00", "PYG", None, 1234),
        ("0.0001", "CLF", None, 1),
        ("-10.01", "COP", None, -1001),
        ("0", "UYU", None, 0),
        ("10.005", "BRL", "half_even", 1000),
        ("10.015", "BRL", "half_even", 1002),
        ("10.005", "BRL", "half_up", 1001),
        ("-10.005", "BRL", "half_up", -1001),
        ("10.009", "BRL", "down", 1000),
        ("-10.009", "BRL", "down", -1000),
        ("999.5", "CLP", "half_up", 1000),
    ],
)
def test_amounts_become_minor_units(amount, currency, rounding, minor):
    assert to_minor(Decimal(amount), currency, rounding=rounding) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        ("1.005", "ARS", "more than the 2 decimals"),
        ("1.5", "CLP", "more than the 0 decimals"),
        ("1", "XXX", "'XXX' is not an ISO 4217"),
        ("1", "ars", "'ars' is not"),
        ("NaN", "ARS", "not an amount"),
        ("Infinity", "ARS", "not an amount"),
        ("1e999999", "ARS", "not an amount"),
        ("100000000000000.01", "ARS", "not an amount"),
    ],
)
def test_what_cannot_be_kept_is_refused(amount, currency, said):
    with pytest.raises(MoneyError, match=said):
        to_minor(Decimal(amount), currency)


@given(st.integers(1 - AMOUNT_LIMIT, AMOUNT_LIMIT - 1), st.sampled_from(sorted(EXPONENTS)))
def test_minor_units_come_back_exactly(minor, currency):
    assert to_minor(from_minor(minor, currency), currency) == minor


# CLDR speaks of how amounts are shown; ISO 4217 of how they are kept. These are the known differences.
SHOWN_OTHERWISE = frozenset(("AFN", "ALL", "IQD", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SOS", "SYP", "YER"))


def test_exponents_agree_with_an_independent_table():
    differing = {code for code, exponent in EXPONENTS.items() if get_currency_precision(code) != exponent}
    assert differing == SHOWN_OTHERWISE
    assert (exponent_of("CLP"), exponent_of("PYG"), exponent_of("JPY"), exponent_of("ARS")) == (0, 0, 0, 2)


@pytest.mark.parametrize(
    ("principal", "rate_bps", "days", "terms", "interest"),
    [
        # ERPNext, dunning: 100.00 for 15 days at 10 % a year is 0.41
        (10_000, 1000, 15, (365, "half_up"), 41),
        (10_000, 1000, 15, (360, "half_even"), 42),
        (10_000, 1000, 15, (360, "down"), 41),
        (100, 5000, 36, (360, "half_even"), 5),
        (1_000, 1000, 18, (360, "half_even"), 5),
        (300, 5000, 3, (360, "half_up"), 1),
        (100, 5000, 18, (360, "half_even"), 2),
        (100, 5000, 18, (360, "half_up"), 3),
        (0, 1000, 30, (365, "half_up"), 0),
    ],
)
def test_simple_interest(principal, rate_bps, days, terms, interest):
    basis, rounding = terms
    assert simple_interest(principal, rate_bps=rate_bps, days=days, basis=basis, rounding=rounding) == interest


def test_interest_of_a_credit_is_refused():
    with pytest.raises(MoneyError, match="zero or more"):
        simple_interest(-1, rate_bps=1, days=1, basis=365, rounding="down")


def test_rounding_is_named():
    halves = [Decimal("0.5"), Decimal("1.5"), Decimal("-0.5")]
    assert [round_whole(half, rounding="half_even") for half in halves] == [0, 2, 0]
    assert [round_whole(half, rounding="half_up") for half in halves] == [1, 2, -1]
    assert [round_whole(half, rounding="down") for half in halves] == [0, 1, 0]


@pytest.mark.parametrize(
    ("minor", "currency", "micros"),
    [
        (790, "PEN", 7_900_000),
        (19, "CLP", 19_000_000),
        (5, "CLF", 500),
        (1, "KWD", 1_000),
    ],
)
def test_a_budget_becomes_micros(minor, currency, micros):
    assert micros_of(minor, currency) == micros
    assert rounded_units(micros, currency) == units_of(micros) == from_minor(minor, currency)
    with pytest.raises(MoneyError):
        micros_of(1, "XX1")


@pytest.mark.parametrize(
    ("micros", "currency", "shown"),
    [
        (7_900 * 1_000, "USD", "7.90"),
        (4_999, "USD", "0.00"),
        (5_000, "USD", "0.01"),
        (15_000, "USD", "0.02"),
        (18_500_000, "CLP", "19"),
        (18_499_999, "CLP", "18"),
        (18_500_000, "COP", "18.50"),
        (50, "CLF", "0.0001"),
        (5_000, "XX1", "0.01"),
    ],
)
def test_a_sum_of_prices_is_rounded_half_up_once(micros, currency, shown):
    assert str(rounded_units(micros, currency)) == shown
