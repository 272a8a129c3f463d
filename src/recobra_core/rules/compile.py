"""Compiler from the checked form to an Ibis expression, the same on DuckDB and on Spark."""

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir

from recobra_core.rules.exact import common_size, scale_amount, size_of
from recobra_core.rules.terms import (
    Arithmetic,
    ArithmeticOp,
    Between,
    Call,
    Compare,
    CompareOp,
    Condition,
    Every,
    Fixed,
    In,
    IsNull,
    Like,
    Not,
    Ref,
    Some,
    Term,
    Truth,
)

# Compiled values are typed Any: ibis types a column of a table without arithmetic and comparison.
_NUMERIC = {"integer", "number", "money"}
_OPERATORS: dict[CompareOp, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: dict[ArithmeticOp, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


def check_sizes(condition: Condition) -> None:
    """Raise RuleError where a number could overflow; compiling later cannot fail on it."""
    match condition:
        case Every(of=parts) | Some(of=parts):
            for part in parts:
                check_sizes(part)
        case Not(of=inner):
            check_sizes(inner)
        case Compare() | Between() | In():
            terms = _terms_of(condition)
            if terms[0].type in _NUMERIC:
                common_size(*terms)
        case IsNull(term=term) | Truth(term=term) | Like(term=term):
            if term.type in _NUMERIC:
                size_of(term)


def compile_condition(condition: Condition, table: ir.Table) -> ir.BooleanValue:  # noqa: PLR0911 - one per node
    """Return the condition over one table. It can still be null: the rule says what that means."""
    match condition:
        case Every(of=parts):
            return ibis.and_(*(compile_condition(part, table) for part in parts))
        case Some(of=parts):
            return ibis.or_(*(compile_condition(part, table) for part in parts))
        case Not(of=inner):
            return ~compile_condition(inner, table)
        case Compare(op=op):
            left, right = _align_terms(_terms_of(condition), table)
            return _OPERATORS[op](left, right)
        case Between():
            term, low, high = _align_terms(_terms_of(condition), table)
            return (term >= low) & (term <= high)
        case In():
            value, *options = _align_terms(_terms_of(condition), table)
            return value.isin(options)
        case _:
            return _compile_unary(condition, table)


def _compile_unary(condition: Condition, table: ir.Table) -> ir.BooleanValue:
    """Return a condition that looks at one term only."""
    match condition:
        case IsNull(term=term):
            return _compile_term(term, table).isnull()
        case Like(term=term, pattern=pattern, ignore_case=True):
            return _compile_term(term, table).lower().like(pattern.lower())
        case Like(term=term, pattern=pattern):
            return _compile_term(term, table).like(pattern)
        case Truth(term=term):
            return _compile_term(term, table)
        case _:
            raise AssertionError(condition)


def _terms_of(condition: Compare | Between | In) -> tuple[Term, ...]:
    """Return the terms that a condition compares, beginning with the one it tests."""
    match condition:
        case Compare(left=left, right=right):
            return (left, right)
        case Between(term=term, low=low, high=high):
            return (term, low, high)
        case In(term=term, options=options):
            return (term, *options)


def _align_terms(terms: tuple[Term, ...], table: ir.Table) -> list[Any]:
    """Return values that can be compared: exact numbers on one scale, or floating point where a column is."""
    if terms[0].type not in _NUMERIC:
        return [_compile_term(term, table) for term in terms]
    size = common_size(*terms)
    # Where one is floating point all are compared as such.
    if size is None:
        return [_compile_float(term, table) for term in terms]
    return [_compile_exact(term, table, size.scale) for term in terms]


def _compile_term(term: Term, table: ir.Table) -> Any:
    """Return a term by itself: a number exact where it can be, any other value as it is stored."""
    if term.type in _NUMERIC:
        size = size_of(term)
        return _compile_float(term, table) if size is None else _compile_exact(term, table, size.scale)
    match term:
        case Ref(column=column):
            return table[column.stored_as]
        case Fixed(value=value):
            return ibis.literal(value)
        case Call(function=function, arguments=arguments):
            return _call_function(function, [_compile_term(argument, table) for argument in arguments])
        case _:
            raise AssertionError(term)


def _compile_exact(term: Term, table: ir.Table, scale: int) -> Any:
    """Return a number as a 64-bit integer with `scale` decimals, at least those the term has."""
    size = size_of(term)
    assert size is not None
    assert scale >= size.scale
    if isinstance(term, Fixed):
        assert isinstance(term.value, int | Decimal)
        return ibis.literal(int(term.value * 10**scale), "int64")
    raise_by = 10 ** (scale - size.scale)
    value = _compile_exact_value(term, table, size.scale)
    if raise_by == 1:
        return value
    return value * ibis.literal(raise_by, "int64")


def _compile_exact_value(term: Term, table: ir.Table, scale: int) -> Any:
    """Return an exact term, other than a written number, with the decimals of its own size."""
    match term:
        case Ref(column=column) if column.type == "money":
            return scale_amount(table, column.stored_as)
        case Ref(column=column):
            return table[column.stored_as].cast("int64")
        case Call(function="length", arguments=(argument,)):
            return _compile_term(argument, table).length().cast("int64")
        case Call(function=function, arguments=arguments):
            return _call_function(function, [_compile_exact(argument, table, scale) for argument in arguments])
        case Arithmetic(op="*", left=left, right=right):
            return _compile_term(left, table) * _compile_term(right, table)
        case Arithmetic(op=op, left=left, right=right):
            return _combine(op, _compile_exact(left, table, scale), _compile_exact(right, table, scale))
        case _:
            raise AssertionError(term)


def _compile_float(term: Term, table: ir.Table) -> Any:
    """Return a number as floating point, only where a column of type number takes part; never money alone."""
    size = size_of(term)
    if size is not None:
        return _compile_exact(term, table, size.scale).cast("float64") / float(10**size.scale)
    match term:
        case Ref(column=column):
            return table[column.stored_as].cast("float64")
        case Call(function=function, arguments=arguments):
            return _call_function(function, [_compile_float(argument, table) for argument in arguments])
        case Arithmetic(op=op, left=left, right=right):
            return _combine(op, _compile_float(left, table), _compile_float(right, table))
        case _:
            raise AssertionError(term)


def _combine(op: ArithmeticOp, left: Any, right: Any) -> Any:
    """Return a sum, difference or product of two compiled numbers."""
    return _ARITHMETIC[op](left, right)


def _call_function(function: str, values: list[Any]) -> Any:
    """Return a function of the rule language over compiled values, which have one scale."""
    if function == "coalesce":
        return ibis.coalesce(*values)
    if function in {"least", "greatest"}:
        # Both engines skip nulls here; a rule must not take a missing amount for the other one.
        is_missing = ibis.or_(*(value.isnull() for value in values))
        result = ibis.least(*values) if function == "least" else ibis.greatest(*values)
        return ibis.ifelse(is_missing, ibis.null(result.type()), result)
    assert len(values) == 1
    return getattr(values[0], function)()
