"""Rules that nothing can reach: a segment behind one that already takes all its accounts."""

from collections.abc import Sequence
from decimal import Decimal

from recobra_core.rules.rule import Rule
from recobra_core.rules.terms import Between, Compare, Condition, Every, Fixed, IsNull, Not, Ref, Value, iter_refs

_NEVER_NEGATIVE = frozenset(
    {"balance", "overdue", "disputed", "debtor_overdue", "contacts_30d", "payments_90d", "accounts_of_debtor"}
)


def find_unreachable(rules: Sequence[Rule | None]) -> dict[int, int]:
    """Return by position the rules that an earlier one covers, each with the position of the first that does.

    It says nothing of a rule that it cannot be sure about; None is a rule that cannot be read.
    """
    covered: dict[int, int] = {}
    for position, later in enumerate(rules):
        for before, earlier in enumerate(rules[:position]):
            if earlier is not None and later is not None and covers(earlier, later):
                covered[position] = before
                break
    return covered


def covers(earlier: Rule, later: Rule) -> bool:
    """Return whether every account that the later rule takes is one that the earlier rule takes, for sure."""
    takes_unknown = later.unknown == "yes" and any(ref.column.nullable for ref in iter_refs(later.root))
    if takes_unknown and earlier.unknown != "yes" and not _holds_always(earlier.root):
        return False
    stated = _parts_of(later.root)
    return all(
        _holds_always(part) or any(_implies(other, part) for other in stated) for part in _parts_of(earlier.root)
    )


def _parts_of(condition: Condition) -> tuple[Condition, ...]:
    return condition.of if isinstance(condition, Every) else (condition,)


def _holds_always(condition: Condition) -> bool:
    """Return whether a condition asks only that what is never negative is at least nothing."""
    match condition:
        case Compare(op=">=", left=Ref(column=column), right=Fixed(value=value)):
            number = _number(value)
            return column.name in _NEVER_NEGATIVE and number is not None and number <= 0
        case Every(of=parts):
            return all(_holds_always(part) for part in parts)
    return False


def _implies(stated: Condition, asked: Condition) -> bool:
    """Return whether an account that meets one condition meets the other, for sure."""
    if stated == asked:
        return True
    if isinstance(asked, Not) and isinstance(asked.of, IsNull):
        # What is compared is known.
        return _range_of(stated) is not None and _column_of(stated) == _column_of(asked)
    wide, narrow = _range_of(asked), _range_of(stated)
    if wide is None or narrow is None or _column_of(asked) != _column_of(stated):
        return False
    return _is_inside(narrow[0], wide[0], is_low=True) and _is_inside(narrow[1], wide[1], is_low=False)


Bound = tuple[Decimal, bool] | None
"""An end of a range and whether it belongs to it; None is no end."""


def _range_of(condition: Condition) -> tuple[Bound, Bound] | None:
    """Return the range of numbers in which a condition lets a column be, None where it is no such condition."""
    match condition:
        case Between(term=Ref(), low=Fixed(value=low), high=Fixed(value=high)):
            least, most = _number(low), _number(high)
            return None if least is None or most is None else ((least, True), (most, True))
        case Compare(op=op, left=Ref(), right=Fixed(value=value)):
            number = _number(value)
            if number is None:
                return None
            end = (number, op in {"=", "<=", ">="})
            from_end = end if op in {"=", ">", ">="} else None
            to_end = end if op in {"=", "<", "<="} else None
            return None if op == "<>" else (from_end, to_end)
    return None


def _column_of(condition: Condition) -> str:
    return next((ref.column.name for ref in iter_refs(condition)), "")


def _number(value: Value) -> Decimal | None:
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def _is_inside(narrow: Bound, wide: Bound, *, is_low: bool) -> bool:
    """Return whether one end of a range lies within that of another."""
    if wide is None:
        return True
    if narrow is None:
        return False
    if narrow[0] == wide[0]:
        return wide[1] or not narrow[1]
    return narrow[0] > wide[0] if is_low else narrow[0] < wide[0]
