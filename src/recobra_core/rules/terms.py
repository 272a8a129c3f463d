"""Checked form of a rule: small frozen nodes that the compiler, the words and the builder read."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from typing import Literal as OneOf

from recobra_core.rules.catalogue import Column, ColumnType

Value = int | Decimal | str | bool | date
CompareOp = OneOf["=", "<>", "<", "<=", ">", ">="]
ArithmeticOp = OneOf["+", "-", "*"]


@dataclass(frozen=True, slots=True)
class Ref:
    """A use of a column. `at`, here and in the other terms, is its place in the text; equal terms may differ in it."""

    column: Column
    at: int = field(default=0, compare=False)

    @property
    def type(self) -> ColumnType:
        return self.column.type


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value written in the rule. Dates are already dates; numbers are exact."""

    value: Value
    type: ColumnType
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of one of the allowed functions."""

    function: str
    arguments: tuple["Term", ...]
    type: ColumnType
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A sum, a difference or a product of two terms."""

    op: ArithmeticOp
    left: "Term"
    right: "Term"
    type: ColumnType
    at: int = field(default=0, compare=False)


Term = Ref | Fixed | Call | Arithmetic


@dataclass(frozen=True, slots=True)
class Compare:
    """Two terms of one type, compared."""

    op: CompareOp
    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class Between:
    """A term from `low` to `high`, both included."""

    term: Term
    low: Term
    high: Term


@dataclass(frozen=True, slots=True)
class In:
    """A term equal to one of the options."""

    term: Term
    options: tuple[Fixed, ...]


@dataclass(frozen=True, slots=True)
class IsNull:
    """A term whose value is unknown."""

    term: Term


@dataclass(frozen=True, slots=True)
class Like:
    """A text that fits a pattern of SQL: `%` is any text, `_` any one letter."""

    term: Term
    pattern: str
    ignore_case: bool


@dataclass(frozen=True, slots=True)
class Truth:
    """A boolean column or value used as a condition by itself."""

    term: Term


@dataclass(frozen=True, slots=True)
class Not:
    """A condition that does not hold."""

    of: "Condition"


@dataclass(frozen=True, slots=True)
class Every:
    """Conditions joined by `and`."""

    of: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Conditions joined by `or`."""

    of: tuple["Condition", ...]


Condition = Compare | Between | In | IsNull | Like | Truth | Not | Every | Some
Node = Term | Condition


def iter_refs(node: Node) -> Iterator[Ref]:
    """Yield every use of a column, in the order written."""
    if isinstance(node, Ref):
        yield node
        return
    for attribute in fields(node):
        value = getattr(node, attribute.name)
        children = value if isinstance(value, tuple) else (value,)
        for child in children:
            if isinstance(child, Node):
                yield from iter_refs(child)
