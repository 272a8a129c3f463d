"""Simple interest on an overdue amount."""

from fractions import Fraction
from typing import Literal

from recobra_core.money.currencies import MoneyError, Rounding

DayBasis = Literal[360, 365]


def simple_interest(principal_minor: int, *, rate_bps: int, days: int, basis: DayBasis, rounding: Rounding) -> int:
    """Interest in minor units for `days` at a yearly rate in basis points. Raises MoneyError below zero."""
    if principal_minor < 0 or rate_bps < 0 or days < 0:
        raise MoneyError("Interest needs a principal, a rate and days of zero or more.")
    return _rounded(Fraction(principal_minor * rate_bps * days, 10_000 * basis), rounding)


def _rounded(value: Fraction, rounding: Rounding) -> int:
    if rounding == "down":
        return int(value)
    if rounding == "half_up":
        return int(value + Fraction(1, 2))
    return round(value)
