"""Money: minor units and currencies, named rounding, simple interest and the payment waterfall."""

from recobra_core.money.currencies import (
    AMOUNT_LIMIT,
    EXPONENTS,
    MoneyError,
    Rounding,
    exponent_of,
    from_minor,
    largest_minor,
    round_whole,
    to_minor,
)
from recobra_core.money.interest import DayBasis, simple_interest
from recobra_core.money.micros import MICROS_DECIMALS, micros_of, rounded_units, units_of
from recobra_core.money.waterfall import CONCEPTS, Allocation, Concept, Waterfall, WaterfallError, allocate_payments

__all__ = [
    "AMOUNT_LIMIT",
    "CONCEPTS",
    "EXPONENTS",
    "MICROS_DECIMALS",
    "Allocation",
    "Concept",
    "DayBasis",
    "MoneyError",
    "Rounding",
    "Waterfall",
    "WaterfallError",
    "allocate_payments",
    "exponent_of",
    "from_minor",
    "largest_minor",
    "micros_of",
    "round_whole",
    "rounded_units",
    "simple_interest",
    "to_minor",
    "units_of",
]
