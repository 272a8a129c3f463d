"""Canonical text of a checked rule: reading it again gives the same rule."""

from datetime import date
from decimal import Decimal

from recobra_core.rules.terms import (
    Arithmetic,
    Between,
    Call,
    Compare,
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
    Value,
)


def write_condition(condition: Condition) -> str:
    """Return the condition as SQL: lower-case words, only the parentheses it needs."""
    match condition:
        case Every(of=parts):
            return " and ".join(_write_part(part, grouped=Some) for part in parts)
        case Some(of=parts):
            return " or ".join(_write_part(part, grouped=Every) for part in parts)
        case Not(of=Between() | In() | IsNull() | Like() as inner):
            return _write_simple(inner, word="not ")
        case Not(of=Truth() as inner):
            return f"not {write_condition(inner)}"
        case Not(of=inner):
            return f"not {_write_group(inner)}"
        case _:
            return _write_simple(condition, word="")


def _write_part(part: Condition, *, grouped: type[Every | Some]) -> str:
    """Return a part of `and` or `or`, in parentheses where it joins conditions by the other of the two."""
    return _write_group(part) if isinstance(part, grouped) else write_condition(part)


def _write_group(condition: Condition) -> str:
    return f"({write_condition(condition)})"


def _write_simple(condition: Condition, *, word: str) -> str:
    """Return a condition that holds no others. `word` is '' or `not `, set where SQL expects it."""
    match condition:
        case Compare(op=op, left=left, right=right):
            return f"{write_term(left)} {op} {write_term(right)}"
        case Between(term=term, low=low, high=high):
            return f"{write_term(term)} {word}between {write_term(low)} and {write_term(high)}"
        case In(term=term, options=options):
            listed = ", ".join(write_term(option) for option in options)
            return f"{write_term(term)} {word}in ({listed})"
        case IsNull(term=term):
            return f"{write_term(term)} is {word}null"
        case Like(term=term, pattern=pattern, ignore_case=ignore_case):
            operator = "ilike" if ignore_case else "like"
            return f"{write_term(term)} {word}{operator} {write_value(pattern)}"
        case Truth(term=term):
            return write_term(term)
        case _:
            raise AssertionError(condition)


def write_term(term: Term) -> str:
    """Return a term as SQL."""
    match term:
        case Ref(column=column):
            return column.name
        case Fixed(value=value):
            return write_value(value)
        case Call(function=function, arguments=arguments):
            return f"{function}({', '.join(write_term(argument) for argument in arguments)})"
        case Arithmetic(op=op, left=left, right=right):
            return f"{_write_operand(left)} {op} {_write_operand(right)}"


def _write_operand(term: Term) -> str:
    return f"({write_term(term)})" if isinstance(term, Arithmetic) else write_term(term)


def write_value(value: Value) -> str:
    """Return a written value as SQL."""
    # Before the numbers, for True is an int.
    if isinstance(value, bool):
        return "true" if value else "false"
    # A quote inside a text is written twice, as SQL has it.
    if isinstance(value, str | date):
        return "'" + str(value).replace("'", "''") + "'"
    return format(value, "f") if isinstance(value, Decimal) else str(value)
