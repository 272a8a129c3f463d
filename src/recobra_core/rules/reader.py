"""Reader from a sqlglot tree to the checked form: every name, type and value is looked up, all else is refused."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

from sqlglot import exp

from recobra_core.rules.catalogue import Catalogue, ColumnType
from recobra_core.rules.errors import RuleError
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
from recobra_core.rules.types import common_type, product_type

DECIMALS_MAX = 4
NUMBER_DIGITS_MAX = 12
OPTIONS_MAX = 200
# Each level is some calls of the reader, the compiler and the writer: hundreds of them would end the process.
LEVELS_MAX = 60

_COMPARISONS: dict[type[exp.Expr], CompareOp] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_ARITHMETIC: dict[type[exp.Expr], ArithmeticOp] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}
_ARGUMENTS_READ = {"this", "expression", "expressions", "low", "high", "negate", "is_string", "alias", "ignore_nulls"}
_FUNCTIONS: dict[type[exp.Expr], str] = {
    exp.Abs: "abs",
    exp.Coalesce: "coalesce",
    exp.Greatest: "greatest",
    exp.Least: "least",
    exp.Length: "length",
    exp.Lower: "lower",
    exp.Upper: "upper",
}


def read_condition(tree: exp.Expr, catalogue: Catalogue) -> Condition:
    """Return the checked condition. Raises RuleError naming the place."""
    _refuse_deep(tree)
    # What changes a known node's meaning, such as `between symmetric`, is refused: nothing is read and then ignored.
    for node in tree.walk():
        if any(value and name not in _ARGUMENTS_READ for name, value in node.args.items()):
            raise RuleError("not_allowed", position=position_of(node), found=_to_sql(node))
    return _Reader(catalogue).read_condition(tree)


def _refuse_deep(tree: exp.Expr) -> None:
    """Refuse calculations and comparisons inside each other beyond LEVELS_MAX, such as a sum of hundreds of terms."""
    waiting = [(tree, 0)]
    while waiting:
        node, level = waiting.pop()
        # `a or b or c` is one level, however long: it is read as one group.
        if not isinstance(node, exp.And | exp.Or):
            level += 1
        if level > LEVELS_MAX:
            raise RuleError("too_deep", position=position_of(node), expected=str(LEVELS_MAX))
        waiting += [(child, level) for child in node.iter_expressions()]


def position_of(node: exp.Expr) -> int:
    """Return where the node starts in the text: the first position any of its words carries."""
    return min((part.meta["start"] for part in node.walk() if "start" in part.meta), default=0)


class _Reader:
    """Reads nodes against a catalogue. Every method raises RuleError."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def read_condition(self, node: exp.Expr) -> Condition:
        """Read a condition of any kind."""
        if isinstance(node, exp.Paren):
            return self.read_condition(node.this)
        if isinstance(node, exp.And | exp.Or):
            return self.read_group(node, Every if isinstance(node, exp.And) else Some)
        if isinstance(node, exp.Not):
            return Not(self.read_condition(node.this))
        if type(node) in _COMPARISONS:
            return self.read_comparison(node, _COMPARISONS[type(node)])
        readers: dict[type[exp.Expr], Callable[[exp.Expr], Condition]] = {
            exp.Between: self.read_between,
            exp.In: self.read_in,
            exp.Is: self.read_is_null,
            exp.Like: self.read_like,
            exp.ILike: self.read_like,
        }
        if type(node) in readers:
            return readers[type(node)](node)
        if isinstance(node, exp.Alias):
            alias = node.args["alias"]
            raise RuleError("syntax", position=position_of(alias), found=alias.name)
        return self.read_truth(node)

    def read_group(self, node: exp.And | exp.Or, kind: type[Every | Some]) -> Condition:
        """Read conditions joined by `and` (Every) or by `or` (Some)."""
        parts: list[Condition] = []
        for written in node.flatten():
            part = self.read_condition(written)
            # `a and (b and c)` is `a and b and c`: one rule has one canonical form.
            if isinstance(part, kind):
                parts += part.of
            else:
                parts.append(part)
        return kind(tuple(parts))

    def read_truth(self, node: exp.Expr) -> Condition:
        """Read a boolean column or value that stands as a condition by itself."""
        term = self.read_term(node)
        if term.type != "boolean":
            raise RuleError("not_condition", position=position_of(node), found=node.sql())
        return Truth(term)

    def read_comparison(self, node: exp.Expr, op: CompareOp) -> Condition:
        """Read a comparison; truth values are only equal or not."""
        left, right = self.read_pair(node, node.this, node.expression)
        if left.type == "boolean" and op not in {"=", "<>"}:
            raise _type_error(node, left.type)
        return Compare(op, left, right)

    def read_between(self, node: exp.Expr) -> Condition:
        """Read `between`, whose range must not be empty where both ends are written values."""
        term, low = self.read_pair(node, node.this, node.args["low"])
        _, high = self.read_pair(node, node.this, node.args["high"])
        if term.type == "boolean":
            raise _type_error(node, term.type)
        if isinstance(low, Fixed) and isinstance(high, Fixed) and low.value > high.value:  # type: ignore[operator]
            raise RuleError(
                "empty_range",
                position=position_of(node.args["low"]),
                found=f"{low.value} – {high.value}",
                expected=f"between {high.value} and {low.value}",
            )
        return Between(term, low, high)

    def read_in(self, node: exp.Expr) -> Condition:
        """Read `in` over a list of written values."""
        written = node.args.get("expressions") or []
        if not written or len(written) > OPTIONS_MAX:
            raise RuleError("not_allowed", position=position_of(node), found=node.sql())
        options: list[Fixed] = []
        for part in written:
            # The term is read beside each option, and is the same term each time.
            term, option = self.read_pair(node, node.this, part)
            if isinstance(option, Fixed):
                options.append(option)
        if len(options) < len(written):
            raise RuleError("literal_expected", position=position_of(written[0]), found=written[0].sql())
        return In(term, tuple(options))

    def read_is_null(self, node: exp.Expr) -> Condition:
        """Read `is null`; any other `is` is refused."""
        if not isinstance(node.expression, exp.Null):
            raise RuleError("not_allowed", position=position_of(node), found=node.sql())
        return IsNull(self.read_term(node.this))

    def read_like(self, node: exp.Expr) -> Condition:
        """Read `like` or `ilike` of a text and a written pattern."""
        term = self.read_term(node.this)
        pattern = node.expression
        if term.type != "text":
            raise _type_error(node, term.type)
        if not (isinstance(pattern, exp.Literal) and pattern.is_string):
            raise RuleError("literal_expected", position=position_of(pattern), found=pattern.sql())
        if "\\" in pattern.name:
            # Spark reads it as an escape and DuckDB does not.
            raise RuleError("bad_pattern", position=position_of(pattern), found=pattern.name)
        condition = Like(term, pattern.name, ignore_case=isinstance(node, exp.ILike))
        return Not(condition) if node.args.get("negate") else condition

    def read_pair(self, node: exp.Expr, left: exp.Expr, right: exp.Expr) -> tuple[Term, Term]:
        """Return two terms that can be compared; a text beside a date is read as a date."""
        first = self.read_term(left)
        second = self.read_term(right)
        # At most one of the two changes: a written text becomes a date only beside a date.
        dated_first = _as_date(first, second.type)
        dated_second = _as_date(second, first.type)
        if common_type((dated_first, dated_second)) is None:
            raise _type_error(node, dated_first.type)
        # Either side may be the column: 'LOAN' = product is read too.
        _check_value(dated_first, dated_second)
        _check_value(dated_second, dated_first)
        return dated_first, dated_second

    def read_term(self, node: exp.Expr) -> Term:  # noqa: PLR0911 - one return per kind of node
        """Read a value: a column, a written value, a calculation or a call."""
        if isinstance(node, exp.Paren):
            return self.read_term(node.this)
        if isinstance(node, exp.Column):
            return self.read_ref(node)
        if isinstance(node, exp.Literal):
            return _read_literal(node)
        if isinstance(node, exp.Boolean):
            return Fixed(bool(node.this), "boolean", position_of(node))
        if isinstance(node, exp.Neg):
            return self.read_negative(node)
        if type(node) in _ARITHMETIC:
            return self.read_arithmetic(node, _ARITHMETIC[type(node)])
        if type(node) in _FUNCTIONS:
            return self.read_call(node, _FUNCTIONS[type(node)])
        if isinstance(node, exp.Null):
            raise RuleError("null_compare", position=position_of(node.parent or node), found="null")
        if isinstance(node, exp.Predicate | exp.Connector | exp.Not):
            raise RuleError("not_value", position=position_of(node), found=node.sql())
        raise RuleError("not_allowed", position=position_of(node), found=_to_sql(node))

    def read_ref(self, node: exp.Column) -> Ref:
        """Read the name of a column, in capitals or not."""
        column = self.catalogue.get(node.name.lower())
        if column is None or len(node.parts) > 1:
            raise RuleError(
                "unknown_column",
                position=position_of(node),
                found=node.name,
                nearest=self.catalogue.nearest(node.name),
            )
        return Ref(column, position_of(node))

    def read_negative(self, node: exp.Expr) -> Term:
        """Read a minus sign: of a written number a negative one, of any other term zero less that term."""
        term = self.read_term(node.this)
        if isinstance(term, Fixed) and isinstance(term.value, int | Decimal) and term.type != "boolean":
            return Fixed(-term.value, term.type, term.at)
        kind = common_type((Fixed(0, "integer"), term))
        if kind is None:
            raise _type_error(node, term.type)
        return Arithmetic("-", Fixed(0, "integer", term.at), term, kind, position_of(node))

    def read_arithmetic(self, node: exp.Expr, op: ArithmeticOp) -> Term:
        """Read a sum, a difference or a product of numbers or amounts."""
        left = self.read_term(node.this)
        right = self.read_term(node.expression)
        kind = product_type(left, right) if op == "*" else common_type((left, right))
        if kind not in {"integer", "number", "money"}:
            raise _type_error(node, left.type)
        return Arithmetic(op, left, right, kind, position_of(node))

    def read_call(self, node: exp.Expr, function: str) -> Term:
        """Read a call of one of the allowed functions."""
        written = [part for part in (node.this, *(node.args.get("expressions") or [])) if part is not None]
        terms = tuple(self.read_term(part) for part in written)
        kind = _type_of_call(function, terms)
        if kind is None:
            raise RuleError(
                "wrong_arguments",
                position=position_of(node),
                found=function,
                expected=_EXPECTED_ARGUMENTS[function],
            )
        if kind == "date":
            terms = tuple(_as_date(term, "date") for term in terms)
        return Call(function, terms, kind, position_of(node))


