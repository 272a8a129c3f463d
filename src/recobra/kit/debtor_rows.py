"""What of an app's rows follows a debtor who is joined with another, declared by each app in `debtor_rows.py`.

`FOLLOWING` has one entry for each model that points to a debtor. `recobra.portfolio.debtor_joins` moves the rows,
remembers them and puts them back; `tests/intake/test_joined_debtors.py` names a model that is in no such module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import Q


@dataclass(frozen=True, kw_only=True)
class Joining:
    """Who stays and who goes.

    `points` gives, for each contact point of who goes that who stays has too, the latter's: the first is no more after
    the join.
    """

    kept_id: int
    joined_id: int
    points: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MovedRow:
    """A row that a join moved, with the columns that it changed beside the debtor, as they were before."""

    row_id: int
    before: Mapping[str, Any] = field(default_factory=dict)


Move = Callable[[Joining], list[MovedRow]]
PutBack = Callable[[Joining, Sequence[MovedRow]], None]


@dataclass(frozen=True, kw_only=True)
class Objection:
    """A reason against a join: `holds` tells if it stands; `text` is shown, marked with gettext_noop.

    One that `is_passing` is over within minutes, and stands against undoing a join too.
    """

    text: str
    holds: Callable[[Joining], bool]
    is_passing: bool = False


@dataclass(frozen=True, kw_only=True)
class DebtorRows:
    """What becomes of a model's rows when debtors are joined and parted again.

    `model` is its label. `move` moves the rows of who goes; by default it gives all of them to who stays. `put_back`
    undoes that for the rows that are still with who stays. `part` comes after all rows are back, and gives away what
    has come since and belongs to what went back, such as a payment of an account. A model that `stays` says why, and
    its readers ask for both debtors (`recobra.portfolio.queries.with_joined`). `lock` comes first of all.
    """

    model: str
    move: Move | None = None
    put_back: PutBack | None = None
    part: Callable[[Joining], None] | None = None
    objections: tuple[Objection, ...] = ()
    stays: str = ""
    lock: Callable[[Sequence[int]], None] | None = None


def move_rows(model: str, joining: Joining, *, which: Q | None = None) -> list[MovedRow]:
    """Give the rows of who goes to who stays, all or those of a condition."""
    rows = apps.get_model(model)._default_manager.filter(which or Q(), debtor_id=joining.joined_id)  # noqa: SLF001 - the public name of the manager that every model has
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    apps.get_model(model)._default_manager.filter(pk__in=ids).update(debtor_id=joining.kept_id)  # noqa: SLF001
    return [MovedRow(row_id=row_id) for row_id in ids]


def put_rows_back(model: str, joining: Joining, moved: Sequence[MovedRow]) -> None:
    """Give rows back to who had gone, as far as who stays still has them."""
    ids = [each.row_id for each in moved]
    rows = apps.get_model(model)._default_manager.filter(pk__in=ids, debtor_id=joining.kept_id)  # noqa: SLF001
    rows.update(debtor_id=joining.joined_id)
