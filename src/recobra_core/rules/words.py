"""Sentences of rules, in Spanish or English."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from recobra_core.rules.account_columns import VALUE_LABELS
from recobra_core.rules.errors import Language
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

_WORDS: dict[str, tuple[str, str]] = {
    "=": ("{0} equal to {1}", "{0} igual a {1}"),
    "<>": ("{0} other than {1}", "{0} distinto de {1}"),
    "<": ("{0} less than {1}", "{0} menor que {1}"),
    "<=": ("{0} at most {1}", "{0} hasta {1}"),
    ">": ("{0} more than {1}", "{0} mayor que {1}"),
    ">=": ("{0} at least {1}", "{0} desde {1}"),
    "between": ("{0} between {1} and {2}", "{0} entre {1} y {2}"),
    "not between": ("{0} outside {1} to {2}", "{0} fuera de {1} a {2}"),
    "in": ("{0} one of: {1}", "{0} entre estos: {1}"),
    "not in": ("{0} none of: {1}", "{0} ninguno de estos: {1}"),
    "null": ("{0} unknown", "{0} sin dato"),
    "not null": ("{0} known", "{0} con dato"),
    "like": ("{0} like “{1}”", "{0} con la forma «{1}»"),
    "starts": ("{0} beginning with “{1}”", "{0} que empieza con «{1}»"),
    "ends": ("{0} ending with “{1}”", "{0} que termina con «{1}»"),
    "contains": ("{0} containing “{1}”", "{0} que contiene «{1}»"),
    "and": (" and ", " y "),
    "or": (" or ", " o "),
    "not": ("not ({0})", "no se cumple ({0})"),
    "not true": ("not: {0}", "no {0}"),
    "abs": ("{0} without sign", "{0} sin signo"),
    "length": ("length of {0}", "largo de {0}"),
    "lower": ("{0} in lower case", "{0} en minúsculas"),
    "upper": ("{0} in upper case", "{0} en mayúsculas"),
    "coalesce": ("{0} (if unknown, {1})", "{0} (si no hay dato, {1})"),
    "least": ("the least of {0}", "el menor de {0}"),
    "greatest": ("the greatest of {0}", "el mayor de {0}"),
    "true": ("yes", "sí"),
    "false": ("no", "no"),
}


def describe_condition(condition: Condition, *, lang: Language) -> str:
    """Return the condition as a sentence, with the labels of its columns."""
    return _Writer(lang).describe(condition)


class _Writer:
    """Writes conditions in one language."""

    def __init__(self, lang: Language) -> None:
        self.lang = lang

    def fill(self, key: str, *parts: str) -> str:
        """Return the words of a key with the parts in their places."""
        en, es = _WORDS[key]
        pattern = es if self.lang == "es" else en
        return pattern.format(*parts)

    def describe(self, condition: Condition) -> str:
        """Return a condition in words."""
        match condition:
            case Every(of=parts):
                return self.fill("and").join(self.describe_group(part) for part in parts)
            case Some(of=parts):
                return self.fill("or").join(self.describe_group(part) for part in parts)
            case Not(of=Between() | In() | IsNull() as inner):
                return self.describe_simple(inner, "not ")
            case Not(of=Truth(term=term)):
                return self.fill("not true", self.describe_term(term))
            case Not(of=inner):
                return self.fill("not", self.describe(inner))
            case _:
                return self.describe_simple(condition, "")

    def describe_group(self, condition: Condition) -> str:
        """Return a condition in words, in parentheses where it joins several."""
        words = self.describe(condition)
        return f"({words})" if isinstance(condition, Every | Some) else words

    def describe_simple(self, condition: Condition, word: str) -> str:
        """Return a condition that holds no others; `word` is '' or `not `, part of the key of its words."""
        match condition:
            case Compare(op=op, left=left, right=right):
                return self.fill(op, self.describe_term(left), self.describe_term(right))
            case Between(term=term, low=low, high=high):
                words = [self.describe_term(part) for part in (term, low, high)]
                return self.fill(word + "between", *words)
            case In(term=term, options=options):
                listed = self.list_terms(options)
                return self.fill(word + "in", self.describe_term(term), listed)
            case IsNull(term=term):
                return self.fill(word + "null", self.describe_term(term))
            case Like():
                return self.describe_like(condition)
            case Truth(term=term):
                return self.describe_term(term)
            case _:
                raise AssertionError(condition)

    def describe_like(self, condition: Like) -> str:
        """Return a pattern in words: as a beginning, an end or a part where it is no more than that."""
        pattern = condition.pattern
        # The usual patterns have words of their own; any other is shown as written.
        bare = pattern.strip("%")
        shape = "like"
        if bare and not {"%", "_"} & set(bare):
            shapes = {bare + "%": "starts", "%" + bare: "ends", f"%{bare}%": "contains"}
            shape = shapes.get(pattern, "like")
        return self.fill(shape, self.describe_term(condition.term), pattern if shape == "like" else bare)

    def describe_term(self, term: Term) -> str:
        """Return a term in words: the label of a column, a value, or a calculation in parentheses."""
        match term:
            case Ref(column=column):
                return column.label_es if self.lang == "es" else column.label_en
            case Fixed(value=value):
                return self.describe_value(value)
            case Call(function="coalesce", arguments=(first, *others)):
                return self.fill("coalesce", self.describe_term(first), self.list_terms(others))
            case Call(function=function, arguments=arguments):
                return self.fill(function, self.list_terms(arguments))
            case Arithmetic(op=op, left=left, right=right):
                sign = {"*": "×", "-": "−"}.get(op, op)
                return f"({self.describe_term(left)} {sign} {self.describe_term(right)})"

    def list_terms(self, terms: Iterable[Term]) -> str:
        """Return terms in words, separated by commas."""
        return ", ".join(self.describe_term(term) for term in terms)

    def describe_value(self, value: Value) -> str:
        """Return a value as people of the language write it."""
        if isinstance(value, bool):
            return self.fill("true" if value else "false")
        if isinstance(value, date):
            return value.strftime("%d/%m/%Y") if self.lang == "es" else value.isoformat()
        if isinstance(value, str):
            # A text without a label, such as the name of a city, stands as it is written.
            en, es = VALUE_LABELS.get(value, (value, value))
            return es if self.lang == "es" else en
        return self.format_number(value)

    def format_number(self, value: int | Decimal) -> str:
        """Return a number with its thousands grouped."""
        number = f"{value:,}" if isinstance(value, int) else f"{value:,f}"
        if self.lang == "es":
            # Spanish groups thousands with points and writes decimals after a comma.
            return number.translate(str.maketrans(",.", ".,"))
        return number