_EXPECTED_ARGUMENTS = {
    "abs": "abs(1)",
    "coalesce": "coalesce(a, b)",
    "greatest": "greatest(1, 2)",
    "least": "least(1, 2)",
    "length": "length('a')",
    "lower": "lower('a')",
    "upper": "upper('a')",
}


def _type_of_call(function: str, terms: tuple[Term, ...]) -> ColumnType | None:
    """Return the type that a function returns, or None where its arguments do not fit."""
    if function in {"lower", "upper", "length"}:
        if len(terms) != 1 or terms[0].type != "text":
            return None
        return "integer" if function == "length" else "text"
    if function == "abs":
        fits = len(terms) == 1 and terms[0].type in {"integer", "number", "money"}
        return terms[0].type if fits else None
    if len(terms) < 2:
        return None
    # A text beside a date is one: coalesce(next_due_date, '2026-01-01').
    if any(term.type == "date" for term in terms):
        terms = tuple(_as_date(term, "date") for term in terms)
    kind = common_type(terms)
    # The greatest of two truth values means nothing.
    if kind == "boolean" and function != "coalesce":
        return None
    return kind


def _read_literal(node: exp.Expr) -> Fixed:
    """Return a written text or number; a number without decimals is an integer."""
    if node.is_string:
        return Fixed(node.name, "text", position_of(node))
    try:
        value = Decimal(node.name)
    except InvalidOperation as error:
        raise RuleError("bad_number", position=position_of(node), found=node.name) from error
    if value.adjusted() > NUMBER_DIGITS_MAX or int(value.as_tuple().exponent) < -DECIMALS_MAX:
        raise RuleError("bad_number", position=position_of(node), found=node.name)
    if value == value.to_integral_value():
        return Fixed(int(value), "integer", position_of(node))
    return Fixed(value.normalize(), "number", position_of(node))


