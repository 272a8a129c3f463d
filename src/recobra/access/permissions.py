"""What public operations check themselves: that the actor holds the right and that the portfolio is within reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.utils.translation import gettext as _

from recobra.journal.actor import Actor

from .roles import Right

P = ParamSpec("P")
R = TypeVar("R")


class NotAllowed(PermissionDenied):
    """The actor does not hold the right that the operation needs."""


class OutOfScope(ObjectDoesNotExist):
    """The portfolio is not within the actor's reach; a door answers as if it were not there."""


@dataclass(frozen=True)
class Operation:
    """A public operation: its full name and the right it needs, None for a consequence of what was checked before."""

    name: str
    right: Right | None
    function: Callable[..., object]


OPERATIONS: Final[dict[str, Operation]] = {}
"""The public operations of all apps whose modules were imported, by full name."""


def requires(right: Right) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a public operation, which takes `actor` by keyword, and refuse actors without a right.

    The operation raises NotAllowed before it reads or writes anything.
    """

    def declare(operation: Callable[P, R]) -> Callable[P, R]:
        @wraps(operation)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            actor = kwargs["actor"]
            assert isinstance(actor, Actor)
            check_right(actor, right)
            return operation(*args, **kwargs)

        _declare_operation(checked, right)
        return checked

    return declare


def consequence(operation: Callable[P, R]) -> Callable[P, R]:
    """Declare an operation that follows from another one or from a fact, whose actor was checked there."""
    _declare_operation(operation, None)
    return operation


def check_right(actor: Actor, right: Right) -> None:
    """Raise NotAllowed for an actor who does not hold a right."""
    if right not in actor.rights:
        raise NotAllowed(_("«%(name)s» may not do this.") % {"name": actor.name})


def check_scope(actor: Actor, portfolio_code: str) -> None:
    """Raise OutOfScope for a portfolio that is not within the actor's reach."""
    if actor.portfolio_codes is not None and portfolio_code not in actor.portfolio_codes:
        raise OutOfScope(_("There is no such portfolio."))


def _declare_operation(function: Callable[..., object], right: Right | None) -> None:
    name = f"{function.__module__}.{function.__qualname__}"
    OPERATIONS[name] = Operation(name, right, function)
