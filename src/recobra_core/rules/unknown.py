"""Answers of a rule when facts are missing: three-valued logic over every set of unknown columns."""

from functools import reduce
from itertools import chain, combinations

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
_EITHER: Answers = frozenset({True, False})
_UNKNOWN: Answers = frozenset({None})


def refuse_unknown(condition: Condition) -> None:
    """Raise RuleError, naming the column, when missing data could make the rule answer neither yes nor no."""
    nullable = {ref.column.name: ref for ref in iter_refs(condition) if ref.column.nullable}
    if len(nullable) > NULLABLE_MAX:
        raise RuleError("too_many_nullable", found=str(len(nullable)), expected=str(NULLABLE_MAX))
    subsets = chain.from_iterable(combinations(nullable, size) for size in range(1, len(nullable) + 1))
    for missing in map(frozenset, subsets):
        if None in _possible_answers(condition, missing):
            tested = _tested_columns(condition)
            # Of the missing ones, the column that the author forgot, and among several the first written.
            ref = nullable[min(missing, key=lambda name: (name in tested, nullable[name].at))]
            default = {"text": "''", "date": "'1900-01-01'", "boolean": "false"}.get(ref.column.type, "0")
            raise RuleError(
                "unknown_null",
                position=ref.at,
                found=ref.column.name,
                expected=f"coalesce({ref.column.name}, {default})",
            )


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
            return _negate_answers(
                reduce(_conjoin_answers, (_negate_answers(_possible_answers(part, missing)) for part in parts))
            )
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
    return frozenset(_kleene_and(a, b) for a in left for b in right)


def _kleene_and(a: bool | None, b: bool | None) -> bool | None:  # noqa: FBT001 - truth values, not switches
    """Return `and` of three values: one no decides, else one unknown leaves it unknown."""
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def _negate_answers(answers: Answers) -> Answers:
    return frozenset(None if answer is None else not answer for answer in answers)
