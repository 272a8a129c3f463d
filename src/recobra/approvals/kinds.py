"""Registry of what needs a second person: each app above registers its kinds when it starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise

from recobra.access.actors import Actor
from recobra.access.roles import Right
from recobra.approvals.models import Approval


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


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of change that two people decide.

    `right` decides about it; roles that hold it hold Right.DECIDE too. `approve` does the change, `reject` and
    `withdraw` say to its app that it is not done; they run inside the decision's transaction, and what they raise
    as ApprovalRefused undoes it. `title` names the change in a line, `parts` show the old beside the new. `page` is the
    route of the console that shows the subject by its id, '' for none.
    """

    code: str
    label: str | Promise
    right: Right
    approve: Step
    reject: Step
    withdraw: Step
    title: Callable[[Approval], str]
    parts: Callable[[Approval], Sequence[Part]]
    page: str = ""


_KINDS: Final[dict[str, Kind]] = {}


def register_kind(kind: Kind) -> None:
    """Add a kind of change; called when its app starts. Raises RuntimeError for a code that another kind has."""
    # Idempotent: Django may run ready() of an app more than once in a process.
    if _KINDS.setdefault(kind.code, kind) != kind:
        raise RuntimeError(f"The kind of approval «{kind.code}» is registered twice.")


def kind_of(code: str) -> Kind:
    """Return a kind by its code. Raises LookupError for one that no app registers."""
    if code not in _KINDS:
        raise LookupError(f"«{code}» is no kind of approval.")
    return _KINDS[code]


def registered_kinds() -> list[Kind]:
    """Return all kinds, by code."""
    return [_KINDS[code] for code in sorted(_KINDS)]
