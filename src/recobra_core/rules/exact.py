"""Exact numbers inside a rule: integers with a fixed number of decimals, never floating point for money.

An amount is counted in ten-thousandths of the major unit, which holds every ISO 4217 exponent (0 to 4). Sums
and comparisons bring both sides to the finer scale; products add the scales. Each term's largest value is bounded
before the rule is accepted, so that no 64-bit integer can overflow in the nightly run.
"""

from dataclasses import dataclass
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from recobra_core.money import AMOUNT_LIMIT
from recobra_core.rules.catalogue import EXPONENT_COLUMN, ColumnType
from recobra_core.rules.errors import RuleError
from recobra_core.rules.terms import Arithmetic, Call, Fixed, Ref, Term
from recobra_core.rules.text import write_term

MONEY_SCALE = 4
# Counters and attributes up to 10^10.
_MONEY_BOUND = AMOUNT_LIMIT * 10**MONEY_SCALE
_INTEGER_BOUND = 10**10
_LENGTH_BOUND = 10**6
# The largest 64-bit integer is a little above 9.2 * 10^18.
_INT64_BOUND = 9 * 10**18


@dataclass(frozen=True, slots=True)
class Size:
    """Decimals kept, and the largest absolute value of the scaled integer."""

    scale: int
    bound: int


_COLUMN_SIZES: dict[ColumnType, Size] = {
    "money": Size(MONEY_SCALE, _MONEY_BOUND),
    "integer": Size(0, _INTEGER_BOUND),
}


def size_of(term: Term) -> Size | None:
    """Return the size of an exact term; None where floating point takes part. Raises RuleError when too large."""
    match term:
        case Fixed(value=value):
            number = value if isinstance(value, Decimal) else Decimal(int(value))  # type: ignore[arg-type]
            places = max(-int(number.as_tuple().exponent), 0)
            return Size(places, abs(int(number * 10**places)))
        case Ref(column=column):
            return _COLUMN_SIZES.get(column.type)
        case Call(function="length"):
            return Size(0, _LENGTH_BOUND)
        case Call(arguments=arguments):
            return common_size(*arguments)
        case Arithmetic(op="*"):
            return _size_of_product(term)
        case Arithmetic():
            return _size_of_sum(term)


def common_size(*terms: Term) -> Size | None:
    """Return the size in which all the terms can stand side by side."""
    sizes = [size for term in terms if (size := size_of(term)) is not None]
    # One floating-point term makes all of them so.
    if len(sizes) < len(terms):
        return None
    scale = max(size.scale for size in sizes)
    bound = max(size.bound * 10 ** (scale - size.scale) for size in sizes)
    return _check_size(Size(scale, bound), terms[0])


def _size_of_sum(term: Arithmetic) -> Size | None:
    """Return the size of a sum or difference: at most twice the larger side. None as in `size_of`."""
    size = common_size(term.left, term.right)
    if size is None:
        return None
    return _check_size(Size(size.scale, 2 * size.bound), term)


def _size_of_product(term: Arithmetic) -> Size | None:
    """Return the size of a product, None where either side is floating point."""
    left = size_of(term.left)
    right = size_of(term.right)
    if left is None or right is None:
        return None
    return _check_size(Size(left.scale + right.scale, left.bound * right.bound), term)


def _check_size(size: Size, term: Term) -> Size:
    """Return the size. Raises RuleError, at the term, where it would not fit 64 bits."""
    if size.bound > _INT64_BOUND:
        raise RuleError("too_large", position=term.at, found=write_term(term))
    return size


def scale_amount(table: ir.Table, stored_as: str) -> ir.IntegerValue:
    """Return an amount column in ten-thousandths of the major unit. An exponent outside 0 to 4 gives null."""
    # One expression for all currencies: a rule is compiled once for portfolios of several.
    exponent = table[EXPONENT_COLUMN]
    factors = [(exponent == digits, 10 ** (MONEY_SCALE - digits)) for digits in range(MONEY_SCALE + 1)]
    return table[stored_as].cast("int64") * ibis.cases(*factors).cast("int64")