def _as_date(term: Term, other: ColumnType) -> Term:
    """Return a written text as a date where the `other` side is one, and any other term unchanged."""
    if other != "date" or not isinstance(term, Fixed) or not isinstance(term.value, str):
        return term
    try:
        written = date.fromisoformat(term.value)
    except ValueError as error:
        raise RuleError("bad_date", position=term.at, found=term.value) from error
    # Python reads 20260131 and weeks too; engines do not.
    if written.isoformat() != term.value:
        raise RuleError("bad_date", position=term.at, found=term.value)
    return Fixed(written, "date", term.at)


def _check_value(term: Term, fixed: Term) -> None:
    """Refuse a written value that is not among those the column can hold."""
    if not (isinstance(term, Ref) and isinstance(fixed, Fixed) and term.column.values):
        return
    if fixed.value not in term.column.values:
        found = str(fixed.value)
        by_case = {value.lower(): value for value in term.column.values}
        close = get_close_matches(found.lower(), by_case, n=1)
        raise RuleError(
            "unknown_value",
            position=fixed.at,
            found=found,
            nearest=by_case[close[0]] if close else None,
            expected=", ".join(term.column.values),
        )


_EXAMPLES: dict[ColumnType, str] = {
    "integer": "31",
    "number": "0.25",
    "money": "1000.50",
    "text": "'LOAN'",
    "date": "'2026-12-31'",
    "boolean": "true",
}


def _type_error(node: exp.Expr, kind: ColumnType) -> RuleError:
    """Return the error for two sides that do not fit, with an example of what would."""
    return RuleError("wrong_type", position=position_of(node), found=_to_sql(node), expected=_EXAMPLES[kind])


def _to_sql(node: exp.Expr) -> str:
    return node.sql(comments=False)
