"""The rule builder of the screen: rows of column, operator and value joined by AND, there and back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from recobra_core.rules.catalogue import Catalogue, Column
from recobra_core.rules.errors import RuleError
from recobra_core.rules.rule import Rule
from recobra_core.rules.terms import (
    Between,
    Compare,
    Condition,
    Every,
    Fixed,
    In,
    IsNull,
    Like,
    Not,
    Ref,
    Term,
    Truth,
    Value,
)
from recobra_core.rules.text import write_value

OPERATORS = (
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "between",
    "not between",
    "in",
    "not in",
    "is null",
    "is not null",
    "like",
    "not like",
    "ilike",
    "not ilike",
    "is true",
    "is false",
)
ROWS_MAX = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the builder. `values` are texts as typed: none, one, two for between, or several for in."""

    column: str
    operator: str
    values: tuple[str, ...] = ()


def to_builder(rule: Rule) -> list[Row] | None:
    """The rule as rows joined by AND, or None when it says more than rows can."""
    parts = rule.root.of if isinstance(rule.root, Every) else (rule.root,)
    rows = [_row(part) for part in parts]
    complete = [row for row in rows if row is not None]
    return complete if len(complete) == len(rows) else None


def from_builder(rows: Iterable[Row], catalogue: Catalogue) -> str:
    """The text the rows say, still to be compiled. Raises RuleError for a row that does not fit."""
    listed = list(rows)
    if len(listed) > ROWS_MAX:
        raise RuleError("too_long", found=str(len(listed)), expected=str(ROWS_MAX))
    if not listed:
        raise RuleError("empty")
    return " and ".join(_written(row, catalogue) for row in listed)


def _row(condition: Condition) -> Row | None:  # noqa: PLR0911 - one return per shape of row
    match condition:
        case Not(of=Between() | In() | Like() as inner):
            row = _row(inner)
            return row and Row(row.column, f"not {row.operator}", row.values)
        case Not(of=IsNull(term=Ref(column=column))):
            return Row(column.name, "is not null")
        case Not(of=Truth(term=Ref(column=column))):
            return Row(column.name, "is false")
        case Truth(term=Ref(column=column)):
            return Row(column.name, "is true")
        case IsNull(term=Ref(column=column)):
            return Row(column.name, "is null")
        case Like(term=Ref(column=column), pattern=pattern, ignore_case=ignore_case):
            return Row(column.name, "ilike" if ignore_case else "like", (pattern,))
        case Compare(op=op, left=left, right=right):
            return _valued(left, op, (right,))
        case Between(term=term, low=low, high=high):
            return _valued(term, "between", (low, high))
        case In(term=term, options=options):
            return _valued(term, "in", options)
        case _:
            return None


def _valued(term: Term, operator: str, values: tuple[Term, ...]) -> Row | None:
    fixed = tuple(_typed(value.value) for value in values if isinstance(value, Fixed))
    if not isinstance(term, Ref) or len(fixed) != len(values):
        return None
    return Row(term.column.name, operator, fixed)


def _typed(value: Value) -> str:
    """The value as a person types it in a field: without quotes."""
    return value if isinstance(value, str) else write_value(value).strip("'")


def _written(row: Row, catalogue: Catalogue) -> str:
    column = catalogue.get(row.column)
    if column is None:
        raise RuleError("unknown_column", found=row.column, nearest=catalogue.nearest(row.column))
    if row.operator not in OPERATORS:
        raise RuleError("not_allowed", found=row.operator)
    values = [_quoted(value, column) for value in row.values]
    counts = {"is": (0, 0), "between": (2, 2), "in": (1, 200)}
    least, most = counts.get(row.operator.split()[0 if row.operator.startswith("is") else -1], (1, 1))
    if not least <= len(values) <= most:
        raise RuleError("bad_row", found=", ".join(row.values), expected=column.name)
    return _joined(column.name, row.operator, values)


def _joined(name: str, operator: str, values: list[str]) -> str:
    if operator == "is true":
        return name
    if operator == "is false":
        return f"not {name}"
    if operator.endswith("between"):
        return f"{name} {operator} {values[0]} and {values[1]}"
    if operator.rsplit(maxsplit=1)[-1] == "in":
        return f"{name} {operator} ({', '.join(values)})"
    return " ".join([name, operator, *values])


def _quoted(value: str, column: Column) -> str:
    try:
        return write_value(_value(value, column))
    except (ValueError, InvalidOperation) as error:
        raise RuleError("bad_row", found=value, expected=column.name) from error


def _value(value: str, column: Column) -> Value:
    if column.type in {"integer", "money", "number"}:
        number = Decimal(value.strip())
        if not number.is_finite():
            raise ValueError(value)
        return number
    if column.type == "date":
        return date.fromisoformat(value.strip())
    if column.type == "boolean":
        return {"true": True, "false": False}[value] if value in {"true", "false"} else _refuse(value)
    return value


def _refuse(value: str) -> bool:
    raise ValueError(value)
