"""Amounts and days are written digit for digit as Babel writes them, only faster."""

from copy import copy
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from babel import dates
from hypothesis import given
from hypothesis import strategies as st

from recobra.kit.date_format import format_date
from recobra.kit.money_format import format_minor, format_units
from recobra.kit.typed_numbers import number_locale
from recobra.messaging.templates.facts import resolve_locale
from recobra_core.law import load_countries
from recobra_core.money import EXPONENTS, MoneyError, from_minor, largest_minor

PLACES = ["", *sorted(load_countries())]
LOCALES = sorted(
    {number_locale(country) for country in PLACES}
    | {resolve_locale(language, country) for country in PLACES for language in ("es", "pt", "en", "hi")},
    key=str,
)
STYLES = ("short", "medium", "long", "full", "d MMM y")


def as_babel_writes(amount, currency, locale):
    """Return an amount by Babel's own pattern, with exactly the decimals that it has."""
    decimals = -amount.as_tuple().exponent
    pattern = copy(locale.currency_formats["standard"])
    pattern.frac_prec = (decimals, decimals)
    return pattern.apply(amount, locale, currency=currency, currency_digits=False)


@pytest.mark.parametrize("locale", LOCALES, ids=str)
def test_every_currency_is_written_as_by_babel(locale):
    for currency in sorted(EXPONENTS):
        for minor in (0, 5, -5, 123_456, -12_345_678, largest_minor(currency), -largest_minor(currency)):
            assert format_minor(minor, currency, locale) == as_babel_writes(
                from_minor(minor, currency), currency, locale
            )


@given(
    minor=st.integers(min_value=1 - 10**15, max_value=10**15 - 1),
    currency=st.sampled_from(sorted(EXPONENTS)),
    locale=st.sampled_from(LOCALES),
)
def test_every_amount_is_written_as_by_babel(minor, currency, locale):
    amount = from_minor(minor, currency)
    assert format_minor(minor, currency, locale) == as_babel_writes(amount, currency, locale)
    assert format_units(amount, currency, locale) == as_babel_writes(amount, currency, locale)


@given(
    digits=st.integers(min_value=-(10**12), max_value=10**12),
    decimals=st.integers(min_value=0, max_value=6),
    locale=st.sampled_from(LOCALES),
)
def test_an_amount_keeps_its_decimals_whatever_the_currency(digits, decimals, locale):
    amount = Decimal(digits).scaleb(-decimals)
    for currency in ("PEN", "CLP", "ZZZ"):
        assert format_units(amount, currency, locale) == as_babel_writes(amount, currency, locale)


def test_thousands_without_their_zeros_are_thousands():
    assert format_units(Decimal("12E3"), "PEN", resolve_locale("es", "PE")) == "S/\xa012,000"


def test_a_code_of_no_currency_is_refused():
    with pytest.raises(MoneyError):
        format_minor(1, "ZZZ", resolve_locale("es", "PE"))


@given(day=st.dates(), style=st.sampled_from(STYLES), locale=st.sampled_from(LOCALES))
def test_every_day_is_written_as_by_babel(day, style, locale):
    assert format_date(day, style, locale) == dates.format_date(day, style, locale=locale)


def test_one_instant_is_two_days_in_two_places():
    lima = datetime(2026, 11, 25, 23, 0, tzinfo=timezone(timedelta(hours=-5)))
    written = [format_date(instant, "short", resolve_locale("es", "PE")) for instant in (lima, lima.astimezone(UTC))]
    assert written == ["25/11/26", "26/11/26"]
    assert format_date(date(2026, 11, 25), "short", "es_PE") == written[0]
