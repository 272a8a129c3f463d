"""Types that can stand side by side."""

from recobra_core.rules.catalogue import ColumnType
from recobra_core.rules.terms import Arithmetic, Fixed, Term

_NUMERIC = {"integer", "number"}


def is_plain_number(term: Term) -> bool:
    """Tell if the term is a number written in the rule, or a calculation over such numbers."""
    if isinstance(term, Arithmetic):
        return is_plain_number(term.left) and is_plain_number(term.right)
    return isinstance(term, Fixed) and term.type in _NUMERIC


def common_type(terms: tuple[Term, ...]) -> ColumnType | None:
    """Return the type the terms share. Only a written number becomes money: days are never compared with pesos."""
    kinds = {term.type for term in terms}
    if len(kinds) == 1:
        return terms[0].type
    if kinds <= _NUMERIC:
        return "number"
    others = (term for term in terms if term.type != "money")
    if kinds <= _NUMERIC | {"money"} and all(is_plain_number(term) for term in others):
        return "money"
    return None


def product_type(left: Term, right: Term) -> ColumnType | None:
    """Return the type of a product: money may only be multiplied by a written number."""
    kinds = {left.type, right.type}
    if kinds <= _NUMERIC:
        return "integer" if kinds == {"integer"} else "number"
    if "money" in kinds and (is_plain_number(left) or is_plain_number(right)):
        return "money"
    return None
