"""Rule builder of the screen: rows of column, operator and value joined by AND, there and back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from recobra_core.rules.catalogue import Catalogue, Column
from recobra_core.rules.errors import RuleError
from recobra_core.rules.reader import OPTIONS_MAX
from recobra_core.rules.rule import Rule, Unknown
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
_ABOUT_UNKNOWN = frozenset({"is null", "is not null"})


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the builder. `values` are texts as typed: none, one, two for between, or several for in."""

    column: str
    operator: str
    values: tuple[str, ...] = ()


def to_builder(rule: Rule) -> list[Row] | None:
    """Return the rule as rows joined by AND, or None when it says more than rows can.

    That a column is known is no row of its own where another row speaks of it: `from_builder` says so by itself.
    """
    # A rule of one condition is one row; only AND joins several.
    parts = rule.root.of if isinstance(rule.root, Every) else (rule.root,)
    rows = [_to_row(part) for part in parts]
    complete = [row for row in rows if row is not None]
    if len(complete) != len(rows):
        return None
    compared = {row.column for row in complete if row.operator not in _ABOUT_UNKNOWN}
    # Where the unknown is to match, to leave it out is what the rule says.
    is_implied = rule.unknown != "yes"
    return [row for row in complete if not (is_implied and row.operator == "is not null" and row.column in compared)]


def from_builder(rows: Iterable[Row], catalogue: Catalogue, *, unknown: Unknown = "refuse") -> str:
    """Return the text the rows say, still to be compiled. Raises RuleError for a row that does not fit.

    Where the rule itself must say what the unknown means, an account of which a row's column is unknown is left out.
    """
    rows = list(rows)
    if len(rows) > ROWS_MAX:
        raise RuleError("too_long", found=str(len(rows)), expected=str(ROWS_MAX))
    if not rows:
        raise RuleError("empty")
    texts = []
    guarded = {row.column for row in rows if row.operator in _ABOUT_UNKNOWN}
    for row in rows:
        text = _to_text(row, catalogue)
        if unknown == "refuse" and catalogue[row.column].nullable and row.column not in guarded:
            guarded.add(row.column)
            texts.append(f"{row.column} is not null")
        texts.append(text)
    return " and ".join(texts)


def _to_row(condition: Condition) -> Row | None:  # noqa: PLR0911 - one return per shape of row
    """Return a condition as a row, or None where it says more than a row can."""
    match condition:
        case Not(of=Between() | In() | Like() as inner):
            row = _to_row(inner)
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
            return _to_value_row(left, op, (right,))
        case Between(term=term, low=low, high=high):
            return _to_value_row(term, "between", (low, high))
        case In(term=term, options=options):
            return _to_value_row(term, "in", options)
        case _:
            return None


def _to_value_row(term: Term, operator: str, values: tuple[Term, ...]) -> Row | None:
    """Return a row of a column beside written values, or None where either side is anything else."""
    fixed = [value.value for value in values if isinstance(value, Fixed)]
    if not isinstance(term, Ref) or len(fixed) != len(values):
        return None
    return Row(term.column.name, operator, tuple(_as_typed(value) for value in fixed))


def _as_typed(value: Value) -> str:
    """Return a value as a person types it in a field: without quotes."""
    return value if isinstance(value, str) else write_value(value).strip("'")


def _to_text(row: Row, catalogue: Catalogue) -> str:
    """Return a row as text of the rule language. Raises RuleError where it does not fit its column."""
    column = catalogue.get(row.column)
    if column is None:
        raise RuleError("unknown_column", found=row.column, nearest=catalogue.nearest(row.column))
    if row.operator not in OPERATORS:
        raise RuleError("not_allowed", found=row.operator)
    values = []
    for typed in row.values:
        try:
            values.append(write_value(_parse_value(typed, column)))
        except (ValueError, InvalidOperation) as error:
            raise RuleError("bad_row", found=typed, expected=column.name) from error
    if not _fits_operator(len(values), row.operator):
        raise RuleError("bad_row", found=", ".join(row.values), expected=column.name)
    if row.operator == "is true":
        return column.name
    if row.operator == "is false":
        return f"not {column.name}"
    if row.operator in {"between", "not between"}:
        low, high = values
        return f"{column.name} {row.operator} {low} and {high}"
    if row.operator in {"in", "not in"}:
        return f"{column.name} {row.operator} ({', '.join(values)})"
    return " ".join([column.name, row.operator, *values])


def _fits_operator(count: int, operator: str) -> bool:
    """Tell if an operator can take so many values."""
    if operator.startswith("is "):
        return count == 0
    if operator in {"between", "not between"}:
        return count == 2
    if operator in {"in", "not in"}:
        return 1 <= count <= OPTIONS_MAX
    return count == 1


def _parse_value(text: str, column: Column) -> Value:
    """Return what was typed as a value of the column's type. Raises ValueError or InvalidOperation."""
    if column.type in {"integer", "money", "number"}:
        number = Decimal(text.strip())
        if not number.is_finite():
            raise ValueError(text)
        return number
    if column.type == "date":
        return date.fromisoformat(text.strip())
    if column.type == "boolean":
        if text not in {"true", "false"}:
            raise ValueError(text)
        return text == "true"
    return text
