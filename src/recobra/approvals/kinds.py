"""What needs a second person: each app above declares its kinds in its module `approval_kinds`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from operator import attrgetter
from types import MappingProxyType
from typing import Final

from django.utils.functional import Promise

from recobra.access.actors import Actor
from recobra.access.permissions import consequence
from recobra.access.roles import Right
from recobra.approvals.models import Approval
from recobra.kit.declarations import declared


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a change, as a person compares it; `old` is '' for what is new.

    `codes` names the family of labels where old and new are codes, '' where they are text.
    """

    label: str
    old: str
    new: str
    codes: str = ""

    @property
    def is_changed(self) -> bool:
        """Tell if the new is not as the old."""
        return self.old != self.new


Step = Callable[[Approval, Actor], None]
Lock = Callable[[str], object]
OPEN_FOR: Final = timedelta(hours=24)
"""How long who asked may do it, where agreeing only allows it: fetch a file, make a link."""


@consequence
def change_nothing(_approval: Approval, _actor: Actor) -> None:
    """Nothing follows: what was asked for is in the approval alone, or left to who asked."""


def lock_nothing(_subject: str) -> None:
    """Lock nothing: the subject is no row, or who decides does not touch it."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of change that two people decide.

    `right` decides about it; roles that hold it hold Right.DECIDE too. `approve` does the change, `reject` and
    `withdraw` say to its app that it is not done; they run inside the decision's transaction, and what they raise
    as ApprovalRefused undoes it. `lock` locks the subject by its id, before the approval: whoever changes the subject
    has locked it before what waits about it, and in opposite orders the two would wait for each other.

    A change is named in a line by its `title`, or, where its subject has a name in a table, by `names`, which returns
    those of many subjects at once. `parts` show the old beside the new. `page` is the route of the console that shows
    the subject by its id, '' for none.

    With `is_optional` the company says whether it needs a second person (`approvals.second_person`); until it does, one
    is needed. `least_size` is the size from which on one is needed, until the company says otherwise; None for a kind
    that has no size.
    """

    code: str
    label: str | Promise
    right: Right
    approve: Step
    reject: Step = change_nothing
    withdraw: Step = change_nothing
    lock: Lock = lock_nothing
    title: Callable[[Approval], str] = attrgetter("subject")
    names: Callable[[Collection[str]], Mapping[str, str]] | None = None
    parts: Callable[[Approval], Sequence[Part]]
    page: str = ""
    is_optional: bool = False
    least_size: int | None = None


@cache
def kinds_by_code() -> Mapping[str, Kind]:
    """Return all kinds by code: `KINDS` of the module `approval_kinds` of each app that has one.

    Raises RuntimeError for a code that is declared twice.
    """
    kinds: dict[str, Kind] = {}
    for kind in declared("approval_kinds", "KINDS"):
        if kinds.setdefault(kind.code, kind) is not kind:
            raise RuntimeError(f"The kind of approval «{kind.code}» is declared twice.")
    return MappingProxyType(dict(sorted(kinds.items())))


def kind_of(code: str) -> Kind:
    """Return a kind by its code. Raises LookupError for one that no app declares."""
    if code not in kinds_by_code():
        raise LookupError(f"«{code}» is no kind of approval.")
    return kinds_by_code()[code]
