"""Amounts of money as people write them."""

from __future__ import annotations

from copy import copy
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import NumberPattern

from recobra_core.money import from_minor


def format_minor(amount_minor: int, currency: str, locale: Locale) -> str:
    """Return minor units as a country writes them: 123450 PEN is `S/ 1,234.50` in Peru."""
    return format_units(from_minor(amount_minor, currency), currency, locale)


def format_units(amount: Decimal, currency: str, locale: Locale) -> str:
    """Return an amount as a country writes it, with exactly the decimals that it has."""
    decimals = -int(amount.as_tuple().exponent)
    return _pattern_with(locale, decimals).apply(amount, locale, currency=currency, currency_digits=False)


@lru_cache(maxsize=256)
def _pattern_with(locale: Locale, decimals: int) -> NumberPattern:
    """Return a locale's pattern of money with a fixed number of decimals.

    Babel would take the number from CLDR, which has other decimals than ISO 4217 for some currencies: rupiahs would
    lose their cents.
    """
    pattern = copy(locale.currency_formats["standard"])
    pattern.frac_prec = (decimals, decimals)
    return pattern
