"""Prices below the minor unit, kept as whole micros: millionths of the currency's major unit. Their sums are exact."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from recobra_core.money.currencies import EXPONENTS, exponent_of

MICROS_DECIMALS: Final = 6
_UNLISTED_DECIMALS = 2


def micros_of(amount_minor: int, currency: str) -> int:
    """Return an amount in minor units as micros, exact. Raises MoneyError for a code that is not in ISO 4217."""
    return int(amount_minor * 10 ** (MICROS_DECIMALS - exponent_of(currency)))


def units_of(micros: int) -> Decimal:
    """Return micros in major units, exact, with six decimals."""
    return Decimal(micros).scaleb(-MICROS_DECIMALS)


def rounded_units(micros: int, currency: str) -> Decimal:
    """Return a sum of micros in major units, rounded half up to the currency's decimals.

    A code not in ISO 4217 has two.
    """
    decimals = EXPONENTS.get(currency, _UNLISTED_DECIMALS)
    return units_of(micros).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
