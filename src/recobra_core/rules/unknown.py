"""Answers of a rule when facts are missing: three-valued logic over every set of unknown columns."""

from functools import reduce
from itertools import combinations, product

from recobra_core.rules.catalogue import ColumnType
from recobra_core.rules.errors import RuleError
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
    iter_refs,
)

NULLABLE_MAX = 8
Answers = frozenset[bool | None]
# Defaults to suggest, as they are written in a rule; for numbers and amounts it is 0.
_DEFAULTS: dict[ColumnType, str] = {"text": "''", "date": "'1900-01-01'", "boolean": "false"}
_EITHER: Answers = frozenset({True, False})
_UNKNOWN: Answers = frozenset({None})
_NEGATED: dict[bool | None, bool | None] = {True: False, False: True, None: None}


def refuse_unknown(condition: Condition) -> None:
    """Raise RuleError, naming the column, when missing data could make the rule answer neither yes nor no."""
    nullable = {ref.column.name: ref for ref in iter_refs(condition) if ref.column.nullable}
    if len(nullable) > NULLABLE_MAX:
        raise RuleError("too_many_nullable", found=str(len(nullable)), expected=str(NULLABLE_MAX))
    tested = _tested_columns(condition)
    for size in range(1, len(nullable) + 1):
        for names in combinations(nullable, size):
            if None not in _possible_answers(condition, frozenset(names)):
                continue
            # Of the missing ones, the column that the author forgot, and among several the first written.
            forgotten = [nullable[name] for name in names if name not in tested]
            candidates = forgotten or [nullable[name] for name in names]
            raise _unknown_error(min(candidates, key=lambda ref: ref.at))


def _unknown_error(ref: Ref) -> RuleError:
    """Return the error for a column whose missing value the rule does not settle, with a default as a way out."""
    column = ref.column
    default = _DEFAULTS.get(column.type, "0")
    expected = f"coalesce({column.name}, {default})"
    return RuleError("unknown_null", position=ref.at, found=column.name, expected=expected)


def _tested_columns(condition: Condition) -> set[str]:
    """Return the columns the rule already asks about with `is null`: the forgotten one is more likely another."""
    match condition:
        case IsNull(term=term):
            return {ref.column.name for ref in iter_refs(term)}
        case Every(of=parts) | Some(of=parts):
            return set().union(*map(_tested_columns, parts))
        case Not(of=inner):
            return _tested_columns(inner)
        case _:
            return set()


def _possible_answers(condition: Condition, missing: frozenset[str]) -> Answers:
    """Return every answer that a condition can give while the columns in `missing` are unknown."""
    match condition:
        case Every(of=parts):
            return reduce(_conjoin_answers, (_possible_answers(part, missing) for part in parts))
        case Some(of=parts):
            # By De Morgan: one of the parts holds unless all fail.
            negated = [_negate_answers(_possible_answers(part, missing)) for part in parts]
            return _negate_answers(reduce(_conjoin_answers, negated))
        case Not(of=inner):
            return _negate_answers(_possible_answers(inner, missing))
        case IsNull(term=term):
            return frozenset({_is_null(term, missing)})
        case Compare(left=left, right=right):
            terms: tuple[Term, ...] = (left, right)
        case Between(term=term, low=low, high=high):
            terms = (term, low, high)
        case In(term=term) | Like(term=term) | Truth(term=term):
            terms = (term,)
    return _UNKNOWN if any(_is_null(term, missing) for term in terms) else _EITHER


def _is_null(term: Term, missing: frozenset[str]) -> bool:
    """Tell if a term is unknown while the columns in `missing` are, and all others known."""
    match term:
        case Ref(column=column):
            return column.name in missing
        case Fixed():
            return False
        case Call(function="coalesce", arguments=arguments):
            return all(_is_null(argument, missing) for argument in arguments)
        case Call(arguments=arguments):
            return any(_is_null(argument, missing) for argument in arguments)
        case Arithmetic(left=left, right=right):
            return _is_null(left, missing) or _is_null(right, missing)


def _conjoin_answers(left: Answers, right: Answers) -> Answers:
    """Return what `and` can answer over any answer of each side."""
    return frozenset(_kleene_and(first, second) for first, second in product(left, right))


def _kleene_and(first: bool | None, second: bool | None) -> bool | None:  # noqa: FBT001 - truth values, not switches
    """Return `and` of three values: one no decides, else one unknown leaves it unknown."""
    if first is False or second is False:
        return False
    if first is None or second is None:
        return None
    return True


def _negate_answers(answers: Answers) -> Answers:
    """Return what `not` answers to each; what is unknown stays so."""
    return frozenset(_NEGATED[answer] for answer in answers)
