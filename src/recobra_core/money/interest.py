"""Simple interest on an overdue amount."""

from fractions import Fraction
from typing import Literal

from recobra_core.money.currencies import MoneyError, Rounding

DayBasis = Literal[360, 365]


def simple_interest(principal_minor: int, *, rate_bps: int, days: int, basis: DayBasis, rounding: Rounding) -> int:
    """Return interest in minor units for `days` at a yearly rate in basis points. Raises MoneyError below zero."""
    if principal_minor < 0 or rate_bps < 0 or days < 0:
        raise MoneyError("Interest needs a principal, a rate and days of zero or more.")
    interest = Fraction(principal_minor * rate_bps * days, 10_000 * basis)
    if rounding == "down":
        return int(interest)
    if rounding == "half_up":
        return int(interest + Fraction(1, 2))
    # Python rounds a half to the even number.
    return round(interest)
